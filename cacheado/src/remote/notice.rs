//! What nodes tell each other: what has been evicted, never a value.

use cacheado_backends::memory::Label;

use crate::function::without_arguments;
use crate::key::Key;

/// The longest key or label that is told. A server that keeps notices has only so much room for them, and so has the
/// buffer of a node that listens.
const LONGEST: usize = 8 << 10;

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
            Self::Key(key) if key.as_bytes().len() > LONGEST => {
                Self::Function(without_arguments(key.function()), key.version()).to_bytes()
            }
            Self::Label(label) if label.as_bytes().len() > LONGEST => Self::All.to_bytes(),
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
    fn hazard_32_what_has_a_long_name_is_told_as_more_than_it_is() {
        let long = "x".repeat(LONGEST);
        let key = Key::assemble(&Scope::global(), "a::f<u8>", 3, &crate::key::encode(&*long));
        let told = |notice: Notice| Notice::from_bytes(&notice.to_bytes());
        assert_eq!(told(Notice::Key(key)), Some(Notice::Function("a::f".into(), 3)));
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
