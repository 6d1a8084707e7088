//! Tests of codec and envelope.

mod corrupt;
mod evolve;
mod golden;
mod hostile;
mod lossless;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::read::Refused;
use super::{Codec, Envelope, Header, Limits};

/// A value with one of each that serde knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Profile {
    id: u64,
    balance: i128,
    score: f64,
    initial: char,
    name: String,
    active: bool,
    photo: Vec<u8>,
    manager: Option<Box<Profile>>,
    nickname: Option<String>,
    place: (i16, f32),
    level: Level,
    nothing: (),
    marker: Marker,
    rights: BTreeMap<Right, Level>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Level(u8);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Marker;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Right {
    Read,
    Write(u8),
    Share(u8, String),
    Grant { to: String, until: Option<u64> },
}

fn profile() -> Profile {
    let manager = Profile {
        id: 1,
        balance: -1,
        score: -0.5,
        initial: 'é',
        name: String::new(),
        active: false,
        photo: Vec::new(),
        manager: None,
        nickname: None,
        place: (-300, 0.25),
        level: Level(0),
        nothing: (),
        marker: Marker,
        rights: BTreeMap::new(),
    };
    let rights = [
        (Right::Write(3), Level(200)),
        (Right::Share(9, "all".to_owned()), Level(1)),
        (Right::Grant { to: "brian".to_owned(), until: Some(1 << 40) }, Level(2)),
    ];
    Profile {
        id: u64::MAX,
        balance: i128::MIN,
        score: 1.5,
        initial: 'A',
        name: "Ada Lovelace".to_owned(),
        active: true,
        photo: vec![0, 127, 128, 255],
        manager: Some(Box::new(manager)),
        nickname: Some("ada".to_owned()),
        place: (5, 1e9),
        level: Level(7),
        nothing: (),
        marker: Marker,
        rights: rights.into(),
    }
}

const HEADER: Header = Header {
    lifetime: Some(Duration::from_secs(300)),
    took: Duration::from_micros(1_500),
    grace: Duration::from_secs(60),
};

/// The envelopes of a function of version 2 that returns a `T`.
fn envelope<T: Serialize + Deserialize<'static>>() -> Envelope<T> {
    Envelope::new(Codec::serde(), 2, Limits::default())
}

fn sealed<T: Serialize + Deserialize<'static>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    envelope().write(HEADER, value, &mut bytes).unwrap();
    bytes
}

/// The envelope of a `T` that holds this payload.
fn sealed_payload<T: Serialize + Deserialize<'static>>(payload: &[u8]) -> Vec<u8> {
    let raw = Codec::<Vec<u8>> {
        encode: |bytes, writer| Some(writer.raw(bytes).is_ok()),
        decode: |_| Err(Refused),
        type_name: std::any::type_name::<T>(),
    };
    let mut bytes = Vec::new();
    Envelope::new(raw, 2, Limits::default()).write(HEADER, &payload.to_vec(), &mut bytes).unwrap();
    bytes
}
