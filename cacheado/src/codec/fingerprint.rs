//! A type, in 16 bytes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use crate::function::literal;

/// What tells a type of values from others: the first half of the SHA-256 of its name.
///
/// It catches what the bytes alone cannot: a function that returns another type than it did, one that reads
/// as the same MessagePack (`Seconds(5)` and `Minutes(5)`, a struct and its twin in another module). It does
/// not see into a type: a struct whose fields have changed has the same name, and there the field's
/// names decide.
///
/// The name is the compiler's, which promises no stable spelling. What is known to change is taken out of it:
/// lifetimes, which older compilers do not show, spaces, and the modules of the standard library, which move.
/// A change that is left costs misses, no more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(super) [u8; 16]);

thread_local! {
    /// Those that this thread has made, by the place of the name, of which a program has a few for each type.
    static KNOWN: RefCell<HashMap<*const str, Fingerprint, RandomState>> = RefCell::default();
}

impl Fingerprint {
    /// That of the type with this name. Remembered, as each call that leaves the process asks.
    pub(super) fn of(type_name: &'static str) -> Self {
        let remembered = KNOWN.try_with(|known| {
            let mut known = known.borrow_mut();
            *known.entry(std::ptr::from_ref(type_name)).or_insert_with(|| Self::make(type_name))
        });
        // While the thread ends, there is no memory of it any more.
        remembered.unwrap_or_else(|_| Self::make(type_name))
    }

    fn make(type_name: &str) -> Self {
        let digest = Sha256::digest(normalised(type_name));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(bytes)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:032x})", u128::from_be_bytes(self.0))
    }
}

/// The name as every compiler would spell it: of `&'a alloc::vec::Vec<app::Row<'_, u8>>`,
/// `&std::Vec<app::Row<u8>>`.
fn normalised(type_name: &str) -> String {
    let mut name = String::with_capacity(type_name.len());
    let mut rest = type_name;
    while let Some(first) = rest.chars().next() {
        if first.is_alphanumeric() || first == '_' {
            let path = word(rest, true);
            rest = &rest[path.len()..];
            name += &own_name(path);
        } else if let Some(len) = literal(rest) {
            name += &rest[..len];
            rest = &rest[len..];
        } else if first == '\'' {
            let lifetime = 1 + word(&rest[1..], false).len();
            rest = rest[lifetime..].trim_start();
            // `<'a>` is no list of arguments any more, and `<'a, T>` is one of `T`.
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None if name.ends_with('<') && rest.starts_with('>') => {
                    name.pop();
                    rest = &rest[1..];
                }
                None => {}
            }
        } else {
            if !first.is_whitespace() {
                name.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    name
}

/// The identifier that the text begins with, or the path.
fn word(text: &str, path: bool) -> &str {
    let belongs =
        |character: char| character.is_alphanumeric() || character == '_' || (path && character == ':');
    &text[..text.find(|character| !belongs(character)).unwrap_or(text.len())]
}

/// A path without the modules of the standard library.
fn own_name(path: &str) -> String {
    let from_std = ["std::", "alloc::", "core::"].iter().any(|root| path.starts_with(root));
    match path.rsplit_once("::") {
        // A path that goes on behind this (`std::vec::Vec<T>::Inner`) ends in its separator.
        Some((_, last)) if from_std && !last.is_empty() => format!("std::{last}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn compilers_spell_one_type_in_several_ways() {
        for (one, other) in [
            ("alloc::vec::Vec<alloc::string::String>", "std::vec::Vec<std::string::String>"),
            ("core::net::ip_addr::IpAddr", "std::net::ip::IpAddr"),
            ("alloc::borrow::Cow<str>", "alloc::borrow::Cow<'_, str>"),
            ("app::Row", "app::Row<'_>"),
            ("app::Row<u8>", "app::Row<'a, 'static, u8>"),
            ("(&str, &[u8])", "(&'static str,&'static [u8])"),
        ] {
            assert_eq!(normalised(one), normalised(other), "{one} {other}");
        }
    }

    #[test]
    fn different_types_keep_different_names() {
        let names = [
            "u8",
            "i8",
            "str",
            "()",
            "(u8,)",
            "(u8, i8)",
            "(i8, u8)",
            "[u8]",
            "[u8; 4]",
            "[u8; 5]",
            "app::String",
            "app::std::String",
            "alloc::string::String",
            "core::option::Option<u8>",
            "core::option::Option<i8>",
            "core::result::Result<u8, i8>",
            "core::result::Result<i8, u8>",
            "app::a::Row",
            "app::b::Row",
            "app::Row<app::A>",
            "app::Row<app::B>",
            "app::Row<'a'>",
            "app::Row<'b'>",
            "app::Row<' '>",
            "app::Row<'\\''>",
            "app::Row<'\\u{301}'>",
            "alloc::boxed::Box<dyn app::A + core::marker::Send>",
        ];
        for (at, one) in names.iter().enumerate() {
            for other in &names[..at] {
                assert_ne!(normalised(one), normalised(other));
            }
        }
        assert_eq!(normalised("app::Row<'a, 'b', '\\''>"), "app::Row<'b','\\''>");
        assert_eq!(normalised("&'a alloc::vec::Vec<app::Row<'_, u8>>"), "&std::Vec<app::Row<u8>>");
        assert_eq!(normalised("alloc::boxed::Box<dyn app::A>"), "std::Box<dynapp::A>");
    }
}
