//! Values, and what becomes of them.

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, noise, ok};
use crate::contract::{BackendStats, DynBackend};

/// What `get` returns, without the lifetime.
async fn value(backend: &dyn DynBackend, key: &str) -> Option<Vec<u8>> {
    ok("get", backend.get(key).await).map(|entry| entry.value)
}

/// `get` returns what `put` has stored, and nothing of what lies under other keys.
pub fn a_value_comes_back(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        ok("put", backend.put("one", b"1", None).await);
        ok("put", backend.put("two", b"2", Some(LONG)).await);
        assert_eq!(value(backend, "one").await.as_deref(), Some(&b"1"[..]));
        assert_eq!(value(backend, "two").await.as_deref(), Some(&b"2"[..]));
        assert!(!backend.name().is_empty(), "a backend has a name, for statistics");
    });
}

/// What was never put is `None`, not an error and not an empty value.
pub fn what_is_not_there_is_none(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        assert_eq!(value(subject.backend(), "nothing").await, None);
    });
}

/// An empty value is a value: `get` returns it, not `None`.
pub fn an_empty_value_is_a_value(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        ok("put", backend.put("empty", b"", Some(LONG)).await);
        assert_eq!(value(backend, "empty").await.as_deref(), Some(&b""[..]), "an empty value is a value");
        let many = ok("get_many", backend.get_many(&["empty"]).await);
        assert!(many[0].is_some(), "an empty value is a value in a batch, too");
        assert_eq!(ok("keys", backend.keys("").await), ["empty"]);
        assert!(ok("remove", backend.remove("empty").await), "there was an entry, if an empty one");
    });
}

/// A value is bytes: all 256 of them, in any order, text or not.
pub fn every_byte_comes_back(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let odd: [&[u8]; 7] =
            [&all, b"\0", b"\r\n$-1\r\n", b"{\"json\": 1}", &[0xff, 0xfe], b"  spaces\t\n", b"\x1bescape"];
        for (number, bytes) in odd.iter().enumerate() {
            let key = format!("bytes-{number}");
            ok("put", backend.put(&key, bytes, None).await);
            assert_eq!(value(backend, &key).await.as_deref(), Some(*bytes), "a value is stored as it is");
        }
    });
}

/// A value of one MiB comes back whole.
pub fn a_large_value_comes_back_whole(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let large = noise(1 << 20);
        ok("put 1 MiB", backend.put("large", &large, Some(LONG)).await);
        let read = value(backend, "large").await.unwrap_or_default();
        assert_eq!(read.len(), large.len(), "the length of what was stored");
        assert!(read == large, "other bytes than those that were stored");
    });
}

/// A `put` replaces a value that is there, by a shorter one, a longer one and an empty one.
pub fn a_put_replaces_the_value(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for bytes in [&b"a long first value"[..], b"short", b"a longer one than the one before", b"", b"end"]
        {
            ok("put", backend.put("key", bytes, Some(LONG)).await);
            assert_eq!(value(backend, "key").await.as_deref(), Some(bytes), "the value that was put last");
        }
        assert_eq!(ok("keys", backend.keys("").await), ["key"], "one key is one entry");
    });
}

/// `remove` removes one entry, and says whether there was a live one.
pub fn remove_says_whether_there_was_an_entry(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        assert!(!ok("remove", backend.remove("key").await), "there was nothing");
        ok("put", backend.put("key", b"value", Some(LONG)).await);
        ok("put", backend.put("other", b"other", Some(LONG)).await);
        assert!(ok("remove", backend.remove("key").await), "there was a live entry");
        assert_eq!(value(backend, "key").await, None, "what was removed is not read");
        assert!(!ok("remove", backend.remove("key").await), "there was one once only");
        assert!(value(backend, "other").await.is_some(), "another entry was removed, too");
        ok("put", backend.put("key", b"again", Some(LONG)).await);
        assert_eq!(value(backend, "key").await.as_deref(), Some(&b"again"[..]), "a key can be used again");
    });
}

/// `clear` removes all entries of the namespace and counts them; afterwards it works as before.
pub fn clear_removes_and_counts(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        assert_eq!(ok("clear", backend.clear().await), 0, "there was nothing");
        for key in ["a", "b", "/", "*"] {
            ok("put", backend.put(key, b"value", Some(LONG)).await);
        }
        assert_eq!(ok("clear", backend.clear().await), 4, "how many live entries were removed");
        assert!(ok("keys", backend.keys("").await).is_empty(), "nothing is left");
        ok("put", backend.put("a", b"again", None).await);
        assert_eq!(value(backend, "a").await.as_deref(), Some(&b"again"[..]));
    });
}

/// `stats` counts the live entries.
pub fn stats_count_entries(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let stored = async || ok("stats", backend.stats().await);
        assert_eq!(stored().await, BackendStats::new(0));
        for key in ["a", "b", "c", "c"] {
            ok("put", backend.put(key, b"value", Some(LONG)).await);
        }
        assert_eq!(stored().await, BackendStats::new(3), "an entry that is overwritten is one entry");
        ok("remove", backend.remove("a").await);
        assert_eq!(stored().await, BackendStats::new(2));
    });
}
