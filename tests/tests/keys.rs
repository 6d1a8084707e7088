//! Which function an entry is of, and the bytes of whole keys (hazards 1, 4 and 5, invariant 1).

use cacheado::prelude::*;
use cacheado::{Key, with_cache};

cacheado::scopes! {
    mod scopes {
        organization(org_id: OrgId) { user(user_id) }
    }
}

#[derive(Debug, Clone, PartialEq, KeyPart)]
struct OrgId(String);

fn alone(test: impl FnOnce(&Cache)) {
    let cache = Cache::new();
    with_cache(&cache, || test(&cache));
}

mod north {
    #[cacheado::cached]
    pub fn capital(n: u8) -> &'static str {
        ["Oslo", "Helsinki"][usize::from(n)]
    }
    pub mod capital {
        #[cacheado::cached]
        pub fn capital(n: u8) -> &'static str {
            ["inner", "inner"][usize::from(n)]
        }
    }
}

mod south {
    #[cacheado::cached]
    pub fn capital(n: u8) -> &'static str {
        ["Roma", "Lisboa"][usize::from(n)]
    }
}

#[test]
fn hazard_01_one_name_in_two_modules() {
    alone(|cache| {
        assert_eq!(
            (north::capital(0), south::capital(0), north::capital::capital(0)),
            ("Oslo", "Roma", "inner")
        );
        assert_eq!(
            (north::capital(0), south::capital(0), north::capital::capital(0)),
            ("Oslo", "Roma", "inner")
        );
        assert_eq!((cache.stats().total_keys, cache.stats().hits), (3, 3));
        assert_eq!(north::capital_cache().evict_all().unwrap(), 1);
        assert_eq!(cache.stats().total_keys, 2);
        let names = [north::capital_cache().name().to_owned(), south::capital_cache().name().to_owned()];
        assert_eq!(names, ["keys::north::capital", "keys::south::capital"]);
    });
}

#[test]
fn hazard_01_one_name_in_two_blocks() {
    fn first() -> u8 {
        #[cached]
        fn inner() -> u8 {
            1
        }
        inner()
    }
    fn second() -> [u8; 2] {
        let a = {
            #[cached]
            fn inner() -> u8 {
                2
            }
            inner()
        };
        let b = {
            #[cached]
            fn inner() -> u8 {
                3
            }
            inner()
        };
        [a, b]
    }
    alone(|_| {
        for _ in 0..2 {
            assert_eq!((first(), second()), (1, [2, 3]));
        }
    });
}

struct A;
struct B;
struct Of<T>(T);

impl A {
    #[cached]
    fn name(n: u8) -> String {
        format!("A{n}")
    }
}

impl B {
    #[cached]
    fn name(n: u8) -> String {
        format!("B{n}")
    }
}

impl<T: Named> Of<T> {
    #[cached]
    fn name(n: u8) -> String {
        format!("Of {} {n}", T::NAME)
    }

    #[cached]
    fn pair<U: Named>(n: u8) -> String {
        format!("{} {} {n}", T::NAME, U::NAME)
    }
}

trait Named {
    const NAME: &'static str;
    fn trait_name(n: u8) -> String;
}

impl Named for A {
    const NAME: &'static str = "A";
    #[cached(companions = false)]
    fn trait_name(n: u8) -> String {
        format!("trait A {n}")
    }
}

impl Named for B {
    const NAME: &'static str = "B";
    #[cached(companions = false)]
    fn trait_name(n: u8) -> String {
        format!("trait B {n}")
    }
}

impl<T: Named> Named for Of<T> {
    const NAME: &'static str = "Of";
    #[cached(companions = false)]
    fn trait_name(n: u8) -> String {
        format!("trait Of {} {n}", T::NAME)
    }
}

#[test]
fn hazard_01_one_name_in_two_types_traits_and_instances() {
    alone(|cache| {
        for _ in 0..2 {
            assert_eq!(
                [A::name(1), B::name(1), Of::<A>::name(1), Of::<B>::name(1)],
                ["A1", "B1", "Of A 1", "Of B 1"]
            );
            assert_eq!([A::trait_name(1), B::trait_name(1)], ["trait A 1", "trait B 1"]);
            assert_eq!(
                [Of::<A>::trait_name(1), Of::<Of<B>>::trait_name(1)],
                ["trait Of A 1", "trait Of Of 1"]
            );
            assert_eq!([Of::<A>::pair::<B>(1), Of::<B>::pair::<A>(1)], ["A B 1", "B A 1"]);
        }
        assert_eq!((cache.stats().total_keys, cache.stats().hits), (10, 10));
        assert_eq!(Of::<A>::name_entry(1).peek().unwrap().unwrap(), "Of A 1");
        assert_eq!(Of::<A>::pair_entry::<B>(1).peek().unwrap().unwrap(), "A B 1");
        assert_ne!(Of::<A>::name_entry(1).key(), Of::<B>::name_entry(1).key());
        // All instances go together.
        assert_eq!(Of::<A>::name_cache().evict_all().unwrap(), 2);
        assert_eq!(A::name_cache().evict_all().unwrap(), 1);
        assert_eq!(B::name(1), "B1");
        assert_eq!(B::name_cache().stats().hits, 2);
    });
}

macro_rules! types_with_a_name {
    ($($type:ident $text:literal;)+) => {$(
        struct $type;
        impl $type {
            #[cached]
            fn written(n: u8) -> String {
                format!("{} {n}", $text)
            }
        }
    )+};
}

types_with_a_name! { C "C"; D "D"; }

macro_rules! functions {
    ($($name:ident $text:literal;)+) => {$(
        #[cached]
        fn $name(n: u8) -> String {
            format!("{} {n}", $text)
        }
    )+};
}

functions! { written_e "E"; written_f "F"; }

#[test]
fn hazard_01_functions_that_one_macro_writes() {
    alone(|_| {
        for _ in 0..2 {
            assert_eq!(
                [C::written(1), D::written(1), written_e(1), written_f(1)],
                ["C 1", "D 1", "E 1", "F 1"]
            );
        }
        assert_ne!(C::written_entry(1).key(), D::written_entry(1).key());
        assert!(C::written_entry(1).evict().unwrap());
        assert_eq!(D::written_entry(1).peek().unwrap().unwrap(), "D 1");
    });
}

#[test]
fn hazard_01_methods_that_one_macro_writes_are_not_one_function() {
    alone(|_| {
        drop((C::written(1), D::written(1), D::written(2)));
        assert_eq!(C::written_cache().stats().misses, 1, "statistics of the other type");
        assert_eq!(C::written_cache().evict_all().unwrap(), 1, "entries of the other type");
        assert_eq!(D::written_entry(1).peek().unwrap().unwrap(), "D 1");
    });
}

#[cached]
fn name_of<T: Named>() -> &'static str {
    T::NAME
}

// As a derive does it: `type_name` of both is `keys::_::Local`.
macro_rules! in_a_const {
    ($function:ident $name:literal) => {
        const _: () = {
            struct Local;
            impl Named for Local {
                const NAME: &'static str = $name;
                fn trait_name(_: u8) -> String {
                    String::new()
                }
            }
            impl Of<u8> {
                fn $function() -> &'static str {
                    name_of::<Local>()
                }
            }
        };
    };
}

in_a_const!(first "first");
in_a_const!(second "second");

#[test]
fn hazard_01_types_of_one_name_do_not_share_instances() {
    alone(|_| assert_eq!((Of::<u8>::first(), Of::<u8>::second()), ("first", "second")));
}

#[cached(name = "keys.stable", version = 1)]
fn stable_v1(n: u8) -> u8 {
    n
}

#[cached(name = "keys.stable", version = 2)]
fn stable_v2(n: u8) -> u8 {
    n + 100
}

#[test]
fn hazard_05_versions_do_not_share_entries() {
    alone(|cache| {
        assert_eq!((stable_v1(1), stable_v2(1)), (1, 101));
        assert_ne!(stable_v1_entry(1).key(), stable_v2_entry(1).key());
        assert!(cache.evict_key(&stable_v1_entry(1).key()).unwrap());
        assert_eq!(
            (stable_v1_entry(1).peek().unwrap(), stable_v2_entry(1).peek().unwrap()),
            (None, Some(101))
        );
    });
}

#[cached(name = "keys.golden", version = 3, scope = "user")]
fn golden(org_id: &OrgId, user_id: u64, page: Option<i32>, tags: &[&str]) -> u8 {
    0
}

#[cached(name = "keys.plain")]
fn plain() -> u8 {
    0
}

impl Named for Vec<u8> {
    const NAME: &'static str = "Vec";
    #[cached(companions = false, name = "keys.trait")]
    fn trait_name(_: u8) -> String {
        String::new()
    }
}

trait Priced {
    fn price(&self, n: u8) -> u32;
}

impl Priced for A {
    #[cached(companions = false, name = "keys.price", skip(self))]
    fn price(&self, n: u8) -> u32 {
        n.into()
    }
}

#[test]
fn hazard_04_whole_keys_have_these_bytes() {
    let org = OrgId("o1".into());
    let mut expected = vec![1, 0x0E, 2, 0, 0, 0, 0, 0, 0, 0];
    expected.extend(b"\x8Corganization\x82o1\x84user\x817");
    expected.extend(b"\x8Bkeys.golden\x05\x03\0\0\0\0\0\0\0");
    // The four arguments: the scope adds nothing to them.
    expected.extend(b"\x24\x82o1\x05\x07\0\0\0\0\0\0\0\x02\x06");
    expected.extend((-5_i64).to_le_bytes());
    expected.extend(b"\x0E\x02\0\0\0\0\0\0\0\x81a\x81b");
    let key = golden_entry(&org, 7, Some(-5), &["a", "b"]).key();
    assert_eq!(key.as_bytes(), expected, "\n{}", key.as_bytes().escape_ascii());

    let mut expected = vec![1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0];
    expected.extend(b"\x8Akeys.plain\x05\0\0\0\0\0\0\0\0");
    expected.extend(plain_entry().key().args());
    assert_eq!(plain_entry().key().as_bytes(), expected);
    assert!(matches!(plain_entry().key().args(), [0x00 | 0x20]));
    alone(|cache| {
        golden(&org, 7, Some(-5), &["a", "b"]);
        plain();
        assert!(cache.evict_key(&key).unwrap());
        assert!(cache.evict_key(&plain_entry().key()).unwrap());
    });
}

#[test]
fn hazard_04_a_stable_name_is_all_that_a_key_has_of_a_function() {
    let cache = Cache::new();
    with_cache(&cache, || assert_eq!(A.price(1), 1));
    assert_eq!(cache.stats_by_function().into_keys().collect::<Vec<_>>(), ["keys.price"]);
}

/// What the entries of these functions are called.
fn keys_of_many() -> [Key; 8] {
    [
        north::capital_entry(0).key(),
        south::capital_entry(0).key(),
        north::capital::capital_entry(0).key(),
        A::name_entry(0).key(),
        B::name_entry(0).key(),
        stable_v1_entry(0).key(),
        stable_v2_entry(0).key(),
        golden_entry(&OrgId("o1".into()), 7, None, &[]).key(),
    ]
}

#[test]
fn hazard_01_keys_are_the_same_where_nothing_is_cached() {
    let keys = with_cache(&Cache::disabled(), keys_of_many);
    assert_eq!(keys, with_cache(&Cache::new(), keys_of_many));
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{key} is that of another function");
    }
}

struct Fails;

impl serde::Serialize for Fails {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[test]
fn hazard_18_a_key_that_fails_leaves_nothing_behind_whatever_keys_are_made_while_it_is() {
    /// Uses another cache while it is encoded.
    struct Busy<'c>(&'c Cache);
    impl KeyPart for Busy<'_> {
        fn encode<S: cacheado::key::KeySink + ?Sized>(&self, sink: &mut S) {
            self.0.set("used", &1_u8, Ttl::Never).unwrap();
            sink.unit();
        }
    }
    #[cached(cache = cache, skip(cache))]
    fn found(cache: &Cache, first: impl KeyPart, second: impl KeyPart) -> u8 {
        1
    }
    let (cache, other) = (Cache::new(), Cache::new());
    let fails = || cacheado::key::Serde(Fails);
    for _ in 0..10 {
        cache.set((fails(), Busy(&other)), &1_u8, Ttl::Never).unwrap();
        cache.set((Busy(&other), fails()), &1_u8, Ttl::Never).unwrap();
        assert_eq!((found(&cache, fails(), Busy(&other)), found(&cache, Busy(&other), fails())), (1, 1));
        cache.set(Busy(&other), &1_u8, Ttl::Never).unwrap();
    }
    let stats = cache.stats();
    assert_eq!((stats.total_keys, stats.bypassed, other.stats().total_keys), (1, 40, 1), "{stats}");
}

#[test]
fn hazard_18_a_key_that_fails_to_serialize_leaves_nothing_behind() {
    // Spelled like what a failure encodes as.
    #[derive(serde::Serialize)]
    enum Works {
        #[serde(rename = "serde-error")]
        Error(&'static str),
    }
    #[cached(key = cacheado::key::Serde(&filter))]
    fn found<F: serde::Serialize + 'static>(filter: F) -> u8 {
        1
    }
    let remote = || Cache::builder().backend(cacheado::backends::SharedMemory::new()).build().unwrap();
    for cache in [Cache::new(), remote()] {
        with_cache(&cache, || {
            for _ in 0..10 {
                assert_eq!((found(Fails), found_entry::<Fails>(Fails).peek().unwrap()), (1, None));
                cache.set(cacheado::key::Serde(Fails), &1_u8, Ttl::Never).unwrap();
                assert_eq!(found(Works::Error("no")), 1);
            }
        });
        let stats = cache.stats();
        assert_eq!((stats.total_keys, stats.hits, stats.misses, stats.bypassed), (1, 9, 1, 20), "{stats}");
    }
}
