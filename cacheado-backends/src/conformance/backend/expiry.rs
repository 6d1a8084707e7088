//! Lifetimes.

use std::time::{Duration, Instant};

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, SOON, check, eventually, ok};
use crate::contract::DynBackend;

/// Long enough to be seen, short enough to wait for.
const SHORT: Duration = Duration::from_millis(120);

/// What every backend has to be able to keep.
const A_MONTH: Duration = Duration::from_secs(29 * 24 * 3600);

async fn is_there(backend: &dyn DynBackend, key: &str) -> bool {
    ok("get", backend.get(key).await).is_some()
}

async fn is_over(backend: &dyn DynBackend, key: &str) {
    eventually("an entry whose lifetime is over is gone", async || !is_there(backend, key).await).await;
}

/// An entry is there until its lifetime is over, and never again after that.
pub fn hazard_10_an_entry_expires(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let begun = Instant::now();
        ok("put", backend.put("short", b"value", Some(SHORT)).await);
        let was_there = is_there(backend, "short").await;
        // On a machine that stood still meanwhile, nothing is known.
        assert!(was_there || begun.elapsed() >= SHORT, "an entry was gone before its lifetime was over");
        is_over(backend, "short").await;
        assert!(begun.elapsed() >= SHORT, "an entry was gone before its lifetime was over");
        for _ in 0..5 {
            assert!(!is_there(backend, "short").await, "what has expired is never returned again");
        }
    });
}

/// A lifetime below the resolution of the backend is rounded up: not to zero, which would be an error or the
/// end, and not to for ever.
pub fn hazard_12_a_tiny_lifetime_is_rounded_up(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let tiny = [1, 999, 1_000, 999_999, 1_000_000, 1_000_001].map(Duration::from_nanos);
        for ttl in tiny {
            ok(&format!("put with a ttl of {ttl:?}"), backend.put("tiny", b"value", Some(ttl)).await);
            is_over(backend, "tiny").await;
        }
    });
}

/// Lifetimes that end after the world does are for ever, or as long as the backend can.
pub fn hazard_12_a_huge_lifetime_does_not_overflow(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        // Some are small again where they are cut to 32 bits, or negative in 64.
        let whole = (1 << 32) + 1;
        let huge = [
            Duration::from_millis(whole),
            Duration::from_secs(whole),
            Duration::from_secs(100 * 365 * 24 * 3600),
            Duration::from_millis(i64::MAX.unsigned_abs()),
            Duration::from_secs(u64::MAX),
            Duration::MAX,
        ];
        for ttl in huge {
            ok(&format!("put with a ttl of {ttl:?}"), backend.put("huge", b"value", Some(ttl)).await);
            let entry = ok("get", backend.get("huge").await);
            let entry = entry.unwrap_or_else(|| panic!("a lifetime of {ttl:?} was over at once"));
            assert!(
                entry.remaining.is_none_or(|left| left > A_MONTH),
                "a lifetime of {ttl:?} has become {:?}",
                entry.remaining
            );
        }
    });
}

/// `get` and `get_many` tell how long an entry still lives, and `None` if it does so for ever.
pub fn the_remaining_lifetime_is_told(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        ok("put", backend.put("long", b"value", Some(LONG)).await);
        ok("put", backend.put("for ever", b"value", None).await);
        let many = ok("get_many", backend.get_many(&["long", "for ever"]).await);
        let one = [ok("get", backend.get("long").await), ok("get", backend.get("for ever").await)];
        for [long, never] in [[&many[0], &many[1]], [&one[0], &one[1]]] {
            let left = long.as_ref().and_then(|entry| entry.remaining);
            let is_right = left.is_some_and(|left| left <= LONG + Duration::from_secs(1) && left > LONG / 2);
            assert!(is_right, "{left:?} remain of {LONG:?}");
            assert_eq!(never.as_ref().map(|entry| entry.remaining), Some(None), "there is no end to tell");
        }
    });
}

/// A `put` replaces the lifetime together with the value: a longer one by a shorter one, a shorter one by
/// none, and none by a shorter one.
pub fn hazard_27_a_put_replaces_the_lifetime(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for key in ["kept", "kept for long"] {
            ok("put", backend.put(key, b"first", Some(SHORT)).await);
        }
        ok("put", backend.put("kept", b"second", None).await);
        ok("put", backend.put("kept for long", b"second", Some(LONG)).await);
        for (key, ttl) in [("ended", None), ("ended soon", Some(LONG))] {
            ok("put", backend.put(key, b"first", ttl).await);
            ok("put", backend.put(key, b"second", Some(SHORT)).await);
        }
        is_over(backend, "ended").await;
        is_over(backend, "ended soon").await;
        for key in ["kept", "kept for long"] {
            assert!(
                is_there(backend, key).await,
                "the lifetime of an overwritten value has ended the new one"
            );
        }
    });
}

/// An entry whose lifetime is over is in no batch, listing or count, cannot be removed, and can be put again.
pub fn hazard_10_what_has_expired_is_nowhere(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        ok("put", backend.put("live", b"value", Some(LONG)).await);
        for key in ["over-1", "over-2", "over-3"] {
            ok("put", backend.put(key, b"value", Some(SHORT / 4)).await);
        }
        for key in ["over-1", "over-2", "over-3"] {
            is_over(backend, key).await;
        }
        let many = ok("get_many", backend.get_many(&["over-1", "live", "over-2"]).await);
        let there: Vec<_> = many.iter().map(Option::is_some).collect();
        assert_eq!(there, [false, true, false], "`get_many` returns what has expired");
        assert_eq!(ok("keys", backend.keys("").await), ["live"], "`keys` lists live entries");
        assert!(!ok("remove", backend.remove("over-1").await), "there was no live entry to remove");
        ok("put", backend.put("over-2", b"again", Some(LONG)).await);
        assert!(is_there(backend, "over-2").await, "a key whose entry has expired can be used again");
        assert_eq!(ok("clear", backend.clear().await), 2, "`clear` counts live entries");
    });
}

/// Expiry needs no reader: what nobody asks for goes, too, and is not counted for ever.
pub fn what_has_expired_leaves_the_listing_by_itself(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for number in 0..20 {
            ok("put", backend.put(&format!("over-{number}"), b"value", Some(SHORT / 4)).await);
        }
        let begun = Instant::now();
        while !ok("keys", backend.keys("over-").await).is_empty() {
            assert!(begun.elapsed() < SOON, "expired entries are still listed after {SOON:?}");
            tokio::time::sleep(SHORT / 10).await;
        }
    });
}
