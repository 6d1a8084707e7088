//! The exact bytes of envelopes. They are the same on every machine and in every release of this format: a
//! change here makes a miss of every entry that is stored, and needs another `FORMAT`.

use std::fmt::Debug;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{HEADER, profile};
use crate::codec::{Codec, Envelope, Header, Limits};
use crate::function::Held;

/// The bytes in a golden file: hexadecimal digits, and comments that begin with `#`.
fn golden(file: &str) -> Vec<u8> {
    let lines = file.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: Vec<u8> =
        lines.flat_map(str::chars).filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[track_caller]
fn check<V: Debug>(file: &str, envelope: &Envelope<V>, header: Header, value: &V) {
    let golden = golden(file);
    let mut written = Vec::new();
    envelope.write(header, value, &mut written).unwrap();
    let text = written.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x} "));
    assert_eq!(written, golden, "today's writer gives\n{text}");
    let (read, opened) = envelope.open(&golden).unwrap();
    assert_eq!(read, header);
    assert_eq!(format!("{opened:?}"), format!("{value:?}"));
}

/// A codec whose type has a name that does not follow this file around.
fn named<V: Serialize + Deserialize<'static>>(type_name: &'static str) -> Codec<V> {
    Codec { type_name, ..Codec::serde() }
}

#[test]
fn a_struct_with_one_of_each() {
    let envelope = Envelope::new(named("app::Profile"), 2, Limits::default());
    check(include_str!("../golden/format-1-struct.hex"), &envelope, HEADER, &profile());
}

#[test]
fn numbers_of_128_bits_may_stand_there_as_plain_bytes() {
    let envelope = Envelope::new(named("app::Profile"), 2, Limits::default());
    let opened = envelope.open(&golden(include_str!("../golden/format-1-struct-bytes.hex")));
    assert_eq!(opened, Ok((HEADER, profile())));
}

#[test]
fn nothing_for_ever() {
    let header = Header { lifetime: None, took: Duration::ZERO, grace: Duration::ZERO };
    let envelope = Envelope::new(named("()"), 0, Limits::default());
    check(include_str!("../golden/format-1-unit.hex"), &envelope, header, &());
}

#[test]
fn an_error_that_is_stored_too() {
    let name = "core::result::Result<core::option::Option<u32>, alloc::string::String>";
    let envelope = Envelope::new(named(name), u32::MAX, Limits::default());
    let header = Header {
        lifetime: Some(Duration::from_millis(1)),
        took: Duration::from_secs(2),
        grace: Duration::ZERO,
    };
    let error: Result<Option<u32>, String> = Err("no such user".to_owned());
    check(include_str!("../golden/format-1-error.hex"), &envelope, header, &error);
}

#[test]
fn a_key_of_ones_own() {
    let text = "Ada".to_owned();
    let header =
        Header { lifetime: Some(Duration::from_secs(60)), took: Duration::ZERO, grace: Duration::ZERO };
    let whole = Envelope::new(Codec::dynamic::<String>(), 0, Limits::default());
    let file = include_str!("../golden/format-1-dynamic.hex");
    let (read, opened) = whole.open(&golden(file)).unwrap();
    assert_eq!((read, opened.get::<String>()), (header, Some(&text)));
    let mut written = Vec::new();
    whole.write(header, &Held::new(text.clone()), &mut written).unwrap();
    assert_eq!(written, golden(file));
    // The same value of a function is in the same bytes.
    check(file, &Envelope::new(Codec::serde(), 0, Limits::default()), header, &text);
}
