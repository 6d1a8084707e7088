//! Hazard 30: what has changed since it was written is never served.

use std::time::Duration;

use proptest::prelude::*;

use super::{HEADER, Profile, envelope, profile, sealed};
use crate::codec::envelope::Mismatch;
use crate::codec::{Codec, CodecError, Envelope, Header, Limits};
use crate::engine::Age;

#[test]
fn hazard_30_each_truncation_is_a_miss() {
    let whole = sealed(&profile());
    for len in 0..whole.len() {
        assert!(envelope::<Profile>().open(&whole[..len]).is_err(), "{len} of {} bytes", whole.len());
    }
    assert_eq!(envelope::<Profile>().open(&whole).unwrap(), (HEADER, profile()));
}

#[test]
fn hazard_30_each_change_of_one_byte_is_a_miss() {
    let mut bytes = sealed(&profile());
    for at in 0..bytes.len() {
        for change in 1..=u8::MAX {
            bytes[at] ^= change;
            assert!(envelope::<Profile>().open(&bytes).is_err(), "byte {at} ^ {change:#x}");
            bytes[at] ^= change;
        }
    }
}

#[test]
fn hazard_30_each_reason_is_told() {
    let whole = sealed(&7_u64);
    let open = |bytes: &[u8]| envelope::<u64>().open(bytes).unwrap_err();
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        open(&bytes)
    };
    assert_eq!(open(b""), Mismatch::Foreign);
    assert_eq!(open(b"{\"id\": 7}"), Mismatch::Foreign);
    assert_eq!(open(&[0x80; 100]), Mismatch::Foreign);
    assert_eq!(open(&whole[..3]), Mismatch::Foreign);
    assert_eq!(open(&whole[..4]), Mismatch::Truncated);
    assert_eq!(open(&whole[..47]), Mismatch::Truncated);
    assert_eq!(open(&whole[..48]), Mismatch::Damaged);
    assert_eq!(open(b"CDO\x02"), Mismatch::Format(2));
    assert_eq!(changed(3, 2), Mismatch::Format(2));
    assert_eq!(changed(4, 3), Mismatch::Version(3));
    assert_eq!(changed(8, whole[8] ^ 1), Mismatch::Type);
    assert_eq!(changed(24, whole[24] ^ 1), Mismatch::Damaged);
    assert_eq!(changed(36, whole[36] ^ 1), Mismatch::Damaged);
    assert_eq!(changed(47, whole[47] ^ 1), Mismatch::Damaged);
    assert_eq!(changed(48, 8), Mismatch::Damaged);
    let narrow = Envelope::<u64>::new(Codec::serde(), 2, Limits { size: 0, ..Limits::default() });
    assert_eq!(narrow.open(&whole).unwrap_err(), Mismatch::Payload(CodecError::TooLarge));
}

#[test]
fn hazard_30_a_failed_write_leaves_the_buffer_as_it_was() {
    let narrow = Envelope::<String>::new(Codec::serde(), 2, Limits { size: 10, ..Limits::default() });
    let mut bytes = b"before".to_vec();
    assert_eq!(narrow.write(HEADER, &"x".repeat(20), &mut bytes), Err(CodecError::TooLarge));
    assert_eq!(bytes, b"before");
    narrow.write(HEADER, &"x".repeat(9), &mut bytes).unwrap();
    assert_eq!(narrow.open(&bytes[6..]).unwrap(), (HEADER, "x".repeat(9)));
}

#[test]
fn times_are_kept_as_far_as_they_go() {
    let kept = |lifetime, took| {
        let mut bytes = Vec::new();
        envelope().write(Header { lifetime, took, grace: Duration::ZERO }, &(), &mut bytes).unwrap();
        let (header, ()) = envelope().open(&bytes).unwrap();
        (header.lifetime, header.took)
    };
    let ms = |millis| Some(Duration::from_millis(millis));
    assert_eq!(kept(None, Duration::ZERO), (None, Duration::ZERO));
    // Below the resolution it is not for ever.
    assert_eq!(kept(Some(Duration::from_nanos(1)), Duration::from_nanos(999)), (ms(1), Duration::ZERO));
    assert_eq!(kept(Some(Duration::from_micros(2_900)), Duration::ZERO).0, ms(2));
    let longest = Duration::from_micros(u32::MAX.into());
    assert_eq!(kept(Some(Duration::MAX), Duration::MAX), (ms(u64::MAX), longest));
}

#[test]
fn hazard_11_the_age_follows_from_what_remains_and_from_no_clock() {
    let ms = Duration::from_millis;
    let header = |grace| Header { lifetime: Some(ms(100)), took: Duration::ZERO, grace };
    let (plain, graced) = (header(Duration::ZERO), header(ms(50)));
    assert_eq!(plain.age(Some(ms(30))), Age::Left(Some(ms(30))));
    assert_eq!(plain.age(None), Age::Left(None));
    assert_eq!(graced.age(Some(ms(51))), Age::Left(Some(ms(1))));
    assert_eq!(graced.age(Some(ms(50))), Age::Past(Duration::ZERO));
    assert_eq!(graced.age(Some(ms(20))), Age::Past(ms(30)));
    // Less than a millisecond more is a whole one: nothing is taken for fresher than it is.
    let mut bytes = Vec::new();
    envelope().write(header(Duration::from_nanos(1)), &(), &mut bytes).unwrap();
    assert_eq!(envelope::<()>().open(&bytes).unwrap().0.grace, ms(1));
}

proptest! {
    #[test]
    fn hazard_30_foreign_bytes_are_a_miss(bytes: Vec<u8>) {
        prop_assert!(envelope::<Profile>().open(&bytes).is_err());
    }

    #[test]
    fn hazard_30_several_changes_are_a_miss(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..8),
        kept in any::<prop::sample::Index>(),
        more in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let whole = sealed(&profile());
        let mut bytes = whole.clone();
        for (at, change) in changes {
            let at = at.index(bytes.len());
            bytes[at] ^= change;
        }
        bytes.truncate(1 + kept.index(bytes.len()));
        bytes.extend(more);
        // The changes may have undone each other.
        prop_assume!(bytes != whole);
        prop_assert!(envelope::<Profile>().open(&bytes).is_err());
    }
}
