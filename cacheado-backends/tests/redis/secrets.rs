//! Users and passwords.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Event, Leased, Terms, Tier};
use cacheado_backends::redis::RedisBuilder;
use cacheado_backends::{Backend, Error, ErrorKind};

use crate::{builder, event, group, new, place, server, store, value};

const SECRET: &str = "p@ss/w:örd %";
const ENCODED: &str = "p%40ss%2Fw%3A%C3%B6rd%20%25";

fn shown(error: &Error) -> String {
    use std::error::Error as _;
    format!("{error} {error:?} {:?}", error.source())
}

async fn refused(wrong: RedisBuilder) {
    let redis = wrong.build().expect("an address");
    let at = place("k", &["g"]);
    let blocking = Tier::get_blocking(&redis, &at, cacheado_backends::contract::Wanted::Value);
    for error in [
        Tier::begin(&redis, &at).await.err(),
        Tier::set(&redis, &at, new(b"a value"), None).await.err(),
        Tier::evict_group(&redis, &group("g"), None).await.err(),
        blocking.expect("has one").err(),
    ] {
        let error = error.expect("refused");
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        let shown = format!("{} {redis:?}", shown(&error));
        for secret in [SECRET, ENCODED, "wrong", "a value"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn hazard_31_passwords_work_and_are_not_shown() {
    let server = server!(cacheado_servers::Redis::start_with(&["--requirepass", SECRET]));
    server.command(&["ACL", "SETUSER", "me", "on", "~*", "&*", "+@all", &format!(">{SECRET}")]);
    server.command(&[
        "ACL",
        "SETUSER",
        "reader",
        "on",
        "~*",
        "+@read",
        "+@connection",
        &format!(">{SECRET}"),
    ]);
    let host = format!("127.0.0.1:{}", server.port());
    let plain = || builder(server.url());
    for right in [
        builder(format!("redis://:{ENCODED}@{host}")),
        builder(format!("redis://me:{ENCODED}@{host}")),
        plain().password(SECRET),
        plain().username("me").password(SECRET),
        builder(format!("redis://you:wrong@{host}")).username("me").password(SECRET),
    ] {
        let redis = right.namespace("t").build().expect("an address");
        store(&redis, &place("k", &[]), b"v").await;
        assert_eq!(value(&redis, &place("k", &[])).await.as_deref(), Some(&b"v"[..]));
        let entry = Tier::get_blocking(&redis, &place("k", &[]), cacheado_backends::contract::Wanted::Value);
        assert!(entry.expect("has one").expect("read").is_some());
        let shown = format!("{redis:?}");
        assert!(!shown.contains(SECRET) && !shown.contains(ENCODED), "{shown}");
    }
    refused(plain()).await;
    refused(plain().password("wrong")).await;
    refused(plain().username("nobody").password(SECRET)).await;

    // A user who may not do everything is told so, and may do the rest.
    let reader = plain().username("reader").password(SECRET).namespace("t").build().expect("an address");
    assert_eq!(value(&reader, &place("k", &[])).await.as_deref(), Some(&b"v"[..]));
    let error = Tier::set(&reader, &place("k", &[]), new(b"a value"), None).await.expect_err("may not");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(!shown(&error).contains("a value"), "{error}");
}

/// Those of the guide, on a server that lets users have all channels, as a Redis 6.2 does by default.
#[tokio::test]
async fn the_rights_of_the_guide_are_taken_and_are_enough() {
    let guide = include_str!("../../../docs/guide/redis.md");
    let (_, rights) = guide.split_once("ACL SETUSER app ").expect("rights in the guide");
    let (rights, _) = rights.split_once("```").expect("the end of the block");
    let server = server!(cacheado_servers::Redis::start_with(&["--acl-pubsub-default", "allchannels"]));
    let command: Vec<&str> = ["ACL", "SETUSER", "app"].into_iter().chain(rights.split_whitespace()).collect();
    server.command(&command);

    let redis = builder(server.url()).username("app").password("secret").namespace("app");
    let redis = Arc::new(redis.build().expect("an address"));
    let at = place("k", &["g"]);
    let mut subscription = Arc::clone(&redis).subscribe().expect("there is a bus");
    assert_eq!(event(&mut *subscription).await, Event::Gap, "the first");
    let terms = Terms { lasts: Duration::from_secs(10), look: true };
    let Leased::Taken(claim) = redis.begin_leased(&at, terms).await.expect("begun") else { panic!("held") };
    Tier::abandon(&*redis, &at, &claim).await.expect("abandoned");
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    Tier::replace(&*redis, &at, new(b"v"), &claim, b"replaced").await.expect("filled");
    assert_eq!(event(&mut *subscription).await, Event::Notice(b"replaced".to_vec()));
    assert!(Tier::set_ttl(&*redis, &at, None).await.expect("prolonged"));
    assert!(Tier::set_ttl(&*redis, &at, Some(Duration::from_secs(60))).await.expect("prolonged"));
    assert_eq!(Backend::get_many(&*redis, &["k", "l"]).await.expect("read").iter().flatten().count(), 1);
    assert_eq!(Backend::keys(&*redis, "").await.expect("listed"), ["k"]);
    assert_eq!(Tier::count(&*redis, None).await.expect("counted"), 1);
    assert!(Tier::evict(&*redis, &at, Some(b"evicted")).await.expect("evicted"));
    store(&redis, &at, b"v").await;
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    assert!(Tier::retract(&*redis, &at, &claim, None).await.expect("retracted"));
    store(&redis, &at, b"v").await;
    assert_eq!(Tier::clear(&*redis, None).await.expect("cleared"), 1);
    assert_eq!(server.command(&["ACL", "LOG"]), "", "nothing was refused");
}
