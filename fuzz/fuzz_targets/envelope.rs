//! Envelopes, and payloads in a right one: whatever the bytes are, they are a value or a miss.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cacheado::__private::fuzz::envelope(bytes));
