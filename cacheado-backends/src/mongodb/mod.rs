//! MongoDB: one document a key, its index of groups and its TTL index, and a bus by change streams.
//!
//! | file | subject |
//! |---|---|
//! | `builder`, `uri` | how a [`MongoDb`] is made; connection strings without their passwords |
//! | `link`, `once` | the client, and how operations run on the I/O thread |
//! | `setup` | the collection and its indexes |
//! | `names` | what things are called, with several namespaces in a collection |
//! | `document` | the document of a key, and the updates that change it |
//! | `entries` | the operations on a key |
//! | `unclaimed` | a claim on its way to whoever has asked for it |
//! | `groups` | eviction of groups and of everything, and why no fill escapes it |
//! | `backend`, `tier` | the contracts |
//! | `bus` | notices: how they are told, and how they are heard |
//! | `error` | what is shown of an error |

mod backend;
mod builder;
mod bus;
mod document;
mod entries;
mod error;
mod groups;
mod link;
mod names;
mod once;
mod setup;
mod tier;
mod unclaimed;
mod uri;

use std::fmt;
use std::sync::Arc;

pub use builder::MongoDbBuilder;

use link::Link;

/// Entries in a MongoDB collection: a handle that is cheap to clone.
///
/// # Behavior
///
/// - It connects on the first operation, and again by itself. It works with a server alone, a replica set and a
///   sharded cluster, from MongoDB 5.0 on. An older one is refused.
/// - An entry is a document of its own: value, lifetime, groups and fences change in one atomic step, without
///   transactions. It is read by its `_id`, in one round trip.
/// - What is read comes from the primary, whatever the URI says of read preferences. Evictions, and values that
///   are set, are acknowledged by a majority; what is computed and filled in, by the primary, or as the URI
///   says.
/// - Expired entries are never read. The server removes them within a minute or so, by a TTL index.
/// - Times are the server's. Members of a replica set should have theirs synchronized: an entry's life ends by
///   the clock of the primary.
/// - A write whose time was up may still be done, moments later. A fill that comes late is fenced off like any
///   other; a value that is set is not, so that one whose setting has failed is to be set or evicted again.
/// - A value, with the names of its key and groups, has at most 16 MiB less 32 KiB.
/// - Nodes hear of each other's evictions by a change stream; on a server alone, which has none, by looking
///   for them every 100 ms.
///
/// While a primary that has been cut off from the others takes itself for one still, for ten seconds at most
/// by default, a node that reaches it alone reads what others have evicted; `readConcernLevel=linearizable` in
/// the URI keeps it from that, and costs each read a round trip among the members. A sharded collection has to
/// be sharded by `_id`, and an eviction of a group may miss an entry whose chunk is just being moved.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cacheado_backends::MongoDb;
///
/// # fn main() -> cacheado_backends::Result<()> {
/// let mongo = MongoDb::builder("mongodb://app:secret@db1.example.org,db2.example.org/?replicaSet=rs0")
///     .database("app")
///     .collection("cache")
///     .namespace("billing")
///     .timeout(Duration::from_millis(300))
///     .build()?;
/// assert!(!format!("{mongo:?}").contains("secret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MongoDb {
    link: Arc<Link>,
}

impl MongoDb {
    /// A backend of the servers that a connection string names. All its options work, except that reads go to
    /// the primary; `mongodb+srv://` needs the feature `mongodb-srv`.
    pub fn builder(uri: impl Into<String>) -> MongoDbBuilder {
        MongoDbBuilder::new(uri.into())
    }
}

/// Without the URI, which may hold a password.
impl fmt::Debug for MongoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.link.settings;
        f.debug_struct("MongoDb")
            .field("database", &settings.database)
            .field("collection", &settings.collection)
            .field("names", &settings.names)
            .field("timeout", &settings.timeout)
            .finish_non_exhaustive()
    }
}
