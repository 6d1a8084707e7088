//! The exact bytes of keys. They are the same on every machine and in every release of this format: a change
//! here loses every stored entry, and needs a new `FORMAT`.

use super::hex;
use crate::key::{FORMAT, Key, KeyPart, encode};
use crate::scope::Scope;

#[track_caller]
fn check<T: KeyPart + ?Sized>(part: &T, expected: &str) {
    let expected: String = expected.split_whitespace().collect();
    assert_eq!(hex(&encode(part)), expected);
}

#[test]
fn hazard_04_golden_numbers() {
    check(&false, "03");
    check(&true, "04");
    check(&0_u8, "05 0000000000000000");
    check(&7_i8, "05 0700000000000000");
    check(&0x1234_usize, "05 3412000000000000");
    check(&u64::MAX, "05 ffffffffffffffff");
    check(&-1_i16, "06 ffffffffffffffff");
    check(&i64::MIN, "06 0000000000000080");
    check(&(u128::from(u64::MAX) + 1), "07 00000000000000000100000000000000");
    check(&i128::MIN, "08 00000000000000000000000000000080");
    check(&std::num::NonZero::new(7_u8), "02 05 0700000000000000");
    check(&std::num::Wrapping(-1_i32), "06 ffffffffffffffff");
    check(&std::num::Saturating(7_u8), "05 0700000000000000");
    check(&std::cmp::Reverse(7_u8), "05 0700000000000000");
    check(&'é', "09 e9000000");
    check(&1.0_f64, "0a 000000000000f03f");
    check(&-0.0_f64, "0a 0000000000000080");
    check(&f64::NAN, "0a 000000000000f87f");
    check(&1.0_f32, "0b 0000803f");
    check(&f32::NAN, "0b 0000c07f");
}

#[test]
fn hazard_04_golden_texts_and_bytes() {
    check("", "80");
    check("ab", "82 6162");
    check("é", "82 c3a9");
    check(&"x".repeat(63), &format!("bf {}", "78".repeat(63)));
    check(&"x".repeat(64), &format!("0c 4000000000000000 {}", "78".repeat(64)));
    check(&[1_u8, 2], "0d 0200000000000000 0102");
    check(&Vec::<u8>::new(), "0d 0000000000000000");
    check(std::path::Path::new("a/b"), "83 612f62");
    check(&std::borrow::Cow::Borrowed("a"), "81 61");
    check(c"ab", "82 6162");
    check(&std::ffi::CString::from(c"a\xFF"), "0d 0200000000000000 61ff");
}

#[test]
#[cfg(unix)]
fn hazard_04_golden_raw_path() {
    use std::os::unix::ffi::OsStrExt;
    check(std::ffi::OsStr::from_bytes(b"a\xFF"), "0d 0200000000000000 61ff");
}

#[test]
fn hazard_04_golden_containers() {
    check(&(), "00");
    check(&None::<u8>, "01");
    check(&Some("a"), "02 81 61");
    check(&Some(None::<u8>), "02 01");
    check(&Ok::<_, ()>("a"), "12 82 4f6b 0100000000000000 81 61");
    check(&Err::<(), _>("a"), "12 83 457272 0100000000000000 81 61");
    check(&["a", "b"], "0e 0200000000000000 81 61 81 62");
    check(&std::collections::VecDeque::from([true]), "0e 0100000000000000 04");
    check(
        &std::collections::BinaryHeap::from([5_u8, 7, 5]),
        "0e 0300000000000000 05 0500000000000000 05 0500000000000000 05 0700000000000000",
    );
    check(&std::collections::HashSet::from(["b", "a"]), "0f 0200000000000000 81 61 81 62");
    check(
        &std::collections::HashMap::from([("b", true), ("a", false)]),
        "10 0200000000000000 81 61 03 81 62 04",
    );
    check(&("a",), "21 81 61");
    check(&("a", true), "22 81 61 04");
    check(
        &((), (), (), (), (), (), (), (), (), (), (), (), (), (), (), ()),
        &format!("30 {}", "00".repeat(16)),
    );
    check(&Box::new(std::sync::Arc::<str>::from("a")), "81 61");
    check(&std::pin::pin!("a").as_ref(), "81 61");
    check(&Box::pin("a"), "81 61");
    check(&std::marker::PhantomData::<u8>, "00");
}

#[test]
fn hazard_04_golden_std_types() {
    use std::time::{Duration, SystemTime};
    let duration = "22 05 0100000000000000 05 0200000000000000";
    check(&Duration::new(1, 2), duration);
    let after = SystemTime::UNIX_EPOCH + Duration::new(1, 2000);
    check(&after, "12 8a 53696e636545706f6368 0100000000000000 22 05 0100000000000000 05 d007000000000000");
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    check(
        &before,
        "12 8b 4265666f726545706f6368 0100000000000000 22 05 0100000000000000 05 0000000000000000",
    );
    check(&std::net::IpAddr::from([127, 0, 0, 1]), "0d 0400000000000000 7f000001");
    check(&std::net::Ipv6Addr::LOCALHOST, "0d 1000000000000000 00000000000000000000000000000001");
    check(
        &std::net::SocketAddr::from(([127, 0, 0, 1], 80)),
        "22 0d 0400000000000000 7f000001 05 5000000000000000",
    );
    check(&std::cmp::Ordering::Less, "12 84 4c657373 0000000000000000");
    check(&(true..false), "12 85 52616e6765 0200000000000000 04 03");
    check(&(true..=true), "12 8e 52616e6765496e636c7573697665 0200000000000000 04 04");
}

#[test]
#[cfg(feature = "uuid")]
fn hazard_04_golden_uuid() {
    check(&uuid::Uuid::from_u128(1), "0d 1000000000000000 00000000000000000000000000000001");
}

#[test]
fn hazard_04_golden_serde() {
    #[derive(serde::Serialize)]
    struct Filter {
        text: &'static str,
    }
    check(&crate::key::Serde(Filter { text: "a" }), "11 0100000000000000 22 84 74657874 81 61");
}

#[test]
fn hazard_04_golden_keys() {
    assert_eq!(FORMAT, 1);
    let user = Scope::parse("organization:o1/user:u7").unwrap();
    let key = Key::assemble(&user, "my_crate::profile", 1, &encode(&("o1", "u7", 3)));
    let expected = "01 0e 0200000000000000 8c 6f7267616e697a6174696f6e 82 6f31 84 75736572 82 7537 \
        91 6d795f63726174653a3a70726f66696c65 05 0100000000000000 \
        23 82 6f31 82 7537 05 0300000000000000";
    assert_eq!(hex(key.as_bytes()), expected.replace([' ', '\n'], ""));

    let key = Key::assemble(&Scope::global(), "", 0, &encode("settings"));
    let expected = "01 0e 0000000000000000 80 05 0000000000000000 88 73657474696e6773";
    assert_eq!(hex(key.as_bytes()), expected.replace(' ', ""));
}

#[test]
fn hazard_04_golden_scope_labels() {
    let labels: Vec<_> =
        Scope::parse("a:b/c:d").unwrap().labels().map(|label| hex(label.as_bytes())).collect();
    assert_eq!(labels, ["730e010000000000000081618162", "730e02000000000000008161816281638164"]);
}
