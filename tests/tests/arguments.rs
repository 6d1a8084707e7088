//! What tells the entries of one function apart: its arguments (hazards 2, 3 and 6, invariant 1).

#![allow(
    clippy::many_single_char_names,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    reason = "arguments of every form"
)]

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use cacheado::key::{KeyPart, KeySink, Serde};
use cacheado::prelude::*;
use cacheado::with_cache;
use cacheado_tests::Counter;

#[derive(Debug, Clone, PartialEq, KeyPart)]
struct OrgId(String);

fn alone(test: impl FnOnce(&Cache)) {
    let cache = Cache::new();
    with_cache(&cache, || test(&cache));
}

/// How many of the calls ran a body.
fn bodies(cache: &Cache, calls: impl FnOnce()) -> u64 {
    let before = cache.stats().misses;
    calls();
    cache.stats().misses - before
}

#[cached]
fn text(first: &str, second: &str) -> String {
    format!("{first}|{second}")
}

#[cached]
fn optional(of: Option<&str>) -> Option<usize> {
    Some(of.map_or(100, str::len))
}

#[cached]
fn lists(a: &[u8], b: &[u8]) -> usize {
    a.len() * 10 + b.len()
}

#[cached]
fn map(of: &HashMap<String, u32>, set: HashSet<u8>) -> u32 {
    of.values().sum::<u32>() + u32::from(set.iter().sum::<u8>())
}

#[cached]
fn float(of: f64) -> String {
    format!("{of:?}")
}

/// A float of which only the bits are at hand.
#[derive(Clone, Copy)]
struct Bits(u64);

impl KeyPart for Bits {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.float64(self.0);
    }
}

#[cached]
fn bits(of: Bits) -> String {
    format!("{:?}", f64::from_bits(of.0))
}

#[cached(key = Serde(of))]
fn serialized(of: &BTreeMap<String, Option<Vec<i8>>>) -> String {
    format!("{of:?}")
}

#[cached(key = Serde(of))]
fn unordered(of: &HashMap<String, u8>) -> usize {
    of.len()
}

#[test]
fn hazard_02_03_arguments_that_look_alike() {
    alone(|cache| {
        let pairs = [("a:b", ""), ("a", "b"), ("ab", ""), ("", "ab"), ("a", ":b"), ("a::b", ""), ("", "")];
        assert_eq!(
            bodies(cache, || pairs.iter().for_each(|(a, b)| assert_eq!(text(a, b), format!("{a}|{b}")))),
            pairs.len() as u64
        );
        assert_eq!(
            (optional(None), optional(Some("")), optional(Some("None"))),
            (Some(100), Some(0), Some(4))
        );
        assert_eq!((lists(&[1, 2], &[3]), lists(&[1], &[2, 3]), lists(&[], &[1, 2, 3])), (21, 12, 3));
        let floats = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY];
        let texts: Vec<_> = floats.iter().map(|of| float(*of)).collect();
        assert_eq!(texts, ["0.0", "-0.0", "NaN", "NaN", "inf"]);
        assert_eq!(bodies(cache, || drop(float(f64::from_bits(f64::NAN.to_bits() ^ 1)))), 0, "NaN is NaN");
        assert_eq!(bodies(cache, || drop((bits(Bits(0x7FF0_0000_0000_0001)), bits(Bits(u64::MAX))))), 1);
    });
}

#[test]
fn hazard_03_maps_and_sets_have_no_order() {
    alone(|cache| {
        let forwards: HashMap<String, u32> = (0..50).map(|n| (n.to_string(), n)).collect();
        let backwards: HashMap<String, u32> = (0..50).rev().map(|n| (n.to_string(), n)).collect();
        let (up, down): (HashSet<u8>, HashSet<u8>) = ((0..20).collect(), (0..20).rev().collect());
        assert_eq!(
            bodies(cache, || {
                assert_eq!((map(&forwards, up.clone()), map(&backwards, down.clone())), (1_415, 1_415));
                assert_eq!((map(&forwards, down), map(&backwards, up)), (1_415, 1_415));
            }),
            1
        );
        let bytes = |n: usize| (n.to_string(), 1);
        assert_eq!(
            bodies(cache, || {
                assert_eq!(unordered(&(0..30).map(bytes).collect()), 30);
                assert_eq!(unordered(&(0..30).rev().map(bytes).collect()), 30);
            }),
            1
        );
    });
}

#[test]
fn a_key_that_serde_writes_is_found_again() {
    alone(|cache| {
        let of: BTreeMap<String, Option<Vec<i8>>> =
            [("a".into(), None), ("b".into(), Some(vec![])), ("c".into(), Some(vec![-1, 2]))].into();
        assert_eq!(bodies(cache, || (0..3).for_each(|_| drop(serialized(&of)))), 1);
        assert!(serialized_entry(&of).evict().unwrap());
        assert_eq!(bodies(cache, || drop(serialized(&of))), 1);
        assert!(cache.evict_key(&serialized_entry(&of).key()).unwrap());
    });
}

#[test]
fn every_key_is_found_again_by_its_bytes() {
    /// As wide as no tuple is.
    struct Wide(usize);
    impl KeyPart for Wide {
        fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
            sink.tuple(self.0);
            (0..self.0).for_each(|n| sink.unsigned(n as u64));
        }
    }
    #[derive(KeyPart)]
    enum Shape {
        Point,
        Circle(f32),
        Rectangle { w: u128, h: i128 },
    }
    fn check(name: &str, key: impl KeyPart) {
        let cache = Cache::new();
        let runs = Counter::new();
        let bytes = cacheado::key::encode(&key);
        for _ in 0..3 {
            cache.get_or_compute(&key, Ttl::Never, || runs.next()).unwrap();
        }
        assert_eq!((runs.get(), cache.stats().total_keys), (1, 1), "{name}: not found again");
        let whole = {
            // A key of the same bytes, as a rule or another process has it.
            let mut whole = vec![1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0];
            whole.extend(bytes);
            cacheado::Key::from_bytes(&whole).unwrap()
        };
        assert!(cache.evict_key(&whole).unwrap(), "{name}: not found by its bytes");
    }
    check("unit", ());
    check("numbers", (u64::MAX, i64::MIN, u128::MAX, i128::MIN, -1_i8));
    check("floats", (f32::NAN, -0.0_f32, f64::MIN_POSITIVE));
    check("texts", ("", "x".repeat(63), "x".repeat(64), 'é', "\0"));
    check("bytes", (vec![0_u8; 300], [1_u8, 2], b"abc"));
    check("options", (Some(None::<u8>), None::<Option<u8>>, Some(())));
    check("collections", (vec![vec![1], vec![]], BTreeMap::from([(1, "a")]), HashSet::from([(1, 2)])));
    check("pointers", (Arc::new(1), Box::new("b"), std::borrow::Cow::Borrowed("c")));
    check("time", std::time::Duration::from_nanos(1));
    check("shapes", (Shape::Point, Shape::Circle(1.5), Shape::Rectangle { w: 1, h: -1 }));
    check("many", ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)));
    check("serde", Serde(HashMap::from([("a", Some(1.5_f32)), ("b", None)])));
    check("a tuple of 31", Wide(31));
    check("a tuple of 32", Wide(32));
    check("a tuple of 300", Wide(300));
}

#[cached]
fn twenty(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: u8,
    p: u8,
    q: u8,
    r: u8,
    s: u8,
    t: u8,
) -> u32 {
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t].iter().map(|n| u32::from(*n)).sum()
}

#[test]
fn twenty_arguments() {
    alone(|cache| {
        let call = |last, first| twenty(first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
        assert_eq!((call(1, 0), call(2, 0), call(0, 1), call(1, 0)), (1, 2, 1, 1));
        assert_eq!(cache.stats().total_keys, 3);
    });
}

/// Something whose methods look at it.
#[derive(Clone, KeyPart)]
struct Shop {
    id: u32,
    #[key(skip)]
    calls: Arc<Counter>,
}

impl Shop {
    #[cached(key(self, n))]
    fn price(&self, n: u32) -> u32 {
        self.calls.next();
        self.id * 100 + n
    }

    #[cached(skip(self))]
    fn shared(&self, n: u32) -> u32 {
        self.calls.next();
        n
    }

    #[cached(key = self.id)]
    fn own(self) -> u32 {
        self.id
    }
}

#[test]
fn hazard_06_self_in_the_key() {
    alone(|_| {
        let (one, two) = (Shop { id: 1, calls: Arc::default() }, Shop { id: 2, calls: Arc::default() });
        assert_eq!((one.price(5), two.price(5), one.price(5)), (105, 205, 105));
        assert_eq!((one.calls.take(), two.calls.take()), (1, 1));
        assert_eq!((one.shared(5), two.shared(5)), (5, 5));
        assert_eq!((one.calls.take(), two.calls.take()), (1, 0));
        assert_eq!((one.own(), two.own()), (1, 2));
    });
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

fn ran() -> usize {
    RUNS.replace(RUNS.get() + 1)
}

#[cached]
fn ignored(_: u32, _named: u8) -> usize {
    ran()
}

#[cached]
fn destructured((a, _): (u8, u8), [x, .., y]: [u8; 4], OrgId(id): OrgId, &z: &u8) -> String {
    ran();
    format!("{a}{x}{y}{id}{z}")
}

#[cached(skip(b, id))]
fn partly((a, b): (u8, u8), OrgId(id): OrgId) -> String {
    ran();
    format!("{a}{b}{id}")
}

#[cached(key(b))]
fn only((a, b): (u8, u8), c: u8) -> String {
    format!("{a}{b}{c}")
}

#[cached(skip(out))]
fn through(n: u8, out: &mut Vec<u8>) -> u8 {
    out.push(n);
    n
}

#[cached(refresh_if = refresh)]
fn refreshed(n: u8, refresh: bool) -> usize {
    ran()
}

#[cached(refresh_if = force || n > 100)]
fn refreshed_by_flag(n: u8, force: bool) -> usize {
    ran()
}

struct Page {
    is_stale: bool,
}

/// `is_stale` is another one's field, method, module and macro here, and part of the key.
#[cached(refresh_if = page.is_stale || page.is_stale() || is_stale::now(), skip(page))]
fn refreshed_by_field(page: &Page, n: u8, is_stale: bool) -> String {
    format!("{n} {is_stale}")
}

impl Page {
    fn is_stale(&self) -> bool {
        self.is_stale
    }
}

mod is_stale {
    pub fn now() -> bool {
        false
    }
}

mod shop {
    use std::sync::LazyLock;

    pub static CACHE: LazyLock<cacheado::Cache> = LazyLock::new(cacheado::Cache::new);
}

#[cached(cache = crate::shop::CACHE)]
fn in_a_shop(shop: u32) -> u32 {
    shop
}

/// A name in a path is none of a parameter.
#[test]
fn the_siblings_take_the_parameters_that_the_cache_comes_from() {
    assert_eq!((in_a_shop(1), in_a_shop(1)), (1, 1));
    assert_eq!(in_a_shop_cache().stats().hits, 1);
}

#[test]
fn a_flag_is_not_what_has_the_name_of_one() {
    alone(|_| {
        let page = Page { is_stale: false };
        assert_eq!(refreshed_by_field(&page, 1, false), "1 false");
        assert_eq!(refreshed_by_field(&page, 1, true), "1 true");
        assert_eq!(refreshed_by_field_cache().stats().total_keys, 2);
        let stale = Page { is_stale: true };
        assert_eq!(refreshed_by_field(&stale, 1, true), "1 true");
        assert_eq!(refreshed_by_field_cache().stats().misses, 3);
    });
}

#[cached]
fn of_impl(of: impl KeyPart + std::fmt::Display) -> String {
    of.to_string()
}

#[test]
fn hazard_06_arguments_of_every_form() {
    alone(|cache| {
        assert_eq!(
            bodies(cache, || for (a, b) in [(1, 1), (2, 1), (1, 2), (1, 1)] {
                ignored(a, b);
            }),
            3
        );

        let org = |id: &str| OrgId(id.into());
        let call = |a, x, id: &str, z| destructured((a, 9), [x, 8, 7, 6], org(id), z);
        assert_eq!(
            [call(1, 2, "o", &3), call(1, 2, "p", &3), call(1, 2, "o", &4)],
            ["126o3", "126p3", "126o4"]
        );
        assert_eq!(
            bodies(cache, || drop(destructured((1, 9), [2, 0, 7, 6], org("o"), &3))),
            1,
            "the whole argument"
        );
        assert_eq!(bodies(cache, || drop(call(1, 2, "o", &3))), 0);

        assert_eq!(
            [partly((1, 2), org("o")), partly((1, 3), org("p")), partly((2, 3), org("p"))],
            ["12o", "12o", "23p"]
        );
        assert_eq!([only((1, 2), 3), only((4, 2), 5), only((1, 3), 3)], ["123", "123", "133"]);

        let mut out = Vec::new();
        assert_eq!((through(1, &mut out), through(1, &mut out), through(2, &mut out)), (1, 1, 2));
        assert_eq!(out, [1, 2]);

        RUNS.set(0);
        assert_eq!(
            [refreshed(1, false), refreshed(1, true), refreshed(1, false), refreshed(1, true)],
            [0, 1, 1, 2]
        );
        assert_eq!(refreshed_entry(1, false).peek().unwrap(), Some(2), "the flag is no part of the key");
        let of_entry = |refresh: bool| refreshed_entry(1, refresh).get();
        assert_eq!([of_entry(false), of_entry(true), of_entry(false)], [2, 3, 3]);
        assert_eq!(refreshed_entry(1, true).peek().unwrap(), Some(3), "a look computes nothing");

        assert_eq!([of_impl(1), of_impl("1".to_owned()), of_impl('1')], ["1", "1", "1"]);
        assert_eq!(of_impl_entry(1).peek().unwrap().unwrap(), "1");
        assert_eq!(of_impl_entry("2").peek().unwrap(), None);
    });
}

#[test]
fn hazard_06_a_reference_and_its_value_are_one_key() {
    #[cached]
    fn len<T: AsRef<str> + KeyPart + ?Sized>(of: &T) -> usize {
        of.as_ref().len()
    }
    #[cached]
    fn maybe(of: Option<&String>) -> bool {
        of.is_none()
    }
    alone(|cache| {
        assert_eq!((len("abc"), len(&String::from("abcd"))), (3, 4));
        let (a, b) = (String::from("x"), String::from("x"));
        assert_eq!((maybe(Some(&a)), maybe(Some(&b)), maybe(None)), (false, false, true));
        assert_eq!(cache.stats().hits, 1);
        cache.set("k", &1_u8, Ttl::Never).unwrap();
        assert_eq!(cache.get::<u8>(String::from("k")).unwrap(), Some(1));
        assert_eq!(cache.get::<u8>(&&"k").unwrap(), Some(1));
        assert_eq!(cache.get::<u16>("k").unwrap(), None, "of another type");
        assert_eq!(cache.get::<u8>(1_u8).unwrap(), None);
    });
}

#[test]
fn hazard_06_a_flag_that_decides_on_refreshing_is_no_part_of_the_key() {
    alone(|_| {
        let first = refreshed_by_flag(1, false);
        assert_eq!(refreshed_by_flag(1, false), first);
        let second = refreshed_by_flag(1, true);
        assert_ne!(second, first);
        assert_eq!(refreshed_by_flag(1, false), second, "what the refresh has written");
        assert_ne!(refreshed_by_flag(2, false), second, "`n` is mentioned too, and is in the key");
    });
}
