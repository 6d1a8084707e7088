//! Tests of the keys.

mod golden;
mod hazards;
mod injective;
mod key;
mod model;
mod render;
mod replay;
mod serde;

/// Bytes as lower-case hexadecimal, as the golden tables hold them.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
