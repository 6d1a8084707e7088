//! What the engine asks of a remote store.

mod bus;
mod entries;
mod fences;
mod groups;
mod leases;
mod load;

pub use bus::*;
pub use entries::*;
pub use fences::*;
pub use groups::*;
pub use leases::*;
pub use load::*;
