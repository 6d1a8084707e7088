//! What things are called in the collection, which several namespaces may share.

/// The names of one namespace.
///
/// Keys and groups begin with the namespace and `:`, what belongs to the namespace itself with the namespace
/// and `;`. As neither sign is left in an escaped namespace, no namespace lies inside another.
#[derive(Debug, Clone)]
pub(super) struct Names {
    namespace: String,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Self {
        let mut escaped = String::with_capacity(namespace.len());
        for sign in namespace.chars() {
            match sign {
                '%' => escaped.push_str("%25"),
                ':' => escaped.push_str("%3A"),
                ';' => escaped.push_str("%3B"),
                _ => escaped.push(sign),
            }
        }
        Self { namespace: escaped }
    }

    /// The `_id` of a key.
    pub(super) fn id(&self, key: &str) -> String {
        format!("{}:{key}", self.namespace)
    }

    /// The key of an `_id`.
    pub(super) fn key<'a>(&self, id: &'a str) -> Option<&'a str> {
        id.strip_prefix(self.namespace.as_str())?.strip_prefix(':')
    }

    /// What a group is called in the index.
    pub(super) fn group(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    /// The `_id` of the document that notices are told by.
    pub(super) fn notices(&self) -> String {
        format!("{};notices", self.namespace)
    }

    /// The `_id`s of the keys that begin with `prefix`: from the first, to before the second.
    pub(super) fn keys(&self, prefix: &str) -> (String, String) {
        let first = self.id(prefix);
        let end = end_of(&first);
        (first, end)
    }

    /// All `_id`s of the namespace: from the first, to before the second.
    pub(super) fn all(&self) -> (String, String) {
        (self.id(""), format!("{}<", self.namespace))
    }
}

/// The first text after all that begin with `prefix`, in the order of their bytes, which is that of their
/// letters. There is one, as `prefix` has a `:`.
fn end_of(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // A range of letters has no surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_08_no_namespace_lies_inside_another() {
        let names = ["", "a", "a:b", "a;", "a%", "a%3A", "ab", "a<", ":", "A"].map(Names::new);
        for one in &names {
            for other in &names {
                let (first, end) = one.all();
                for id in [other.id(""), other.id("k"), other.id("\u{10ffff}"), other.notices()] {
                    let inside = first <= id && id < end;
                    assert_eq!(inside, one.namespace == other.namespace, "{id:?} in {first:?}..{end:?}");
                }
            }
        }
    }

    #[test]
    fn hazard_08_a_range_of_keys_is_what_begins_with_the_prefix() {
        let names = Names::new("app");
        let keys =
            ["", "a", "a/", "a0", "b", "a\u{d7ff}", "a\u{d7ff}x", "a\u{e000}", "a\u{10ffff}", "a\u{10ffff}z"];
        for prefix in ["", "a", "a/", "a\u{d7ff}", "a\u{10ffff}", "\u{10ffff}"] {
            let (first, end) = names.keys(prefix);
            for key in keys {
                let id = names.id(key);
                assert_eq!(first <= id && id < end, key.starts_with(prefix), "{key:?} in {prefix:?}");
            }
        }
    }

    #[test]
    fn a_key_comes_back_from_its_id() {
        let names = Names::new("a:b");
        assert_eq!(names.key(&names.id("x:y")), Some("x:y"));
        assert_eq!(names.key("a:b:x"), None);
    }
}
