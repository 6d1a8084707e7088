//! How a [`Redis`] is set up.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion,
    RedisResult, TlsCertificates,
};

use super::Redis;
use super::error::Secrets;
use super::keys::Layout;
use super::settings::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::io;

const OPERATION: &str = "configure Redis";

/// Sets up a [`Redis`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RedisBuilder {
    url: String,
    cluster: Option<Vec<String>>,
    shards: Option<u16>,
    db: Option<u32>,
    namespace: String,
    username: Option<String>,
    password: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    nodelay: bool,
    authority: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("RedisBuilder").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl RedisBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            cluster: None,
            shards: None,
            db: None,
            namespace: "cacheado".to_owned(),
            username: None,
            password: None,
            timeout: Duration::from_millis(500),
            connect_timeout: Duration::from_millis(500),
            nodelay: false,
            authority: None,
            identity: None,
        }
    }

    /// The database, instead of the one in the address. A cluster has database 0 alone.
    pub fn db(mut self, db: u32) -> Self {
        self.db = Some(db);
        self
    }

    /// What all keys are put under; `"cacheado"` if it is not set. Caches with different namespaces share
    /// nothing, whatever characters the names consist of.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The user, instead of the one in the address.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The password, instead of the one in the address.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// How long one exchange with the server may take; 500 ms if it is not set, and a day at most. A connection by
    /// which notices come is given up when it is silent for as long, or for a second if that is longer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(io::LONGEST);
        self
    }

    /// How long a connection may take to be made; 500 ms if it is not set, and a day at most.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.min(io::LONGEST);
        self
    }

    /// Whether a request is sent at once even if an earlier one is not acknowledged yet (`TCP_NODELAY`); not so
    /// if it is not set. Gathering them saves both sides a third of their work where there are many at a time,
    /// and costs them up to one round trip on a real network.
    pub fn tcp_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// The server is a node of a Redis Cluster, and so are these; the others are found through them. User,
    /// password and TLS are those of the first address.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado_backends::redis::Redis;
    ///
    /// let redis = Redis::builder("redis://10.0.0.1:6379").cluster(["redis://10.0.0.2:6379"]).build()?;
    /// # Ok::<(), cacheado_backends::Error>(())
    /// ```
    pub fn cluster(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.cluster = Some(more.into_iter().map(Into::into).collect());
        self
    }

    /// In how many parts the namespace is spread over a cluster; 16 if it is not set, and 1 without a cluster.
    /// All that share a namespace have to say the same: entries that were stored with another number of
    /// shards are not found.
    pub fn shards(mut self, shards: u16) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Trusts the certificate authorities in this PEM file, instead of those that the system trusts. For
    /// `rediss://` addresses.
    pub fn ca_certificate(mut self, file: impl AsRef<Path>) -> Self {
        self.authority = Some(file.as_ref().to_owned());
        self
    }

    /// Shows the server this certificate, in PEM files. For `rediss://` addresses.
    pub fn client_certificate(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.identity = Some((certificate.as_ref().to_owned(), key.as_ref().to_owned()));
        self
    }

    /// The backend. It does not connect: that is done when it is first used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for an address that is none, a user without a password, an empty namespace, no
    /// shards, a time limit of zero, certificates that cannot be read or go with an address that is not
    /// `rediss://`, and a cluster with a database other than 0.
    pub fn build(self) -> Result<Redis> {
        if self.namespace.is_empty() {
            return Err(refused("the namespace is empty"));
        }
        if self.shards == Some(0) {
            return Err(refused("there has to be one shard at least"));
        }
        if self.timeout.is_zero() || self.connect_timeout.is_zero() {
            return Err(refused("a time limit is zero"));
        }
        let urls: Vec<&str> =
            [&self.url].into_iter().chain(self.cluster.iter().flatten()).map(String::as_str).collect();
        let infos = urls.iter().map(|url| self.info(url)).collect::<Result<Vec<_>>>()?;
        let redis = infos[0].redis_settings();
        if redis.username().is_some() && redis.password().is_none() {
            // The client would sign nobody in: the server's default user may do more than this one.
            return Err(refused(
                "there is a user and no password; to one with `nopass`, any password will do",
            ));
        }
        let (password, db) = (redis.password().map(str::to_owned), redis.db());
        let secrets = Secrets::new(password);
        let report = |error| secrets.report(OPERATION, &error);

        let certificates = self.certificates(&infos[0])?;
        let cluster = self.cluster.is_some().then(|| self.cluster_client(&infos, certificates.as_ref()));
        let cluster = cluster.transpose().map_err(report)?;
        let nodes = infos.into_iter().map(|info| match &certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        });
        let nodes = nodes.collect::<RedisResult<Vec<_>>>().map_err(report)?;
        let shards = self.shards.unwrap_or(if cluster.is_some() { 16 } else { 1 });
        let settings = Settings {
            nodes,
            cluster,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            secrets,
            inspected: AtomicBool::new(false),
        };
        let layout = Layout::new(&self.namespace, shards).in_database(db);
        Ok(Redis::new(self.namespace.clone(), layout, settings))
    }

    /// An address, with what was set instead of its parts.
    fn info(&self, url: &str) -> Result<ConnectionInfo> {
        // What the client says of an address that it cannot read may repeat parts of it.
        let info = url.into_connection_info().map_err(|_| refused("the address is not one of Redis"))?;
        let mut redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        if let Some(db) = self.db {
            redis = redis.set_db(db.into());
        }
        if let Some(username) = &self.username {
            redis = redis.set_username(username);
        }
        if let Some(password) = &self.password {
            redis = redis.set_password(password);
        }
        if self.cluster.is_some() && redis.db() != 0 {
            return Err(refused("a cluster has database 0 alone"));
        }
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(refused("certificates are always verified: `#insecure` is not supported"));
        }
        Ok(info.set_redis_settings(redis).set_tcp_settings(self.tcp()))
    }

    fn tcp(&self) -> TcpSettings {
        TcpSettings::default().set_nodelay(self.nodelay)
    }

    fn certificates(&self, info: &ConnectionInfo) -> Result<Option<TlsCertificates>> {
        if self.authority.is_none() && self.identity.is_none() {
            return Ok(None);
        }
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(refused("certificates are for `rediss://` addresses"));
        }
        let read = |file: &PathBuf| {
            fs::read(file).map_err(|error| refused(&format!("cannot read {}: {error}", file.display())))
        };
        let root_cert = self.authority.as_ref().map(read).transpose()?;
        let client_tls = match &self.identity {
            Some((certificate, key)) => {
                Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
            }
            None => None,
        };
        Ok(Some(TlsCertificates { client_tls, root_cert }))
    }

    fn cluster_client(
        &self,
        infos: &[ConnectionInfo],
        certificates: Option<&TlsCertificates>,
    ) -> RedisResult<ClusterClient> {
        let mut builder = ClusterClientBuilder::new(infos.to_vec())
            .use_protocol(ProtocolVersion::RESP3)
            .tcp_settings(self.tcp())
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.timeout)
            .overall_response_timeout(None) // whoever waits has a limit of its own
            .retries(3)
            .min_retry_wait(10)
            .max_retry_wait(100);
        if let Some(certificates) = certificates {
            builder = builder.certs(certificates.clone());
        }
        builder.build()
    }
}

fn refused(reason: &str) -> Error {
    Error::new(ErrorKind::Configuration, OPERATION, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(builder: RedisBuilder) -> String {
        let error = builder.build().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    }

    #[test]
    fn what_cannot_work_is_refused_at_once() {
        let redis = || Redis::builder("redis://127.0.0.1");
        assert!(refusal(redis().namespace("")).contains("namespace"));
        assert!(refusal(redis().shards(0)).contains("shard"));
        assert!(refusal(redis().timeout(Duration::ZERO)).contains("zero"));
        assert!(refusal(redis().db(1).cluster(["redis://127.0.0.2"])).contains("database 0"));
        assert!(refusal(redis().ca_certificate("ca.pem")).contains("rediss"));
        assert!(refusal(Redis::builder("http://127.0.0.1")).contains("address"));
        assert!(refusal(Redis::builder("rediss://127.0.0.1/#insecure")).contains("verified"));
        assert!(refusal(redis().username("me")).contains("no password"));
        assert!(refusal(Redis::builder("redis://me@127.0.0.1")).contains("no password"));
        let node = redis().username("me").password("p").cluster(["redis://me@127.0.0.2"]);
        node.build().expect("that of the first address is that of all");
        let missing = Redis::builder("rediss://127.0.0.1").ca_certificate("/nowhere/ca.pem");
        assert!(refusal(missing).contains("/nowhere/ca.pem"));
    }

    #[test]
    fn hazard_31_neither_debug_nor_errors_show_a_password() {
        let urls = [
            "redis://me:s3cret@127.0.0.1",
            "redis://:s3cret@127.0.0.1/x",
            "redis://s3cret:s3cret@[",
            "s3cret",
        ];
        for url in urls {
            let builder = Redis::builder(url).password("s3cret").cluster([url]);
            let shown = format!("{builder:?} {:?}", builder.clone().build());
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_decoded() {
        let builder = Redis::builder("redis://me:p%40ss%2Fw%C3%B6rd@127.0.0.1/2");
        let info = builder.info(&builder.url).expect("an address");
        assert_eq!(info.redis_settings().password(), Some("p@ss/wörd"));
        assert_eq!((info.redis_settings().username(), info.redis_settings().db()), (Some("me"), 2));
        let builder = builder.username("you").password("other").db(3);
        let info = builder.info(&builder.url).expect("an address");
        assert_eq!(info.redis_settings().password(), Some("other"));
        assert_eq!((info.redis_settings().username(), info.redis_settings().db()), (Some("you"), 3));
    }
}
