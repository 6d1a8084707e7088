//! What is too large, and what is given up.

use crate::ErrorKind;
use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, drop_after, eventually, noise, ok};

/// A value that is too large is an error of the kind [`TooLarge`](ErrorKind::TooLarge), and any other is
/// stored whole: none is cut short. Afterwards everything works.
pub fn a_value_is_stored_whole_or_refused(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        // More than MongoDB's largest document.
        let large = noise(17 << 20);
        ok("put", backend.put("key", b"small", Some(LONG)).await);
        let result = backend.put("key", &large, Some(LONG)).await;
        let entry = ok("get", backend.get("key").await);
        match (result, entry) {
            (Ok(()), Some(entry)) => {
                assert!(entry.value == large, "a large value was stored, but not as it is");
            }
            (Ok(()), None) => panic!("`put` of a large value returned, and it is not there"),
            (Err(error), entry) => {
                assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
                let small = entry.is_none_or(|entry| entry.value == b"small");
                assert!(small, "what was refused must not be stored, in part or as a whole");
            }
        }
        ok("put", backend.put("key", b"small again", Some(LONG)).await);
        let entry = ok("get", backend.get("key").await);
        assert_eq!(entry.map(|entry| entry.value).as_deref(), Some(&b"small again"[..]));
    });
}

/// A future that is dropped has done its operation or has not, and nothing half done. Afterwards everything
/// works.
pub fn hazard_19_a_dropped_operation_is_done_or_not(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let (old, new) = (vec![b'o'; 30_000], vec![b'n'; 50_000]);
        for polls in (0..12).chain([20, 40]) {
            // What was given up may be done later, so that each has a key of its own.
            let key = format!("put-{polls}");
            ok("put", backend.put(&key, &old, None).await);
            let done = drop_after(polls, backend.put(&key, &new, Some(LONG))).await.is_some();
            let entry = ok("get", backend.get(&key).await);
            let entry = entry.unwrap_or_else(|| panic!("a `put` that was dropped has removed the old value"));
            assert!(entry.value == new || (!done && entry.value == old), "neither the old value nor the new");
            assert_eq!(entry.value == new, entry.remaining.is_some(), "a value with the lifetime of another");

            let key = format!("remove-{polls}");
            ok("put", backend.put(&key, &old, None).await);
            let done = drop_after(polls, backend.remove(&key)).await.is_some();
            let entry = ok("get", backend.get(&key).await);
            assert!(!done || entry.is_none(), "`remove` returned, and the entry is there");
            assert!(entry.is_none_or(|entry| entry.value == old), "half an entry was removed");

            drop(drop_after(polls, backend.get(&key)).await);
            drop(drop_after(polls, backend.get_many(&[&key, "other"])).await);
            drop(drop_after(polls, backend.keys("put-")).await);
            drop(drop_after(polls, backend.stats()).await);
        }
        for polls in 0..5 {
            drop(drop_after(polls, backend.clear()).await);
        }
        eventually("it works as before", async || {
            ok("put", backend.put("end", b"value", Some(LONG)).await);
            ok("get", backend.get("end").await).is_some_and(|entry| entry.value == b"value")
        })
        .await;
    });
}
