//! What nodes tell each other: what has been evicted, never a value.

use cacheado_backends::memory::Label;

use crate::key::Key;

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
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Key(key) => [b"k", key.as_bytes()].concat(),
            Self::Label(label) => [b"l", label.as_bytes()].concat(),
            Self::Function(name, version) => [b"f", &version.to_le_bytes()[..], name.as_bytes()].concat(),
            Self::All => b"a".to_vec(),
        }
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
    fn hazard_30_what_is_no_notice_is_none() {
        for bytes in [&b""[..], b"x", b"k", b"kfoo", b"f", b"f12", b"f1234\xFF", b"aa"] {
            assert_eq!(Notice::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
