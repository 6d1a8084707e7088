//! Bytes are read back into the very same calls, and hostile ones are refused without a panic.

use proptest::prelude::*;

use super::model::{model, run};
use crate::key::replay::{is_run, replay, split_value};
use crate::key::{KeyBytes, KeyPart, encode};

fn again(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = KeyBytes::new();
    replay(bytes, &mut copy)?;
    Some(copy.into_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_encoded_replays_to_the_same_bytes(parts in run(), value in model()) {
        let bytes: Vec<u8> = parts.iter().chain([&value]).flat_map(encode).collect();
        prop_assert_eq!(again(&bytes), Some(bytes.clone()));
        prop_assert!(is_run(&bytes));
    }

    #[test]
    fn the_first_value_is_split_off(value in model(), rest: Vec<u8>) {
        let first = encode(&value);
        let bytes = [&first[..], &rest].concat();
        prop_assert_eq!(split_value(&bytes), Some((&first[..], &rest[..])));
    }

    #[test]
    fn a_value_that_is_cut_short_is_refused(value in model(), cut: prop::sample::Index) {
        let bytes = encode(&value);
        let at = cut.index(bytes.len());
        prop_assert_eq!(split_value(&bytes[..at]), None);
    }

    #[test]
    fn hazard_30_hostile_bytes_replay_to_themselves_or_not_at_all(bytes: Vec<u8>) {
        prop_assert!(again(&bytes).is_none_or(|copy| copy == bytes));
    }

    #[test]
    fn hazard_30_damaged_bytes_replay_to_themselves_or_not_at_all(
        value in model(), at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = encode(&value);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert!(again(&bytes).is_none_or(|copy| copy == bytes));
    }
}

#[test]
fn hazard_30_deep_nesting_needs_no_stack() {
    let mut bytes = vec![0x02; 1_000_000];
    assert!(!is_run(&bytes), "the innermost value is missing");
    bytes.push(0x00);
    assert!(is_run(&bytes));
    assert_eq!(again(&bytes), Some(bytes.clone()));
}

#[test]
fn hazard_30_hostile_lengths_are_refused() {
    for tag in [0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11] {
        let mut bytes = vec![tag];
        bytes.extend([0xFF; 8]);
        assert_eq!(split_value(&bytes), None, "{tag:#x}");
        bytes.extend([0x00; 64]);
        assert_eq!(split_value(&bytes), None, "{tag:#x}");
    }
}

#[test]
fn what_no_encoder_writes_is_refused() {
    let long_form_of_short_text = [&[0x0C, 1, 0, 0, 0, 0, 0, 0, 0][..], b"a"].concat();
    let surrogate = [0x09, 0x00, 0xD8, 0, 0];
    let not_utf8 = [0x81, 0xFF];
    let other_nan = [0x0A, 1, 0, 0, 0, 0, 0, 0xF8, 0x7F];
    let other_nan32 = [0x0B, 0, 0, 0xC0, 0xFF];
    let bad_tags = [[0x13], [0x40], [0x7F], [0xC0]];
    let values = [&long_form_of_short_text[..], &surrogate, &not_utf8, &other_nan, &other_nan32];
    for bytes in values.into_iter().chain(bad_tags.iter().map(|tag| &tag[..])) {
        assert_eq!(split_value(bytes), None, "{bytes:?}");
    }
}

#[test]
fn a_tuple_beyond_the_format_poses_as_no_other_value() {
    struct Wide(usize);
    impl KeyPart for Wide {
        fn encode<S: crate::key::KeySink + ?Sized>(&self, sink: &mut S) {
            sink.tuple(self.0);
            (0..self.0).for_each(|_| sink.unit());
        }
    }
    for len in [0, 1, 31, 32, 96, 300] {
        let bytes = encode(&Wide(len));
        assert_eq!(split_value(&bytes), Some((&bytes[..], &[][..])), "{len}");
    }
}
