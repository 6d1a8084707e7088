//! Connection strings, which may hold a password wherever they cannot be read.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mongodb::error::ErrorKind as Driver;
use mongodb::options::{Acknowledgment, ClientOptions, ConnectionString};

use super::error::{Cause, Failure};
use crate::error::ErrorKind;

/// What a connection string says.
#[derive(Clone)]
pub(super) enum Address {
    /// Servers by name.
    Servers(Box<ClientOptions>),
    /// Servers that are to be looked up.
    Srv(Box<ConnectionString>),
}

impl Address {
    /// Reads a connection string; nothing is looked up.
    pub(super) fn parse(uri: &str) -> Result<Self, Failure> {
        let srv = uri.starts_with("mongodb+srv://");
        if srv && !cfg!(feature = "mongodb-srv") {
            return Err(Failure::said(
                ErrorKind::Configuration,
                "mongodb+srv addresses need the feature mongodb-srv",
            ));
        }
        let string = ConnectionString::parse(uri).map_err(|_| explain(uri))?;
        if string.write_concern.as_ref().is_some_and(|concern| concern.w == Some(Acknowledgment::Nodes(0))) {
            return Err(Failure::said(
                ErrorKind::Configuration,
                "writes have to be acknowledged: w=0 is not",
            ));
        }
        if srv {
            return Ok(Self::Srv(Box::new(string)));
        }
        // Without a name to look up there is nothing to wait for.
        let options = pin!(ClientOptions::parse(string).into_future());
        match options.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(options)) => Ok(Self::Servers(Box::new(options))),
            Poll::Ready(Err(_)) | Poll::Pending => Err(explain(uri)),
        }
    }

    /// The options, looked up if need be.
    pub(super) async fn options(self) -> Result<ClientOptions, Failure> {
        match self {
            Self::Servers(options) => Ok(*options),
            Self::Srv(string) => Ok(ClientOptions::parse(*string).await?),
        }
    }

    /// The database that the connection string names.
    pub(super) fn database(&self) -> Option<&str> {
        match self {
            Self::Servers(options) => options.default_database.as_deref(),
            Self::Srv(string) => string.default_database.as_deref(),
        }
    }
}

/// Options whose value may be a secret.
const SECRETS: [&str; 2] = ["password", "authmechanismproperties"];

/// What is wrong with a connection string. The driver says it only of what is left without credentials: all
/// that comes before the last `@` may be part of a password that was not encoded.
fn explain(uri: &str) -> Failure {
    const WRONG: &str = "the URI cannot be used";
    let lower = uri.to_ascii_lowercase();
    let rest = uri.rsplit_once('@').map(|(_, rest)| format!("mongodb://{rest}"));
    if SECRETS.iter().any(|secret| lower.contains(&format!("{secret}="))) {
        return Failure::said(ErrorKind::Configuration, WRONG);
    }
    match parse_error(rest.as_deref().unwrap_or(uri)) {
        Some(text) => Failure::new(ErrorKind::Configuration, Cause::Named(WRONG, text)),
        None => Failure::said(
            ErrorKind::Configuration,
            "the URI cannot be used: signs such as : / ? # [ ] @ % in user and password are to be \
             percent-encoded",
        ),
    }
}

/// What the driver says of a connection string without credentials.
fn parse_error(uri: &str) -> Option<String> {
    let error = match ConnectionString::parse(uri) {
        Err(error) => error,
        Ok(string) => {
            let options = pin!(ClientOptions::parse(string).into_future());
            match options.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Err(error)) => error,
                Poll::Ready(Ok(_)) | Poll::Pending => return None,
            }
        }
    };
    match *error.kind {
        Driver::InvalidArgument { message, .. } => Some(message),
        _ => Some("the options do not go together".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str) -> String {
        match Address::parse(uri) {
            Ok(_) => panic!("{uri} was taken"),
            Err(failure) => {
                let shown = format!("{failure:?}");
                format!("{shown} {}", failure.of("build"))
            }
        }
    }

    #[test]
    fn hazard_31_no_part_of_a_password_is_shown() {
        for uri in [
            "mongodb://user:sec/ret@host/db",
            "mongodb://user:sec?ret@host/db",
            "mongodb://user:sec@ret@host/db",
            "mongodb://user:sec%ret@host/db",
            "mongodb://user:sec:ret@host/db",
            "mongodb://user:sec#ret@host/db?nonsense",
            "mongodb://user:secret@host:port/db",
            "mongodb://user:secret@host/db?heartbeatFrequencyMS=1",
            "mongodb://host/?authMechanismProperties=sec:ret&authMechanism=secret",
            "mongodb://host/?proxyPassword=secret",
            "http://user:secret@host/",
        ] {
            let shown = refused(uri);
            assert!(!shown.contains("sec") && !shown.contains("ret"), "{uri}: {shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(refused("mongodb://user:secret@host:port/").contains("port"));
        assert!(refused("mongodb://host/?nonsense=1").contains("nonsense"));
        assert!(refused("mongodb://host/?heartbeatFrequencyMS=1").contains("500ms"));
        assert!(refused("mongodb://user:a/b@host").contains("percent-encoded"));
        assert!(refused("host").contains("scheme"));
    }

    #[cfg(not(feature = "mongodb-srv"))]
    #[test]
    fn a_name_to_look_up_needs_a_feature() {
        assert!(refused("mongodb+srv://host.example.org/").contains("mongodb-srv"));
    }

    #[cfg(feature = "mongodb-srv")]
    #[test]
    fn a_name_is_not_looked_up_before_it_is_needed() {
        let Ok(address) = Address::parse("mongodb+srv://host.example.invalid/db") else { panic!() };
        assert_eq!(address.database(), Some("db"));
    }
}
