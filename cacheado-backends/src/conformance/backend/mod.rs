//! The small contract.

mod batches;
mod concurrency;
mod expiry;
mod isolation;
mod keys;
mod limits;
mod values;

pub use batches::*;
pub use concurrency::*;
pub use expiry::*;
pub use isolation::*;
pub use keys::*;
pub use limits::*;
pub use values::*;
