//! `rediss://`.

use std::sync::Arc;

use cacheado_backends::ErrorKind;
use cacheado_backends::contract::{Event, Tier, Wanted};

use crate::{builder, event, place, server, store, value};

#[tokio::test]
async fn with_a_certificate_authority_of_ones_own() {
    let (server, tls) = server!(cacheado_servers::Redis::start_tls());
    let file = std::env::temp_dir().join(format!("cacheado-ca-{}.pem", server.port()));
    std::fs::write(&file, tls.certificate()).expect("a file");
    let redis = builder(tls.url()).ca_certificate(&file).namespace("t").build();
    std::fs::remove_file(&file).expect("it was there");
    let redis = Arc::new(redis.expect("an address"));
    let at = place("k", &["g"]);
    store(&redis, &at, b"v").await;
    assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"v"[..]));
    let read = Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read");
    assert_eq!(read.expect("there").value, b"v");
    let mut subscription = Arc::clone(&redis).subscribe().expect("there is a bus");
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    Tier::evict(&*redis, &at, Some(b"gone")).await.expect("evicted");
    assert_eq!(event(&mut *subscription).await, Event::Notice(b"gone".to_vec()));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (_server, tls) = server!(cacheado_servers::Redis::start_tls());
    let redis = builder(tls.url()).build().expect("an address");
    let error = Tier::get(&redis, &place("k", &[]), Wanted::Value).await.expect_err("refused");
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Other), "{error:?}");
    let error =
        Tier::get_blocking(&redis, &place("k", &[]), Wanted::Value).expect("has one").expect_err("refused");
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Other), "{error:?}");
}
