//! A certificate for a server, and where it is used.

use std::fs;

use crate::guard::Guard;
use crate::port::Port;

/// Where a server listens with TLS, and what its clients have to trust. To be kept for as long as the server is
/// to restart.
#[derive(Debug)]
pub struct Tls {
    port: Port,
    certificate: String,
    files: Guard,
}

impl Tls {
    /// A certificate for 127.0.0.1, signed by itself.
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a plain certificate");
        let tls = Self { port: Port::reserve(), certificate: made.cert.pem(), files: Guard::new() };
        let write = |name, content| fs::write(tls.files.directory().join(name), content);
        write("key.pem", made.signing_key.serialize_pem()).expect("the directory is ours");
        write("certificate.pem", tls.certificate.clone()).expect("the directory is ours");
        tls
    }

    /// The address: `rediss://127.0.0.1:6380/`.
    pub fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}/", self.port.number())
    }

    /// The certificate to trust, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What tells `redis-server` of it.
    pub(crate) fn args(&self) -> [String; 8] {
        let file = |name| self.files.directory().join(name).display().to_string();
        [
            "--tls-port".to_owned(),
            self.port.number().to_string(),
            "--tls-cert-file".to_owned(),
            file("certificate.pem"),
            "--tls-key-file".to_owned(),
            file("key.pem"),
            "--tls-auth-clients".to_owned(),
            "no".to_owned(),
        ]
    }
}
