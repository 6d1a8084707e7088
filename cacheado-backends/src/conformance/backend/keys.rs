//! Keys: any text, and `keys(prefix)`.

use std::collections::BTreeSet;

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, check, ok};
use crate::contract::DynBackend;

/// Keys that something between here and the disk may take for something else.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    "a\nb",
    "\0",
    "a\0b",
    "\u{1b}[31m",
    "\u{7f}",
    "/",
    "//",
    "/etc/passwd",
    ".",
    "..",
    "../..",
    "../up",
    "a/../b",
    "C:\\con",
    "con",
    "nul.txt",
    "*",
    "?",
    "[a-z]",
    "[",
    "{a,b}",
    "{tag}",
    "%",
    "%00",
    "%2e%2e",
    "_",
    "a%b_c",
    "$where",
    "$1",
    "a.b",
    "a:b",
    "a::b",
    ":",
    "-1",
    "--flag",
    "0",
    "true",
    "null",
    "'; drop table cache; --",
    "\"quoted\"",
    "\\",
    "`tick`",
    "a;b|c&d",
    "<tag>",
    "é",
    "e\u{301}",
    "ß",
    "ẞ",
    "İ",
    "日本語",
    "مرحبا",
    "\u{202e}reversed",
    "\u{200b}",
    "\u{feff}bom",
    "👩‍👩‍👧",
    "💥",
    "\u{10ffff}",
    "trailing ",
    " leading",
    "trailing.",
    "UPPER",
    "upper",
    "Upper",
];

async fn listed(backend: &dyn DynBackend, prefix: &str) -> Vec<String> {
    let mut keys = ok("keys", backend.keys(prefix).await);
    keys.sort();
    keys
}

/// Any text is a key, and different texts are different keys: with other case, other spaces, other forms of
/// the same letter, too.
pub fn hazard_8_any_text_is_a_key(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for key in HOSTILE {
            ok(&format!("put {key:?}"), backend.put(key, format!("of {key}").as_bytes(), Some(LONG)).await);
        }
        let many = ok("get_many", backend.get_many(HOSTILE).await);
        for (key, batched) in HOSTILE.iter().zip(many) {
            let one = ok(&format!("get {key:?}"), backend.get(key).await);
            for entry in [one, batched] {
                let read = entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
                assert_eq!(read, Some(format!("of {key}")), "the value of the key {key:?}");
            }
        }
        let expected: Vec<_> =
            HOSTILE.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(listed(backend, "").await, expected, "`keys` returns the keys as they were put");
        for (number, key) in HOSTILE.iter().enumerate() {
            assert!(ok("remove", backend.remove(key).await), "there was an entry of {key:?}");
            let left = listed(backend, "").await.len();
            assert_eq!(left, HOSTILE.len() - number - 1, "removing {key:?} removes one entry");
        }
    });
}

/// A key may have 1,024 bytes, and is compared to the last of them.
pub fn a_key_may_have_1024_bytes(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let long = [
            "x".repeat(1_023) + "1",
            "x".repeat(1_023) + "2",
            "x".repeat(1_023),
            "é".repeat(512),
            "💥".repeat(256),
        ];
        for (number, key) in long.iter().enumerate() {
            ok("put", backend.put(key, number.to_string().as_bytes(), Some(LONG)).await);
        }
        for (number, key) in long.iter().enumerate() {
            let read = ok("get", backend.get(key).await).map(|entry| entry.value);
            assert_eq!(
                read,
                Some(number.to_string().into_bytes()),
                "long keys are compared to the last byte"
            );
        }
        let expected: Vec<_> = long.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(listed(backend, "").await, expected);
        assert_eq!(listed(backend, &long[2]).await, [long[2].clone(), long[0].clone(), long[1].clone()]);
        assert_eq!(listed(backend, &long[0]).await, [long[0].clone()]);
    });
}

/// `keys` lists the keys that begin with the prefix, and no other; all of them, if it is empty.
pub fn keys_begin_with_their_prefix(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        assert!(listed(backend, "").await.is_empty());
        let keys = ["a", "a:", "a:1", "a:2", "ab", "b", "ba:1", "é", "e"];
        for key in keys {
            ok("put", backend.put(key, b"value", Some(LONG)).await);
        }
        assert_eq!(listed(backend, "a:").await, ["a:", "a:1", "a:2"]);
        assert_eq!(listed(backend, "a").await, ["a", "a:", "a:1", "a:2", "ab"]);
        assert_eq!(listed(backend, "a:1").await, ["a:1"]);
        assert_eq!(listed(backend, "a:11").await, [""; 0]);
        assert_eq!(listed(backend, "A").await, [""; 0], "letters of other case are other letters");
        assert_eq!(listed(backend, "é").await, ["é"]);
        assert_eq!(listed(backend, "").await.len(), keys.len());
    });
}

/// A prefix is text, not a pattern: each of these stands for itself.
pub fn hazard_8_a_prefix_is_no_pattern(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        let prefixes = [
            "*", "?", "[abc]", "[^a]", "{a,b}", "%", "_", ".", ".*", "..", "^", "$", "\\", "\\a", "(", "a|b",
            "+", "/", "../", "a\0", "\n", " ", "'", "\"",
        ];
        for key in ["abc", "a", "b", "c", "ab"] {
            ok("put", backend.put(key, b"value", Some(LONG)).await);
        }
        for prefix in prefixes {
            assert_eq!(listed(backend, prefix).await, [""; 0], "no key begins with {prefix:?}");
        }
        for prefix in prefixes {
            ok("put", backend.put(&format!("{prefix}|of its own"), b"value", Some(LONG)).await);
        }
        for prefix in prefixes {
            let key = format!("{prefix}|of its own");
            assert_eq!(listed(backend, &format!("{prefix}|")).await, [key], "one key begins with {prefix:?}");
        }
    });
}

/// A listing is whole, however many keys there are beside and among what it lists, and names no key twice.
pub fn a_listing_is_whole(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let backend = subject.backend();
        for number in 0..600 {
            ok("put", backend.put(&format!("wanted:{number:04}"), b"value", Some(LONG)).await);
            ok("put", backend.put(&format!("other:{number:04}"), b"value", Some(LONG)).await);
        }
        let expected: Vec<_> = (0..600).map(|number| format!("wanted:{number:04}")).collect();
        assert_eq!(listed(backend, "wanted:").await, expected);
    });
}
