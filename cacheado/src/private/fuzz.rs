//! For the targets in `fuzz/`, which cannot see into the crate.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::{Codec, Envelope, Header, Limits};

#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Leaf(u8),
    Some(Option<Box<Tree>>),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    Struct { left: Box<Tree>, right: Option<i64> },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Any {
    Nothing,
    Number(i64),
    Float(f64),
    Text(String),
    List(Vec<Any>),
    Map(BTreeMap<String, Any>),
}

/// Opens the bytes as an envelope, and decodes them as payloads.
pub fn envelope(bytes: &[u8]) {
    let _ = Envelope::<Tree>::new(Codec::serde(), 0, Limits::default()).open(bytes);
    payload::<Tree>(bytes);
    payload::<Any>(bytes);
    payload::<Vec<(u128, char, Option<f32>, Vec<u8>)>>(bytes);
}

/// What can be read and written again has a stable form.
fn payload<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) {
    let (codec, limits) = (Codec::<T>::serde(), Limits::default());
    let Ok(value) = codec.decode(bytes, limits) else { return };
    let envelope = Envelope::new(codec, 0, limits);
    let mut written = Vec::new();
    if envelope
        .write(
            Header { lifetime: None, took: std::time::Duration::ZERO, grace: std::time::Duration::ZERO },
            &value,
            &mut written,
        )
        .is_ok()
    {
        let read = envelope.open(&written).map(|(_, value)| format!("{value:?}"));
        assert_eq!(read, Ok(format!("{value:?}")), "what is written comes back");
    }
}
