//! Keys as a store or a rule may hand them back: whatever the bytes are, they are a key or none.

#![no_main]

use cacheado::Key;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(key) = Key::from_bytes(bytes) {
        assert_eq!(key.as_bytes(), bytes);
        let _ = (key.scope().to_string(), key.function(), key.version(), key.args());
        let _ = (key.to_string(), format!("{key:?}"));
    }
});
