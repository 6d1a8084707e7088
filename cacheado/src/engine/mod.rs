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
//! | `body` | how a body is run, and what is served where it fails |
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
//!
//! There are several ways to look for an entry in this process. They differ in what it does to the entry, to the
//! statistics and to the rules of the user's, and in whether one past its time will do:
//!
//! | | marks it as used | counts a hit | asks rules | past its time |
//! |---|---|---|---|---|
//! | `Function::probe`: a call's first look, argument by argument | yes | yes | yes | says that it is |
//! | `Function::judge`, `Call::find`: by the bytes of the key | yes | yes | yes | no |
//! | `Function::find`: `probe`, and `judge` where it says so | yes | yes | yes | no |
//! | `Computation::look_again`: by who has come to lead | no | yes | yes | no |
//! | `Call::by_age`: where values age | yes | yes | yes | within `stale`, and after a failure |
//! | `Call::spare`: for what else there is to serve | no | no | no | within its grace |
//! | `Call::peek`: for `<fn>_entry` | no | no | no | within `stale` |

mod aging;
mod batch;
mod body;
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
