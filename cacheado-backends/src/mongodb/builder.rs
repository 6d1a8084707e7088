//! How a MongoDB backend is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::MongoDb;
use super::error::{Cause, Failure};
use super::link::{Link, Settings};
use super::names::Names;
use super::uri::Address;
use crate::error::{ErrorKind, Result};
use crate::io;

/// What a [`MongoDb`] is made of.
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct MongoDbBuilder {
    uri: String,
    database: Option<String>,
    collection: String,
    namespace: String,
    timeout: Duration,
}

impl MongoDbBuilder {
    pub(super) fn new(uri: String) -> Self {
        Self {
            uri,
            database: None,
            collection: "cacheado".to_owned(),
            namespace: "cacheado".to_owned(),
            timeout: Duration::from_millis(500),
        }
    }

    /// The database; left out: the one that the URI names.
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// The collection; left out: `cacheado`. It is made on the first write, with its indexes.
    pub fn collection(mut self, name: impl Into<String>) -> Self {
        self.collection = name.into();
        self
    }

    /// What the keys of this cache begin with; left out: `cacheado`. Any text; caches of different namespaces
    /// can share a collection, and none reads, evicts or clears what is another's.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How long one operation may take, more than zero and a day at most; left out: 500 ms. Evicting a group,
    /// clearing, counting and listing keys may take a minute, as long as the server answers others within this time.
    ///
    /// The time to find and to reach a server is bounded by it too, unless the URI says otherwise by
    /// `serverSelectionTimeoutMS` and `connectTimeoutMS`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(io::LONGEST);
        self
    }

    /// Makes the backend, and connects to nothing: the first operation does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], if the URI cannot be used, a name is not one that MongoDB takes, no
    /// database is named, or the timeout is zero.
    pub fn build(self) -> Result<MongoDb> {
        self.link()
            .map(|link| MongoDb { link: Arc::new(link) })
            .map_err(|failure| failure.of("build MongoDb"))
    }

    fn link(self) -> Result<Link, Failure> {
        let wrong = |text| Failure::said(ErrorKind::Configuration, text);
        let address = Address::parse(&self.uri)?;
        let database = match self.database {
            Some(name) => name,
            None => address.database().map(str::to_owned).ok_or_else(|| wrong("no database is named"))?,
        };
        if !is_database(&database) {
            return Err(named("not the name of a database", database));
        }
        if !is_collection(&self.collection) {
            return Err(named("not the name of a collection", self.collection));
        }
        if self.timeout.is_zero() {
            return Err(wrong("a timeout of zero leaves no time for any operation"));
        }
        Ok(Link::new(Settings {
            address,
            database,
            collection: self.collection,
            names: Names::new(&self.namespace),
            timeout: self.timeout,
        }))
    }
}

/// Without the URI, which may hold a password.
impl fmt::Debug for MongoDbBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbBuilder")
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn named(text: &'static str, name: String) -> Failure {
    Failure::new(ErrorKind::Configuration, Cause::Named(text, name))
}

fn is_database(name: &str) -> bool {
    (1..64).contains(&name.len())
        && !name.contains(['/', '\\', '.', ' ', '"', '$', '*', '<', '>', ':', '|', '?', '\0'])
}

fn is_collection(name: &str) -> bool {
    (1..200).contains(&name.len())
        && !name.contains(['$', '\0'])
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.starts_with("system.")
}
