//! The `static` that generated code holds for each annotated function.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Identity, InstanceId, Keep, Policy, SingleFlight};

/// One annotated function of the program.
///
/// A function's siblings hold a `Site` each, as generated code cannot name one from another; what they
/// have in common is where the attribute stands.
#[derive(Debug)]
pub struct Site {
    place: Place,
    policy: Policy,
    level: Option<&'static str>,
    /// The number of the site in this process, from 1; 0 before its first use.
    number: AtomicU32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    module: &'static str,
    function: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
    nth: u32,
    name: Option<&'static str>,
    version: u32,
}

impl Place {
    /// Whether one macro by example has written both, or one file is in two modules: else no two attributes stand in the
    /// same place.
    fn is_beside(self, other: Self) -> bool {
        (self.file, self.line, self.column) == (other.file, other.line, other.column)
    }
}

static NUMBERS: Mutex<Option<HashMap<Place, u32>>> = Mutex::new(None);

/// Which instance of which site has an identity and version outside of this process: the first one that was called.
static OWNERS: Mutex<Option<HashMap<(String, u32), Owner>>> = Mutex::new(None);

struct Owner {
    place: Place,
    types: TypeId,
    /// `None` until the function itself has been called.
    marker: Option<TypeId>,
}

impl Site {
    /// A function where the attribute stands.
    #[must_use]
    pub const fn new(
        module: &'static str,
        function: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        Self {
            place: Place { module, function, file, line, column, nth: 1, name: None, version: 0 },
            policy: Policy::new(),
            level: None,
            number: AtomicU32::new(0),
        }
    }

    /// Which of the functions of this name, from 1: those that a macro by example writes have all the place of its
    /// invocation.
    #[must_use]
    pub const fn nth(mut self, nth: u32) -> Self {
        self.place.nth = nth;
        self
    }

    /// `name = "…"`.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.place.name = Some(name);
        self
    }

    /// `version = …`.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.place.version = version;
        self
    }

    /// `scope = "…"`: the level.
    #[must_use]
    pub const fn level(mut self, level: &'static str) -> Self {
        self.level = Some(level);
        self
    }

    /// `scope = ambient`.
    #[must_use]
    pub const fn ambient_scope(mut self) -> Self {
        self.policy.ambient_scope = true;
        self.level("ambient")
    }

    /// `cache = …`.
    #[must_use]
    pub const fn own_cache(mut self) -> Self {
        self.policy.own_cache = true;
        self
    }

    /// `ttl = …`, where it is a literal.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.policy.ttl = Some(ttl);
        self
    }

    /// `cache_none`.
    #[must_use]
    pub const fn cache_none(mut self, keep: Keep) -> Self {
        self.policy.cache_none = keep;
        self
    }

    /// `cache_err`.
    #[must_use]
    pub const fn cache_err(mut self, keep: Keep) -> Self {
        self.policy.cache_err = keep;
        self
    }

    /// `single_flight = …`.
    #[must_use]
    pub const fn single_flight(mut self, whom: SingleFlight) -> Self {
        self.policy.single_flight = whom;
        self
    }

    /// `stale = …`.
    #[must_use]
    pub const fn stale(mut self, grace: Duration) -> Self {
        self.policy.stale = grace;
        self
    }

    /// `stale_if_error = …`.
    #[must_use]
    pub const fn stale_if_error(mut self, grace: Duration) -> Self {
        self.policy.stale_if_error = grace;
        self
    }

    /// `early = …`: the beta.
    #[must_use]
    pub const fn early(mut self, beta: f64) -> Self {
        self.policy.early = beta;
        self
    }

    /// `jitter = …`: from 0 to 1.
    #[must_use]
    pub const fn jitter(mut self, fraction: f64) -> Self {
        self.policy.jitter = fraction;
        self
    }

    /// `timeout = …`.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.policy.timeout = Some(limit);
        self
    }

    /// `local`: values never leave the process.
    #[must_use]
    pub const fn local(self) -> Self {
        self
    }

    /// `remote`: the compiler has checked that values can leave the process.
    #[must_use]
    pub const fn remote(self) -> Self {
        self
    }

    pub(crate) fn policy(&'static self) -> &'static Policy {
        &self.policy
    }

    pub(crate) fn version_number(&self) -> u32 {
        self.place.version
    }

    pub(crate) fn scope_level(&self) -> &'static str {
        self.level.unwrap_or("global")
    }

    /// The number of the site, the same for all siblings. 0 if it has not been given one.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    /// Gives the site a number if it has none.
    pub(crate) fn enrol(&self) -> u32 {
        match self.number() {
            0 => self.enrol_now(),
            number => number,
        }
    }

    #[cold]
    fn enrol_now(&self) -> u32 {
        let number = {
            let mut numbers = NUMBERS.lock();
            let numbers = numbers.get_or_insert_default();
            let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
            *numbers.entry(self.place).or_insert(next)
        };
        self.number.store(number, Ordering::Relaxed);
        number
    }

    /// The identity of one instance of the function: `name = "…"`, else crate, module and function, with
    /// the type and the generic arguments where there are any, as the compiler spells them.
    pub(crate) fn identity(&self, instance: &str) -> String {
        let Place { module, function, .. } = self.place;
        let plain = format!("{module}::{function}");
        let generic = instance != plain;
        match self.place.name {
            None if generic => instance.to_owned(),
            None => plain,
            // A stable name must still tell the instances of a generic function apart.
            Some(name) => format!("{name}{}", arguments(instance)),
        }
    }

    /// The same, with the version, of the instance whose path is given.
    pub(crate) fn identified(&self, path: &str) -> Identity {
        Identity {
            name: self.identity(path).into(),
            bare: self.identity(&without_arguments(path)).into(),
            version: self.version_number(),
        }
    }

    /// Whether the identity of this instance, whose path is given, is its own in a store that other processes
    /// share. Two functions in two blocks of one function are spelled alike, as are two types, and any two closures.
    /// A `name` that two functions were given is theirs, if it was not one macro by example that gave it to both.
    pub(crate) fn owns_identity(&self, path: &str, instance: InstanceId) -> bool {
        if has_closure_argument(path) {
            return false;
        }
        let types = instance.types;
        let marker = (!instance.is_sibling()).then_some(instance.marker);
        let mut owners = OWNERS.lock();
        let owners = owners.get_or_insert_default();
        let owner = owners.entry((self.identity(path), self.version_number())).or_insert(Owner {
            place: self.place,
            types,
            marker,
        });
        if owner.place != self.place {
            return self.place.name.is_some() && !self.place.is_beside(owner.place);
        }
        let is_same =
            owner.types == types && (owner.marker == marker || owner.marker.is_none() || marker.is_none());
        if is_same {
            owner.marker = owner.marker.or(marker);
        }
        is_same
    }

    /// The path of the function's instance.
    pub(crate) fn path(&self, instance: InstanceId) -> String {
        self.path_of((instance.name)(), instance.suffix)
    }

    /// The same, from the type name of a closure written in the function or, with the `suffix` of its name,
    /// in a sibling.
    fn path_of(&self, closure: &str, suffix: &str) -> String {
        let mut path = closure;
        while let Some(outer) = path.strip_suffix("::{{closure}}") {
            path = outer;
        }
        let function = self.place.function;
        let name = format!("::{function}{suffix}");
        match path.match_indices(&name).map(|(at, _)| at).find(|at| is_end(&path[at + name.len()..])) {
            Some(at) if !suffix.is_empty() => {
                format!("{}::{function}{}", &path[..at], &path[at + name.len()..])
            }
            _ => path.to_owned(),
        }
    }
}

/// Whether this is what may follow the last name in a path: its generic arguments or nothing.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || (rest.starts_with('<') && closing(rest) == Some(rest.len()))
}

/// A path without its generic arguments: of `<app::R<u8> as app::T>::f<i8>`, `<app::R as app::T>::f`.
pub(crate) fn without_arguments(path: &str) -> String {
    let mut plain = String::new();
    let mut rest = path;
    while let Some(open) = rest.find('<') {
        let close = closing(&rest[open..]).map_or(rest.len(), |len| open + len);
        plain += &rest[..open];
        if plain.is_empty() || plain.ends_with("::") {
            // A segment of the path: its own arguments go, its brackets stay.
            plain.push('<');
            plain += &without_arguments(&rest[open + 1..close]);
        }
        rest = &rest[close..];
    }
    plain + rest
}

/// The generic arguments in a path, in angle brackets: of `<app::R<u8> as app::T>::f<i8>`, `<u8><i8>`.
fn arguments(path: &str) -> String {
    let mut arguments = String::new();
    let mut rest = path;
    while let Some(open) = rest.find('<') {
        let close = closing(&rest[open..]).map_or(rest.len(), |len| open + len);
        let group = &rest[open..close];
        // `<T as Trait>` and `<impl T>` are segments of the path, whose own arguments count.
        if open == 0 || rest[..open].ends_with("::") {
            arguments += &self::arguments(group.trim_start_matches('<'));
        } else {
            arguments += group;
        }
        rest = &rest[close..];
    }
    arguments
}

/// Whether there is a closure among the generic arguments in a path.
fn has_closure_argument(path: &str) -> bool {
    let mut rest = path;
    while let Some(open) = rest.find('<') {
        let close = closing(&rest[open..]).map_or(rest.len(), |len| open + len);
        if rest[open..close].contains("{{") {
            return true;
        }
        rest = &rest[close..];
    }
    false
}

/// The length of the bracketed group that the text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match character {
            '<' => depth += 1,
            // `->` in a function type closes nothing.
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        at += literal(&text[at..]).unwrap_or(character.len_utf8());
        if depth == 0 {
            return Some(at);
        }
        previous = character;
    }
    None
}

/// The length of the character literal that the text begins with. `'a` alone is a lifetime.
pub(crate) fn literal(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let escape = usize::from(inner.starts_with('\\'));
    let character = escape + inner[escape..].chars().next()?.len_utf8();
    let rest = inner[character..].find('\'')?;
    (escape == 1 || rest == 0).then_some(character + rest + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    static SITE: Site = site();

    const fn site() -> Site {
        Site::new("app::billing", "invoice", "src/billing.rs", 10, 1)
    }

    #[test]
    fn a_free_function_is_named_by_its_module() {
        let path = SITE.path_of("app::billing::invoice::{{closure}}", "");
        assert_eq!(SITE.identity(&path), "app::billing::invoice");
        let path = SITE.path_of("app::billing::invoice::{{closure}}::{{closure}}", "");
        assert_eq!(SITE.identity(&path), "app::billing::invoice");
    }

    #[test]
    fn hazard_01_methods_of_two_types_in_one_module_differ() {
        let a = SITE.path_of("app::billing::A::invoice::{{closure}}", "");
        let b = SITE.path_of("<app::billing::B as app::Trait>::invoice::{{closure}}", "");
        assert_eq!(SITE.identity(&a), "app::billing::A::invoice");
        assert_ne!(SITE.identity(&a), SITE.identity(&b));
    }

    #[test]
    fn the_entry_sibling_is_in_the_same_instance() {
        for (entry, own) in [
            ("app::billing::invoice_entry::{{closure}}", "app::billing::invoice::{{closure}}"),
            (
                "app::billing::R<u8>::invoice_entry<i8>::{{closure}}",
                "app::billing::R<u8>::invoice<i8>::{{closure}}",
            ),
        ] {
            assert_eq!(SITE.path_of(entry, "_entry"), SITE.path_of(own, ""));
        }
    }

    #[test]
    fn a_sibling_is_not_looked_for_elsewhere_in_its_path() {
        for (entry, own) in [
            ("app::invoice_entry<app::invoice_entry::Line>", "app::invoice<app::invoice_entry::Line>"),
            ("app::invoice_entry<app::invoice_entry<u8>>", "app::invoice<app::invoice_entry<u8>>"),
            (
                "app::R<app::invoice_entry_v2::Id>::invoice_entry",
                "app::R<app::invoice_entry_v2::Id>::invoice",
            ),
            ("app::invoice_entry::Q::invoice_entry<u8>", "app::invoice_entry::Q::invoice<u8>"),
        ] {
            assert_eq!(SITE.path_of(&format!("{entry}::{{{{closure}}}}"), "_entry"), own);
        }
    }

    #[test]
    fn brackets_in_character_literals_close_nothing() {
        for arguments in
            ["<'<'>", "<'>', u8>", "<'\\'', '>'>", "<&'a u8, '>'>", "<'-'>", "<'\\u{301}', fn() -> u8>"]
        {
            assert_eq!(closing(&format!("{arguments}::f")), Some(arguments.len()), "{arguments}");
            assert_eq!(without_arguments(&format!("app::R{arguments}::f{arguments}")), "app::R::f");
        }
    }

    #[test]
    fn the_cache_sibling_covers_all_generic_instances_of_one_type() {
        for (cache, own) in [
            ("app::billing::A::invoice_cache::{{closure}}", "app::billing::A::invoice"),
            ("app::billing::R<u8>::invoice_cache::{{closure}}", "app::billing::R<i8>::invoice<u8>"),
            (
                "<app::R<u8> as app::T<i8>>::invoice_cache::{{closure}}",
                "<app::R<fn() -> u8> as app::T>::invoice",
            ),
        ] {
            let cache = SITE.path_of(cache, "_cache");
            assert_eq!(without_arguments(&cache), without_arguments(own));
        }
        assert_ne!(without_arguments("app::A<u8>::f"), without_arguments("app::B<u8>::f"));
    }

    #[test]
    fn a_stable_name_keeps_generic_instances_apart() {
        let site = site().name("billing.invoice");
        assert_eq!(site.identity("app::billing::invoice"), "billing.invoice");
        assert_eq!(site.identity("app::billing::A::invoice"), "billing.invoice");
        assert_eq!(site.identity("app::billing::invoice<u8>"), "billing.invoice<u8>");
        assert_eq!(site.identity("<app::A as app::Trait>::invoice"), "billing.invoice");
        assert_eq!(
            site.identity("<app::A<u8> as app::Trait>::invoice<fn() -> i8>"),
            "billing.invoice<u8><fn() -> i8>"
        );
        assert_eq!(site.identity("app::<impl app::R<&u8>>::invoice"), "billing.invoice<&u8>");
    }
}
