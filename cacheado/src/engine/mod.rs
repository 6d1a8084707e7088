//! The way of a call, from its arguments to the value.
//!
//! ```text
//! generated code ─ lookup ─┬─ hit ──────────────────────────────────────────► value
//!                          └─ miss ─ Call ─ plan ─┬─ serve ─────────────────► value
//!                                     ▲           ├─ wait for the leader ─► plan again
//!                                     └───────────┤
//!                                                 ├─ ask the backend ─┬─ found ─► value
//!                                                 │                   ▼ absent
//!                                                 └─ compute ─ body ─ finish ─ write ► value
//! ```
//!
//! `plan` and `finish` are the same for sync and async; the two drivers in `drive` differ in how they run
//! the body and how they wait.
//!
//! | file | subject |
//! |---|---|
//! | `query` | hashing and comparing a key without building its bytes |
//! | `lookup` | the hit path |
//! | `call` | a call that missed: what it carries |
//! | `miss` | the same for generated code, which knows what its function returns |
//! | `plan` | what it does next: serve, wait or compute |
//! | `computation` | the right to run a body, and the duty to those who wait |
//! | `aging` | what becomes of a value by its age, and of the computation that renews it |
//! | `detach`, `pool` | bodies that go on without their caller: as tasks, or on threads |
//! | `far` | the remote side of a call: read, announce, write |
//! | `turn` | one computation at a time among processes |
//! | `verbs` | what one entry's handle asks: peek, set, evict |
//! | `finish` | from the outcome of a body to the store and to those who wait |
//! | `flight` | one computation and those who wait for it |
//! | `moment` | which calls an outcome is young enough for, where other nodes evict |
//! | `leading` | which flights this thread or task leads, so that recursion does not wait for itself |
//! | `batch` | a call for several elements |
//! | `limit` | how many bodies run at the same time in one scope |
//! | `drive` | the sync and the async driver |

mod aging;
mod batch;
mod call;
mod computation;
mod detach;
mod drive;
mod far;
mod finish;
pub(crate) mod flight;
mod leading;
pub(crate) mod limit;
mod lookup;
mod miss;
mod moment;
mod plan;
mod pool;
mod query;
mod sync;
mod turn;
mod verbs;

pub(crate) use aging::{Age, Renewals};
pub use batch::Batch;
pub(crate) use call::{Call, KeyParts, scope_label, tag_label};
pub use lookup::{Lookup, lookup};
pub(crate) use lookup::{Question, Reason, call_for};
pub use miss::Miss;
pub(crate) use query::{KeyQuery, encode_key, hash_bytes, hash_key};
