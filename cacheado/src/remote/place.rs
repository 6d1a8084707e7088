//! Where an entry lies in a remote backend: names that a person can read, from keys, scopes and tags.
//!
//! The name of a key is its text, which no other key has, where that is short and plain. Otherwise it is cut, and
//! a digest of the canonical bytes follows a `~`, which no plain name contains. Names of groups are made likewise.

use std::fmt::{self, Write};
use std::sync::Arc;

use cacheado_backends::contract::{Group, Place};
use cacheado_backends::memory::Label;
use sha2::{Digest, Sha256};

use crate::function::without_arguments;
use crate::key::{Key, write_args, write_title};
use crate::scope::{GLOBAL, Scope, push_level};

/// How many bytes of a name stay readable.
const READABLE: usize = 160;

/// How many bytes of a digest tell what has the same beginning apart.
const DIGEST: usize = 20;

/// What the names of scopes begin with.
const SCOPE: &str = "scope:";

/// The place of a key whose function is not known here: its name is taken for one that nobody has given.
pub(crate) fn place(key: &Key) -> Arc<Place> {
    Title::new(key.function(), &without_arguments(key.function()), key.version()).place(key)
}

/// What is named of a function: what stands between scope and arguments in the names of its entries, and the
/// group of them all.
pub(crate) struct Title {
    text: Box<str>,
    /// Whether nobody can take a part of it for what stands before or after it.
    is_plain: bool,
    pub(crate) group: Group,
}

impl Title {
    /// `bare` is the name without generic arguments.
    pub(crate) fn new(function: &str, bare: &str, version: u32) -> Self {
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = write_title(function, version, &mut text);
        let is_plain = !function.contains(['@', '(', '"']);
        Self { text: text.into(), is_plain, group: function_group(bare, version) }
    }

    /// The place of a key of the function, without tags.
    pub(crate) fn place(&self, key: &Key) -> Arc<Place> {
        Address { scope: &key.scope(), title: self, args: key.args() }.place(&[], || key.clone())
    }
}

/// What the place of an entry is made of.
pub(crate) struct Address<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) title: &'a Title,
    pub(crate) args: &'a [u8],
}

impl Address<'_> {
    /// The place in its groups, with the tags among `labels`. `key` is asked for where the name needs a digest.
    pub(crate) fn place(&self, labels: &[Label], key: impl FnOnce() -> Key) -> Arc<Place> {
        let (key, root) = self.name(true, key);
        let mut groups = Vec::with_capacity(1 + self.scope.depth() + labels.len());
        groups.push(self.title.group.clone());
        let mut text = String::new();
        for (index, level) in self.scope.levels().enumerate() {
            push_level(index, level, &mut text);
            groups.push(Group { name: plain(SCOPE, &text), route: root.clone() });
        }
        for tag in labels.iter().filter_map(tag_of) {
            let group = tag_group(&tag);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let route = root.unwrap_or_else(|| key.as_str().into());
        Arc::new(Place { key, route, groups: groups.into() })
    }

    /// The place without its groups, for a backend that needs none to read, and without a route if it has none.
    pub(crate) fn spot(&self, has_routes: bool, key: impl FnOnce() -> Key) -> Arc<Place> {
        let (key, root) = self.name(has_routes, key);
        let route = match root {
            None if has_routes => key.as_str().into(),
            root => root.unwrap_or_default(),
        };
        Arc::new(Place { key, route, groups: Arc::default() })
    }

    /// The name of the entry and, if it is wanted, that of its tenant's root.
    fn name(&self, root_wanted: bool, key: impl FnOnce() -> Key) -> (String, Option<Arc<str>>) {
        let mut name = String::with_capacity(READABLE);
        let mut root = None;
        for (index, level) in self.scope.levels().enumerate() {
            push_level(index, level, &mut name);
            if root_wanted {
                root.get_or_insert_with(|| plain(SCOPE, &name));
            }
        }
        if name.is_empty() {
            name.push_str(GLOBAL);
        }
        name.push_str(&self.title.text);
        let path = name.len();
        // What is much longer than the name may be is not written whole.
        let is_whole = self.title.is_plain
            && self.args.len() <= 2 * READABLE
            && write_args(self.args, &mut name) == Ok(true)
            && name.len() <= READABLE
            && is_plain(&name);
        if !is_whole {
            let mut cut = Cut::new();
            // An error says that it is full.
            let _ = cut.write_str(&name[..path]).and_then(|()| write_args(self.args, &mut cut).map(drop));
            name = cut.with_digest(key().as_bytes());
        }
        (name, root)
    }
}

/// The group of a scope and all below it; `None` for the global scope, which holds everything.
pub(crate) fn scope_group(scope: &Scope) -> Option<Group> {
    Some(Group { name: scope_name(scope), route: Some(scope_name(&root(scope)?)) })
}

/// The group of a tag.
pub(crate) fn tag_group(tag: &str) -> Group {
    Group { name: plain("tag:", tag), route: None }
}

/// The group of a function with all its instances, whose name has no generic arguments, or of the keys of the caller's
/// own.
pub(crate) fn function_group(bare: &str, version: u32) -> Group {
    Group { name: plain("function:", &format!("{bare}@{version}")), route: None }
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

fn is_plain(name: &str) -> bool {
    // As most are, or else letter by letter.
    name.bytes().all(|byte| matches!(byte, b' '..b'~'))
        || !name.contains(|c: char| c.is_control() || c == '~')
}

fn plain(kind: &str, name: &str) -> Arc<str> {
    if name.len() <= READABLE && is_plain(name) {
        let mut whole = String::with_capacity(SCOPE.len() + READABLE);
        whole.push_str(kind);
        whole.push_str(name);
        return whole.as_str().into();
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
        let place = place(&key(&user("o1", "u7"), "app::profile", &("o1", "u7", 3_u8)));
        // The same on every machine and in every release.
        assert_eq!(place.key, r#"organization:o1/user:u7 app::profile@1("o1", "u7", 3)"#);
        let names: Vec<_> = place.groups.iter().map(|group| &*group.name).collect();
        let expected = ["function:app::profile@1", "scope:organization:o1", "scope:organization:o1/user:u7"];
        assert_eq!(names, expected);
        assert_eq!(&*place.route, "scope:organization:o1");
    }

    #[test]
    fn hazard_04_keys_are_told_apart_by_a_cryptographic_digest() {
        let long = "x".repeat(10_000);
        let keys = ["a", "b"].map(|end| place(&key(&Scope::global(), "f", &format!("{long}{end}"))));
        assert_ne!(keys[0].key, keys[1].key);
        assert!(keys[0].key.len() <= READABLE + 41, "{}", keys[0].key.len());
        // The same on every machine and in every release.
        let golden = place(&key(&user("o1", "u7"), "f", &"~"));
        assert_eq!(golden.key, "organization:o1/user:u7 f@1(\"~\")~9239f6c782c175d4d91eaf9a172eaa4dc3e5f723");
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
        let of = |name: &str| place(&key(&Scope::global(), name, &1)).groups[0].clone();
        assert_eq!((of("app::load<u8>"), of("app::load<i8>")), (of("app::load"), of("app::load")));
        assert_eq!(of("app::load"), function_group("app::load", 1));
        assert_ne!(function_group("app::load", 1), function_group("app::load", 2));
    }
}
