//! Where an entry lies in a remote backend: names that a person can read, from keys, scopes and tags.
//!
//! A key is its readable form and a digest of its canonical bytes: the digest tells keys apart, whatever the
//! readable part has been cut to. The name of a group is its readable form alone where that is short and
//! plain, as scopes and tags are escaped or free of control characters; otherwise it is cut, and a digest
//! follows a `~`, which no plain name contains.

use std::fmt::{self, Write};
use std::sync::Arc;

use cacheado_backends::contract::{Group, Place};
use cacheado_backends::memory::Label;
use sha2::{Digest, Sha256};

use crate::function::without_arguments;
use crate::key::Key;
use crate::scope::{GLOBAL, Scope, push_level};

/// How many bytes of a name stay readable.
const READABLE: usize = 160;

/// How many bytes of a digest tell what has the same beginning apart.
const DIGEST: usize = 20;

/// What the names of scopes begin with.
const SCOPE: &str = "scope:";

/// The place of a key, with the tags among `labels`.
pub(crate) fn place(key: &Key, labels: &[Label]) -> Arc<Place> {
    place_in(key, &key.scope(), function_group(key.function(), key.version()), labels)
}

/// The same, where the scope of the key and the group of its function are at hand.
pub(crate) fn place_in(key: &Key, scope: &Scope, function: Group, labels: &[Label]) -> Arc<Place> {
    let mut groups = Vec::with_capacity(1 + scope.depth() + labels.len());
    groups.push(function);
    let mut text = String::with_capacity(64);
    text.push_str(SCOPE);
    let mut route = None;
    for (index, level) in scope.levels().enumerate() {
        push_level(index, level, &mut text);
        let name = plain(SCOPE, &text[SCOPE.len()..]);
        route.get_or_insert_with(|| Arc::clone(&name));
        groups.push(Group { name, route: route.clone() });
    }
    for tag in labels.iter().filter_map(tag_of) {
        let group = tag_group(&tag);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut readable = Cut::new();
    // An error says that it is full.
    let _ = match &text[SCOPE.len()..] {
        "" => readable.write_str(GLOBAL),
        scope => readable.write_str(scope),
    }
    .and_then(|()| key.write_call(&mut readable));
    let name = readable.with_digest(key.as_bytes());
    Arc::new(Place { route: route.unwrap_or_else(|| name.as_str().into()), key: name, groups: groups.into() })
}

/// The group of a scope and all below it; `None` for the global scope, which holds everything.
pub(crate) fn scope_group(scope: &Scope) -> Option<Group> {
    Some(Group { name: scope_name(scope), route: Some(scope_name(&root(scope)?)) })
}

/// The group of a tag.
pub(crate) fn tag_group(tag: &str) -> Group {
    Group { name: plain("tag:", tag), route: None }
}

/// The group of a function with all its instances, or of the keys of the caller's own.
pub(crate) fn function_group(name: &str, version: u32) -> Group {
    Group { name: plain("function:", &format!("{}@{version}", without_arguments(name))), route: None }
}

fn scope_name(scope: &Scope) -> Arc<str> {
    plain(SCOPE, &scope.to_string())
}

/// The tenant's root: the first level of a path.
fn root(scope: &Scope) -> Option<Scope> {
    (scope.depth() > 0).then(|| scope.up_to(1))
}

fn tag_of(label: &Label) -> Option<String> {
    let tag = label.as_bytes().strip_prefix(b"t")?;
    String::from_utf8(tag.to_vec()).ok()
}

fn plain(kind: &str, name: &str) -> Arc<str> {
    if name.len() <= READABLE && !name.contains(|c: char| c.is_control() || c == '~') {
        return [kind, name].concat().into();
    }
    let mut readable = Cut::new();
    // An error says that it is full.
    let _ = readable.write_str(name);
    [kind, &readable.with_digest(name.as_bytes())].concat().into()
}

/// What is readable of a text: its beginning. What comes after that is not taken, and an error tells whoever
/// writes to stop.
struct Cut(String);

impl Cut {
    fn new() -> Self {
        Self(String::with_capacity(READABLE + 1 + 2 * DIGEST))
    }

    /// The name that ends in a digest of `bytes`: 160 bits of SHA-256.
    fn with_digest(self, bytes: &[u8]) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut name = self.0;
        if name.contains(char::is_control) {
            name = name.replace(char::is_control, "?");
        }
        name.push('~');
        for byte in &Sha256::digest(bytes)[..DIGEST] {
            name.push(DIGITS[usize::from(byte >> 4)].into());
            name.push(DIGITS[usize::from(byte & 0xF)].into());
        }
        name
    }
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = READABLE - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: &Scope, function: &str, args: &impl crate::KeyPart) -> Key {
        Key::assemble(scope, function, 1, &crate::key::encode(args))
    }

    fn user(org: &str, user: &str) -> Scope {
        Scope::from_texts([("organization", org), ("user", user)]).unwrap()
    }

    #[test]
    fn a_short_key_is_readable() {
        let place = place(&key(&user("o1", "u7"), "app::profile", &("o1", "u7", 3_u8)), &[]);
        let (readable, digest) = place.key.rsplit_once('~').unwrap();
        assert_eq!(readable, r#"organization:o1/user:u7 app::profile@1("o1", "u7", 3)"#);
        assert_eq!(digest.len(), 40);
        let names: Vec<_> = place.groups.iter().map(|group| &*group.name).collect();
        let expected = ["function:app::profile@1", "scope:organization:o1", "scope:organization:o1/user:u7"];
        assert_eq!(names, expected);
        assert_eq!(&*place.route, "scope:organization:o1");
    }

    #[test]
    fn hazard_04_keys_are_told_apart_by_a_cryptographic_digest() {
        let long = "x".repeat(10_000);
        let keys = ["a", "b"].map(|end| place(&key(&Scope::global(), "f", &format!("{long}{end}")), &[]));
        assert_ne!(keys[0].key, keys[1].key);
        assert!(keys[0].key.len() <= READABLE + 41, "{}", keys[0].key.len());
        // The same on every machine and in every release.
        let golden = place(&key(&user("o1", "u7"), "f", &1_u8), &[]);
        assert_eq!(golden.key, "organization:o1/user:u7 f@1(1)~b40fdbc6b169fff21cd24ece8b3015fd2d5fe299");
    }

    #[test]
    fn hazard_02_no_name_of_a_group_poses_as_another() {
        let long = "t".repeat(500);
        let honest = tag_group(&long);
        let posing = tag_group(honest.name.strip_prefix("tag:").unwrap());
        assert_ne!(honest, posing);
        assert_ne!(scope_group(&user("o1/user:u7", "x")), scope_group(&user("o1", "u7")));
        assert_ne!(tag_group("a\nb"), tag_group("a?b"));
        assert!(!tag_group("a\nb").name.contains('\n'));
    }

    #[test]
    fn all_instances_of_a_function_are_one_group() {
        assert_eq!(function_group("app::load<u8>", 1), function_group("app::load<i8>", 1));
        assert_ne!(function_group("app::load", 1), function_group("app::load", 2));
    }
}
