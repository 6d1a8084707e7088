//! A process of its own, for tests of several: `node KIND URL VERSION ORG USER...` calls a cached function for
//! each user, and prints each value, then how often the body has run.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use cacheado::prelude::*;
use cacheado_tests::patient;
use serde::{Deserialize, Serialize};

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

static BODIES: AtomicU32 = AtomicU32::new(0);

mod first {
    use super::{BODIES, Deserialize, Ordering, Serialize, cached, scopes};

    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct Profile {
        name: String,
        age: u8,
    }

    #[cached(name = "node.profile", version = 1, ttl = 60, scope = "user")]
    pub(super) fn profile(org: &str, user: &str) -> Profile {
        BODIES.fetch_add(1, Ordering::SeqCst);
        Profile { name: format!("{user} of {org}"), age: 1 }
    }
}

/// The next version: another type, in which the bytes of the first would mean something else.
mod second {
    use super::{BODIES, Deserialize, Ordering, Serialize, cached, scopes};

    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct Profile {
        age: u8,
        name: String,
        #[serde(default)]
        nickname: String,
    }

    #[cached(name = "node.profile", version = 2, ttl = 60, scope = "user")]
    pub(super) fn profile(org: &str, user: &str) -> Profile {
        BODIES.fetch_add(1, Ordering::SeqCst);
        Profile { name: format!("{user} of {org}"), age: 2, nickname: user.to_uppercase() }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("node KIND URL VERSION ORG USER...");
    let (kind, url, version, org) = (next()?, next()?, next()?, next()?);
    let builder = Cache::builder();
    let builder = match kind.as_str() {
        "redis" => builder.backend(patient::redis(url).namespace("nodes").build()?),
        "mongodb" => builder.backend(patient::mongodb(url).database("nodes").build()?),
        other => return Err(format!("no backend `{other}`").into()),
    };
    cacheado::set_global(builder.build()?)?;
    for user in args {
        match version.as_str() {
            "1" => println!("{:?}", first::profile(&org, &user)),
            _ => println!("{:?}", second::profile(&org, &user)),
        }
    }
    println!("{} bodies", BODIES.load(Ordering::SeqCst));
    Ok(())
}
