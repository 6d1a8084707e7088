//! Two namespaces, and two nodes of one.

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, check_two, ok};
use crate::contract::DynBackend;

async fn value(backend: &dyn DynBackend, key: &str) -> Option<Vec<u8>> {
    ok("get", backend.get(key).await).map(|entry| entry.value)
}

/// What one namespace holds, another does not see: by no key, batch, listing, removal or count.
pub fn namespaces_do_not_see_each_other(fresh: impl AsyncFn() -> Subject) {
    check_two(fresh, async |one, other| {
        let (one, other) = (one.backend(), other.backend());
        ok("put", one.put("key", b"one", Some(LONG)).await);
        assert_eq!(value(other, "key").await, None, "a key of another namespace is read");
        assert_eq!(ok("get_many", other.get_many(&["key"]).await), [None]);
        assert_eq!(ok("keys", other.keys("").await), [""; 0], "a key of another namespace is listed");
        assert!(!ok("remove", other.remove("key").await), "a key of another namespace is removed");
        assert_eq!(ok("stats", other.stats().await).entries, 0, "entries of another namespace are counted");
        ok("put", other.put("key", b"other", Some(LONG)).await);
        assert_eq!(value(one, "key").await.as_deref(), Some(&b"one"[..]), "a namespace was overwritten");
    });
}

/// `clear` touches nothing but its own namespace.
pub fn hazard_8_clear_leaves_other_namespaces_alone(fresh: impl AsyncFn() -> Subject) {
    check_two(fresh, async |one, other| {
        let (one, other) = (one.backend(), other.backend());
        for backend in [one, other] {
            for key in ["key", "*", ""] {
                ok("put", backend.put(key, b"value", Some(LONG)).await);
            }
        }
        assert_eq!(ok("clear", one.clear().await), 3);
        assert_eq!(ok("keys", one.keys("").await), [""; 0]);
        assert_eq!(ok("keys", other.keys("").await).len(), 3, "`clear` has removed what is not its own");
    });
}

/// What an operation has done when it returns, every other node of the namespace sees.
pub fn a_second_node_sees_what_the_first_has_done(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let (here, there) = (subject.backend(), &*subject.peer().backend);
        for [one, other] in [[here, there], [there, here]] {
            for round in 0..20 {
                let bytes = format!("value {round}");
                ok("put", one.put("key", bytes.as_bytes(), Some(LONG)).await);
                assert_eq!(
                    value(other, "key").await,
                    Some(bytes.into_bytes()),
                    "every node reads what was put"
                );
            }
            assert_eq!(ok("keys", other.keys("k").await), ["key"]);
            assert!(ok("remove", one.remove("key").await));
            assert_eq!(value(other, "key").await, None, "no node reads what was removed");
            ok("put", one.put("key", b"value", None).await);
            assert_eq!(ok("clear", other.clear().await), 1, "a node clears what another has put");
            assert_eq!(value(one, "key").await, None);
        }
    });
}
