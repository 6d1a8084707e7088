//! Operations at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, join, ok};

/// A value is seen whole or not at all, never mixed from two writes.
pub fn a_value_is_seen_whole(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let nodes = subject.nodes();
        let is_over = Arc::new(AtomicBool::new(false));
        let write = |number: usize| {
            let node = nodes[number % nodes.len()].clone();
            tokio::spawn(async move {
                // Each letter has a length of its own, too.
                let letter = b'a' + u8::try_from(number).unwrap_or_default();
                let value = vec![letter; 40_000 + 5_000 * number];
                for _ in 0..30 {
                    ok("put", node.backend.put("key", &value, Some(LONG)).await);
                }
            })
        };
        let read = |number: usize| {
            let (node, is_over) = (nodes[number % nodes.len()].clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let Some(entry) = ok("get", node.backend.get("key").await) else { continue };
                    let letter = entry.value.first().copied().unwrap_or_default();
                    assert!(entry.value.iter().all(|byte| *byte == letter), "a value of two writes");
                    let expected = 40_000 + 5_000 * usize::from(letter.saturating_sub(b'a'));
                    assert_eq!(entry.value.len(), expected, "a value of the length of another");
                    tokio::task::yield_now().await;
                }
            })
        };
        let (writers, readers) =
            ((0..4).map(write).collect::<Vec<_>>(), (0..3).map(read).collect::<Vec<_>>());
        for writer in writers {
            join(writer).await;
        }
        is_over.store(true, Ordering::SeqCst);
        for reader in readers {
            join(reader).await;
        }
    });
}

/// Writes at the same time under different keys are all kept.
pub fn parallel_puts_are_all_kept(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let nodes = subject.nodes();
        let write = |number: usize| {
            let node = nodes[number % nodes.len()].clone();
            tokio::spawn(async move {
                for item in 0..25 {
                    let key = format!("{number}-{item}");
                    ok("put", node.backend.put(&key, key.as_bytes(), Some(LONG)).await);
                }
            })
        };
        for writer in (0..8).map(write).collect::<Vec<_>>() {
            join(writer).await;
        }
        let keys = ok("keys", subject.backend().keys("").await);
        assert_eq!(keys.len(), 200, "entries were lost, or are there twice");
        for key in keys {
            let entry = ok("get", subject.backend().get(&key).await);
            assert_eq!(entry.map(|entry| entry.value), Some(key.into_bytes()));
        }
    });
}

/// Of removals of one entry at the same time, one finds it.
pub fn of_parallel_removals_one_finds_the_entry(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let nodes = subject.nodes();
        for round in 0..20 {
            ok("put", subject.backend().put("key", b"value", Some(LONG)).await);
            let remove = |number: usize| {
                let node = nodes[number % nodes.len()].clone();
                tokio::spawn(async move { ok("remove", node.backend.remove("key").await) })
            };
            let mut found = 0;
            for removal in (0..6).map(remove).collect::<Vec<_>>() {
                found += usize::from(join(removal).await);
            }
            assert_eq!(found, 1, "round {round}: how many of six removals found the one entry");
        }
    });
}
