//! Entries of a tier, one at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::conformance::Subject;
use crate::conformance::tools::{
    LONG, Must, check, check_two, elsewhere, eventually, group, new, noise, ok, place, scope, text,
};
use crate::contract::{Filled, New, Place, Tier, Wanted};

const SHORT: Duration = Duration::from_millis(120);

fn at(key: &str) -> Place {
    place(key, &[&group("function"), &scope("tenant")])
}

async fn remaining(tier: &dyn Tier, at: &Place) -> Option<Duration> {
    let entry = ok("get", tier.get(at, Wanted::ValueAndLifetime).await);
    entry.unwrap_or_else(|| panic!("there is no entry at {at:?}")).remaining
}

/// What was set is read: one at a time, in a batch, and on a thread without a runtime where the backend has a
/// blocking client.
pub fn a_set_is_read(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        assert_eq!(tier.read(&at("1")).await, None);
        for value in ["first", "", "the second, which is longer"] {
            ok("set", tier.set(&at("1"), new(value.as_bytes()), None).await);
            assert_eq!(tier.read(&at("1")).await.as_deref(), Some(value));
        }
        ok("set", tier.set(&at("2"), new(b"two"), None).await);
        let many = [at("2"), at("missing"), at("1"), at("2")];
        for wanted in [Wanted::Value, Wanted::ValueAndLifetime] {
            let read = ok("get_many", tier.get_many(&many, wanted).await);
            if wanted == Wanted::ValueAndLifetime {
                let lives = read.iter().flatten().all(|entry| entry.remaining.is_some());
                assert!(lives, "a batch tells how long its entries live, where that is wanted");
            }
            let read: Vec<_> = read.iter().map(|entry| entry.as_ref().map(text)).collect();
            let expected = [Some("two"), None, Some("the second, which is longer"), Some("two")];
            assert_eq!(read, expected.map(|value| value.map(str::to_owned)), "a batch keeps its order");
        }
        assert!(ok("get_many", tier.get_many(&[], Wanted::Value).await).is_empty());
    });
}

/// `get_blocking` answers as `get` does, where there is one.
pub fn a_blocking_get_answers_the_same(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        ok("set", subject.tier().set(&at("there"), new(b"value"), None).await);
        let tier = Arc::clone(&subject.node().tier);
        let blocking = move || {
            let read = |key| tier.get_blocking(&at(key), Wanted::ValueAndLifetime);
            [read("there"), read("missing")]
        };
        // On a thread of its own, as a sync function is called.
        let answers = tokio::task::spawn_blocking(blocking).await;
        let answers = answers.unwrap_or_else(|error| panic!("`get_blocking` has panicked: {error}"));
        let [there, missing] = answers.map(|answer| answer.map(|answer| ok("get_blocking", answer)));
        if let (Some(there), Some(missing)) = (there, missing) {
            let there = there.unwrap_or_else(|| panic!("`get_blocking` does not find what was set"));
            assert!(there.remaining.is_some_and(|left| left <= LONG + Duration::from_secs(1)));
            assert_eq!(text(&there), "value");
            assert_eq!(missing, None);
        }
    });
}

/// What was announced and filled is read.
pub fn a_fill_is_read(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        tier.load(&at("1"), "first").await;
        assert_eq!(tier.read(&at("1")).await.as_deref(), Some("first"));
        tier.load(&at("1"), "second").await;
        assert_eq!(tier.read(&at("1")).await.as_deref(), Some("second"), "a fill replaces what is there");
        let large = noise(1 << 20);
        let claim = tier.claim(&at("large")).await;
        let filled = ok("fill 1 MiB", tier.fill(&at("large"), new(&large), &claim).await);
        assert_eq!(filled, Filled::Stored);
        let read = ok("get", tier.get(&at("large"), Wanted::Value).await);
        assert!(read.is_some_and(|entry| entry.value == large), "a value comes back whole");
    });
}

/// What one node has stored, the other reads and evicts.
pub fn nodes_share_entries(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let (here, there) = (subject.tier(), &*subject.peer().tier);
        for [one, other] in [[here, there], [there, here]] {
            one.load(&at("1"), "value").await;
            assert_eq!(
                other.read(&at("1")).await.as_deref(),
                Some("value"),
                "every node reads what is stored"
            );
            assert!(ok("evict", other.evict(&at("1"), None).await), "there was a live entry");
            assert_eq!(one.read(&at("1")).await, None);
            ok("set", one.set(&at("1"), new(b"value"), None).await);
            assert_eq!(ok("evict_group", other.evict_group(&group("function"), None).await), 1);
            assert_eq!(one.read(&at("1")).await, None);
        }
    });
}

/// `evict` removes one entry, and says whether there was a live one.
pub fn evict_says_whether_there_was_an_entry(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        assert!(!ok("evict", tier.evict(&at("1"), None).await), "there was nothing");
        tier.load(&at("1"), "value").await;
        tier.load(&at("2"), "value").await;
        assert!(ok("evict", tier.evict(&at("1"), None).await), "there was a live entry");
        assert!(!ok("evict", tier.evict(&at("1"), None).await), "there was one once only");
        assert_eq!(tier.read(&at("1")).await, None);
        assert!(tier.read(&at("2")).await.is_some(), "another entry was evicted, too");
        let short = New { value: b"short", ttl: Some(SHORT / 4) };
        ok("set", tier.set(&at("1"), short, None).await);
        eventually("an entry expires", async || tier.read(&at("1")).await.is_none()).await;
        assert!(!ok("evict", tier.evict(&at("1"), None).await), "there was no live entry");
    });
}

/// Entries expire, and tell how long they live if they are asked to.
pub fn entries_of_a_tier_expire(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let claim = tier.claim(&at("filled")).await;
        let short = New { value: b"short", ttl: Some(SHORT) };
        ok("fill", tier.fill(&at("filled"), short, &claim).await);
        ok("set", tier.set(&at("set"), short, None).await);
        for key in ["filled", "set"] {
            eventually("an entry expires", async || tier.read(&at(key)).await.is_none()).await;
        }
        ok("set", tier.set(&at("long"), new(b"long"), None).await);
        let left = remaining(tier, &at("long")).await;
        let is_right = left.is_some_and(|left| left <= LONG + Duration::from_secs(1) && left > LONG / 2);
        assert!(is_right, "{left:?} remain of {LONG:?}");
        for ttl in [None, Some(Duration::MAX)] {
            ok("set", tier.set(&at("never"), New { value: b"never", ttl }, None).await);
            let left = remaining(tier, &at("never")).await;
            let month = Duration::from_secs(29 * 24 * 3600);
            assert!(left.is_none_or(|left| left > month), "a lifetime of {ttl:?} has become {left:?}");
        }
        assert_eq!(ok("count", tier.count(None).await), 2, "what has expired is not counted");
    });
}

/// `set_ttl` gives a live entry another lifetime, and keeps its value and its groups.
pub fn a_lifetime_can_be_changed(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        assert!(!ok("set_ttl", tier.set_ttl(&at("1"), Some(LONG)).await), "there was no entry");
        assert_eq!(tier.read(&at("1")).await, None);

        let brief = SHORT * 4;
        for (key, ttl) in [("longer", Some(LONG)), ("for ever", None)] {
            loop {
                let begun = Instant::now();
                ok("set", tier.set(&at(key), New { value: b"value", ttl: Some(brief) }, None).await);
                if ok("set_ttl", tier.set_ttl(&at(key), ttl).await) {
                    break;
                }
                assert!(begun.elapsed() >= brief, "there was a live entry");
            }
        }
        tier.load(&at("shorter"), "value").await;
        assert!(ok("set_ttl", tier.set_ttl(&at("shorter"), Some(SHORT)).await));
        eventually("a shorter lifetime ends", async || tier.read(&at("shorter")).await.is_none()).await;
        assert!(!ok("set_ttl", tier.set_ttl(&at("shorter"), Some(LONG)).await), "it is over");
        assert_eq!(tier.read(&at("shorter")).await, None, "what is over does not come back");

        tokio::time::sleep(brief).await;
        for key in ["longer", "for ever"] {
            assert_eq!(tier.read(&at(key)).await.as_deref(), Some("value"), "the lifetime of {key:?}");
        }
        let evicted = ok("evict_group", tier.evict_group(&group("function"), None).await);
        assert_eq!(evicted, 2, "an entry lies in its groups for as long as it lives");
    });
}

/// `clear` evicts everything in the namespace, counts it, and leaves other namespaces alone.
pub fn hazard_8_a_tier_clears_its_own_namespace(fresh: impl AsyncFn() -> Subject) {
    check_two(fresh, async |one, other| {
        let (one, other) = (one.tier(), other.tier());
        assert_eq!(ok("clear", one.clear(None).await), 0, "there was nothing");
        for tier in [one, other] {
            for key in ["1", "2", "3"] {
                tier.load(&at(key), "value").await;
            }
        }
        ok("evict", one.evict(&at("3"), None).await);
        assert_eq!(ok("clear", one.clear(None).await), 2, "how many live entries were evicted");
        assert_eq!(ok("count", one.count(None).await), 0);
        assert_eq!(one.read(&at("1")).await, None);
        assert_eq!(ok("count", other.count(None).await), 3, "`clear` has evicted what is not its own");
        one.load(&at("1"), "again").await;
        assert_eq!(ok("evict_group", other.evict_group(&group("function"), None).await), 3);
        assert_eq!(
            one.read(&at("1")).await.as_deref(),
            Some("again"),
            "a group of another namespace was evicted"
        );
    });
}

/// The operations of a tier work on any executor, without a tokio runtime around them.
pub fn hazard_24_a_tier_works_on_any_executor(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = Arc::clone(&subject.node().tier);
        elsewhere(async move {
            tier.load(&at("1"), "value").await;
            assert_eq!(tier.read(&at("1")).await.as_deref(), Some("value"));
            ok("set", tier.set(&at("2"), new(b"value"), None).await);
            assert_eq!(ok("get_many", tier.get_many(&[at("1"), at("2")], Wanted::Value).await).len(), 2);
            ok("set_ttl", tier.set_ttl(&at("2"), Some(LONG)).await);
            assert_eq!(ok("count", tier.count(Some(&group("function"))).await), 2);
            ok("evict", tier.evict(&at("2"), None).await);
            let claim = tier.claim(&at("2")).await;
            ok("abandon", tier.abandon(&at("2"), &claim).await);
            assert_eq!(ok("evict_group", tier.evict_group(&scope("tenant"), None).await), 1);
            ok("clear", tier.clear(None).await);
        })
        .await;
    });
}

/// `capabilities` and what there is agree: there is a subscription exactly if there is a bus.
pub fn a_bus_is_there_if_it_is_announced(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let announced = subject.tier().capabilities().bus;
        let subscription = Arc::clone(&subject.node().tier).subscribe();
        assert_eq!(subscription.is_some(), announced, "`capabilities().bus` and `subscribe` disagree");
        assert_eq!(subject.tier().name(), subject.backend().name(), "one kind of storage has one name");
    });
}
