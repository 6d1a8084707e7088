//! `get_many`.

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, ok};
use crate::contract::DynBackend;

/// The values of a batch, as text.
async fn values(backend: &dyn DynBackend, keys: &[&str]) -> Vec<Option<String>> {
    let entries = ok("get_many", backend.get_many(keys).await);
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    entries.into_iter().map(|entry| entry.map(|entry| text(entry.value))).collect()
}

/// A batch answers in the order of its keys: once for each, also where a key stands twice or has no entry.
pub fn a_batch_keeps_its_order(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for key in ["a", "b", "c"] {
            ok("put", backend.put(key, key.as_bytes(), Some(LONG)).await);
        }
        let keys = ["c", "missing", "a", "b", "a", "missing", "c"];
        let expected = keys.map(|key| (key != "missing").then(|| key.to_owned()));
        assert_eq!(values(backend, &keys).await, expected, "an answer for each key, in their order");
        assert_eq!(values(backend, &["missing"]).await, [None]);
    });
}

/// A batch without a key is no error.
pub fn a_batch_may_be_empty(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        assert!(values(subject.backend(), &[]).await.is_empty());
    });
}

/// A batch may have a thousand keys.
pub fn a_batch_may_have_a_thousand_keys(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let keys: Vec<_> = (0..1_000).map(|number| format!("key-{number}")).collect();
        for key in keys.iter().step_by(3) {
            ok("put", backend.put(key, key.as_bytes(), Some(LONG)).await);
        }
        let asked: Vec<_> = keys.iter().map(String::as_str).collect();
        let read = values(backend, &asked).await;
        assert_eq!(read.len(), 1_000, "an answer for each key");
        for (number, (value, key)) in read.into_iter().zip(&keys).enumerate() {
            assert_eq!(value.as_ref(), (number % 3 == 0).then_some(key), "the answer to key {number}");
        }
    });
}
