//! What nodes tell each other: what has been evicted, never a value.

use cacheado_backends::memory::Label;

use crate::key::Key;

/// The longest key, label or name that is told. A server that keeps notices has only so much room for them, and so has the
/// buffer of a node that listens: the last 64, which a MongoDB alone keeps in one document, are half of what that can hold.
const LONGEST: usize = 128 << 10;

/// What has been evicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The entry of a key, or it has been overwritten.
    Key(Key),
    /// What carries a label: a scope or a tag.
    Label(Label),
    /// All entries of a function: its name without generic arguments, and its version.
    Function(String, u32),
    /// Everything.
    All,
}

impl Notice {
    /// Of what has too long a name it says that more has been evicted: the function's entries, or everything.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Key(key) if key.as_bytes().len() > LONGEST => Self::function_of(key).to_bytes(),
            Self::Label(label) if label.as_bytes().len() > LONGEST => Self::All.to_bytes(),
            Self::Function(name, _) if name.len() > LONGEST => Self::All.to_bytes(),
            Self::Key(key) => [b"k", key.as_bytes()].concat(),
            Self::Label(label) => [b"l", label.as_bytes()].concat(),
            Self::Function(name, version) => [b"f", &version.to_le_bytes()[..], name.as_bytes()].concat(),
            Self::All => b"a".to_vec(),
        }
    }

    /// That the entries of a key's function have been evicted. Of what is in angle brackets in its name nobody knows here
    /// whether it is arguments, or a part of a name that was given.
    fn function_of(key: &Key) -> Self {
        if key.function().contains('<') {
            return Self::All;
        }
        Self::Function(key.function().to_owned(), key.version())
    }

    /// `None` if it is none of this version's: whoever gets it must take it for anything.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        Some(match kind {
            b'k' => Self::Key(Key::from_bytes(rest)?),
            b'l' => Self::Label(Label::from(rest)),
            b'f' => {
                let (version, name) = rest.split_first_chunk()?;
                Self::Function(str::from_utf8(name).ok()?.to_owned(), u32::from_le_bytes(*version))
            }
            b'a' if rest.is_empty() => Self::All,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;

    #[test]
    fn comes_back_as_it_was() {
        let key = Key::assemble(&Scope::global(), "f", 3, &crate::key::encode("x"));
        let label = Label::from(&b"tcatalogue"[..]);
        for notice in
            [Notice::Key(key), Notice::Label(label), Notice::Function("a::f".into(), 7), Notice::All]
        {
            assert_eq!(Notice::from_bytes(&notice.to_bytes()), Some(notice));
        }
    }

    #[test]
    fn hazard_32_what_has_a_long_name_is_told_as_more_than_it_is() {
        let long = "x".repeat(LONGEST);
        let told = |notice: Notice| Notice::from_bytes(&notice.to_bytes());
        let of = |function: &str| {
            told(Notice::Key(Key::assemble(&Scope::global(), function, 3, &crate::key::encode(&*long))))
        };
        assert_eq!(of("a::f"), Some(Notice::Function("a::f".into(), 3)));
        for function in
            ["a::f<u8>", "stats<daily>", "stats<daily><u8>", "<a::R as a::T>::f", &format!("f{long}")]
        {
            assert_eq!(of(function), Some(Notice::All));
        }
        let tag = format!("t{long}");
        assert_eq!(told(Notice::Label(Label::from(tag.as_bytes()))), Some(Notice::All));
    }

    #[test]
    fn hazard_30_what_is_no_notice_is_none() {
        for bytes in [&b""[..], b"x", b"k", b"kfoo", b"f", b"f12", b"f1234\xFF", b"aa"] {
            assert_eq!(Notice::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
