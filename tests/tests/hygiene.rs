//! User items and types with the names that generated code might use (hazards 33 and 35).

#![allow(clippy::option_option, clippy::unnecessary_wraps, reason = "the types are the test")]

use std::future::Future;

use cacheado_tests::Counter;
use cacheado_tests::wait::on_one_thread;

/// Everything here has the name of something that generated code might use.
#[allow(unused, non_upper_case_globals, clippy::too_many_arguments, reason = "only the names matter")]
mod shadowed {
    #[derive(Debug, Clone, PartialEq)]
    pub enum Result<A, B = ()> {
        Ok(A),
        Err(B),
    }
    #[derive(Debug, Clone, PartialEq)]
    pub enum Option<T> {
        Some(T),
        None,
    }
    pub use self::Option::{None, Some};
    pub use self::Result::{Err, Ok};
    pub struct String;
    pub struct Vec;
    pub struct Box;
    pub struct Arc;
    pub struct Duration;
    pub struct Cache;
    pub struct Cached;
    pub struct Entry;
    pub struct Scope;
    pub struct FunctionCache;
    pub struct Lookup;
    pub struct Hit;
    pub struct Miss;
    pub struct Site;
    pub struct Probe;
    pub struct Future;
    pub trait Fn {}
    pub trait FnOnce {}
    pub trait Clone {}
    pub trait Send {}
    pub trait Sync {}
    pub trait Into {}
    pub trait KeyPart {}
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod probe {}
    pub mod __private {}
    pub fn drop() {}
    pub fn key() {}
    pub fn cache() {}
    pub fn lookup() {}
    pub fn instance() {}
    pub fn ambient() {}
    pub fn inert() {}
    pub fn stored() {}
    pub fn codec() {}
    pub const kind: u8 = 1;
    pub static SITE: u8 = 1;
    pub static __CACHEADO: u8 = 1;
    macro_rules! format {
        ($($t:tt)*) => {
            compile_error!("the user's own")
        };
    }
    macro_rules! module_path {
        ($($t:tt)*) => {
            compile_error!("the user's own")
        };
    }
    macro_rules! line {
        ($($t:tt)*) => {
            compile_error!("the user's own")
        };
    }
    pub(crate) use {format, line, module_path};

    #[cacheado::cached(ttl = 5, tags("t:{key}", "u"))]
    pub fn names(key: u8, cache: u8, call: u8, site: u8, miss: u8, value: u8, result: u8, lookup: u8) -> u8 {
        key + cache + call + site + miss + value + result + lookup
    }

    #[cacheado::cached]
    pub fn own_types(n: u8) -> Result<Option<u8>, u8> {
        match n {
            0 => Err(1),
            1 => Ok(None),
            _ => Ok(Some(n)),
        }
    }

    #[cacheado::cached(ttl = "5s")]
    pub async fn own_types_async(n: u8) -> Option<u8> {
        if n == 0 { None } else { Some(n) }
    }

    #[cacheado::cached(cache_none, cache_err = "5s")]
    pub fn real_types(n: u8) -> ::std::result::Result<::std::option::Option<u8>, ::std::string::String> {
        match n {
            0 => ::std::result::Result::Err(::std::string::String::new()),
            1 => ::std::result::Result::Ok(::std::option::Option::None),
            _ => ::std::result::Result::Ok(::std::option::Option::Some(n)),
        }
    }

    cacheado::scopes! {
        pub mod scopes {
            organization(org_id) { user(user_id) }
        }
    }

    #[cacheado::cached(scope = "user", scope_args(org_id = key), name = "shadowed.scoped")]
    pub fn scoped(key: &str, user_id: u8) -> u8 {
        let _ = key;
        user_id
    }

    #[derive(Debug, cacheado::KeyPart)]
    pub enum Shape {
        None,
        Some(u8),
        Ok { sink: u8, value: u8 },
    }

    #[cacheado::cached]
    pub fn derived(shape: &Shape) -> u8 {
        match shape {
            Shape::None => 0,
            Shape::Some(n) => *n,
            Shape::Ok { sink, value } => sink + value,
        }
    }
}

#[test]
fn hazard_33_a_type_of_the_users_own_that_is_called_phantom_data_is_in_the_key() {
    use std::marker;

    use cacheado::key::{KeyPart, encode};

    mod own {
        #[derive(cacheado::KeyPart)]
        pub struct PhantomData(pub u8);
        pub mod generic {
            #[derive(cacheado::KeyPart)]
            pub struct PhantomData<T>(pub T);
        }
    }
    #[derive(cacheado::KeyPart)]
    struct Named {
        by_path: own::PhantomData,
    }
    #[derive(cacheado::KeyPart)]
    struct Generic {
        by_path: own::generic::PhantomData<u8>,
    }
    use own::PhantomData;
    #[derive(cacheado::KeyPart)]
    struct Bare {
        imported: PhantomData,
    }
    fn differ<K: KeyPart>(of: impl Fn(u8) -> K) {
        assert_ne!(encode(&of(1)), encode(&of(2)), "{}", std::any::type_name::<K>());
    }
    differ(|n| Named { by_path: own::PhantomData(n) });
    differ(|n| Generic { by_path: own::generic::PhantomData(n) });
    differ(|n| Bare { imported: PhantomData(n) });

    /// What is no part of a key.
    struct Unit;
    #[derive(cacheado::KeyPart)]
    struct Marked<T> {
        n: u8,
        _of: marker::PhantomData<T>,
        _std: std::marker::PhantomData<T>,
        _core: ::core::marker::PhantomData<fn() -> T>,
    }
    #[derive(cacheado::KeyPart)]
    struct Unmarked {
        n: u8,
    }
    let data = || marker::PhantomData::<Unit>;
    let marked = Marked { n: 1, _of: data(), _std: data(), _core: marker::PhantomData };
    assert_eq!(encode(&marked), encode(&Unmarked { n: 1 }), "that of the standard library is not");
}

#[test]
fn hazard_33_user_items_of_every_name() {
    use shadowed::{Option, Result, Shape};
    let cache = cacheado::Cache::new();
    cacheado::with_cache(&cache, || {
        for _ in 0..2 {
            assert_eq!(shadowed::names(1, 2, 3, 4, 5, 6, 7, 8), 36);
            assert_eq!(shadowed::own_types(0), Result::Err(1));
            assert_eq!(shadowed::own_types(2), Result::Ok(Option::Some(2)));
            assert_eq!(shadowed::real_types(0), Err(String::new()));
            assert_eq!(shadowed::real_types(1), Ok(None));
            assert_eq!(shadowed::scoped("o", 3), 3);
            assert_eq!(shadowed::derived(&Shape::Some(4)) + shadowed::derived(&Shape::None), 4);
            assert_eq!(shadowed::derived(&Shape::Ok { sink: 1, value: 2 }), 3);
        }
        assert_eq!(shadowed::names_entry(1, 2, 3, 4, 5, 6, 7, 8).peek().unwrap(), Some(36));
    });
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (9, 9), "a `Result` of the user's own is a value like any other");
    assert_eq!(cache.evict_by_tag("t:1").unwrap(), 1);
    assert_eq!(cache.evict_by_scope(&shadowed::scopes::user("o", 3)).unwrap(), 1);
    on_one_thread(|| async {
        assert_eq!(shadowed::own_types_async(0).await, shadowed::Option::None);
        assert_eq!(shadowed::own_types_async_entry(0).peek().await.unwrap(), Some(shadowed::Option::None));
    });
}

mod raw {
    cacheado::scopes! {
        pub mod scopes {
            user(user_id) { r#type(r#in) }
        }
    }

    #[cacheado::cached(scope = "r#user")]
    pub fn of_user(user_id: u8) -> u8 {
        user_id
    }

    #[cacheado::cached(scope = scopes::r#type)]
    pub fn of_type(user_id: u8, r#in: u8) -> u8 {
        user_id + r#in
    }

    #[cacheado::cached(scope = "type")]
    pub fn of_keyword(user_id: u8, r#in: u8) -> u8 {
        user_id + r#in
    }
}

#[test]
fn a_level_is_the_same_however_its_name_is_written() {
    let cache = cacheado::Cache::new();
    let values = || (raw::of_user(1), raw::of_type(1, 2), raw::of_keyword(1, 2));
    assert_eq!(cacheado::with_cache(&cache, values), (1, 3, 3));
    assert_eq!(cache.evict_by_scope(&raw::scopes::r#type(1, 2)).unwrap(), 2);
    assert_eq!(cache.evict_by_scope(&raw::scopes::user(1)).unwrap(), 1);
}

mod aliases {
    pub type Outcome<T> = Result<T, Fault>;
    pub type Maybe<T> = Option<T>;
    pub type Both = Outcome<Maybe<u8>>;
    pub type Io<T> = std::io::Result<T>;
    #[derive(Debug, Clone, PartialEq)]
    pub struct Fault;
}

trait Associated {
    type Output;
    fn run(&self, runs: &Counter, n: u8) -> Self::Output;
}

struct Implementor;

impl Associated for Implementor {
    type Output = Result<u8, aliases::Fault>;

    #[cacheado::cached(companions = false, skip(self, runs))]
    fn run(&self, runs: &Counter, n: u8) -> Self::Output {
        runs.next();
        if n == 0 { Err(aliases::Fault) } else { Ok(n) }
    }
}

#[cacheado::cached(skip(runs))]
fn outcome(runs: &Counter, n: u8) -> aliases::Outcome<u8> {
    runs.next();
    if n == 0 { Err(aliases::Fault) } else { Ok(n) }
}

#[cacheado::cached(skip(runs))]
async fn maybe(runs: &Counter, n: u8) -> aliases::Maybe<u8> {
    runs.next();
    (n > 0).then_some(n)
}

#[cacheado::cached(skip(runs))]
fn both(runs: &Counter, n: u8) -> aliases::Both {
    runs.next();
    match n {
        0 => Err(aliases::Fault),
        1 => Ok(None),
        _ => Ok(Some(n)),
    }
}

#[cacheado::cached(skip(runs), cache_err = "5s", cache_none)]
fn both_kept(runs: &Counter, n: u8) -> aliases::Both {
    runs.next();
    match n {
        0 => Err(aliases::Fault),
        1 => Ok(None),
        _ => Ok(Some(n)),
    }
}

#[cacheado::cached(skip(runs))]
fn io(runs: &Counter, n: u8) -> aliases::Io<u8> {
    runs.next();
    if n == 0 { Err(std::io::Error::other("io")) } else { Ok(n) }
}

#[cacheado::cached(skip(runs))]
fn boxed_error(runs: &Counter, text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    runs.next();
    Ok(text.parse()?)
}

#[cacheado::cached(skip(runs, make))]
fn generic_error<T, E>(runs: &Counter, key: u8, make: impl Fn() -> Result<T, E>) -> Result<T, E>
where
    T: Clone + Send + Sync + 'static,
{
    runs.next();
    make()
}

#[cacheado::cached(skip(runs))]
fn nested(runs: &Counter, n: u8) -> Option<Option<Result<u8, ()>>> {
    runs.next();
    [None, Some(None), Some(Some(Err(())))][usize::from(n)]
}

fn void<T>(_: T) {}

#[test]
fn hazard_35_an_alias_hides_no_error() {
    let runs = Counter::new();
    let ran = |what: &dyn Fn()| {
        what();
        what();
        runs.take()
    };
    cacheado::with_cache(&cacheado::Cache::new(), || {
        assert_eq!([0, 1].map(|n| ran(&|| void(outcome(&runs, n)))), [2, 1]);
        assert_eq!([0, 1, 2].map(|n| ran(&|| void(both(&runs, n)))), [2, 2, 1]);
        assert_eq!([0, 1, 2].map(|n| ran(&|| void(both_kept(&runs, n)))), [1, 1, 1]);
        assert_eq!([0, 1].map(|n| ran(&|| void(io(&runs, n)))), [2, 1]);
        assert_eq!(["x", "1"].map(|text| ran(&|| void(boxed_error(&runs, text)))), [2, 1]);
        assert_eq!([0, 1].map(|n| ran(&|| void(Implementor.run(&runs, n)))), [2, 1]);
        assert_eq!([0, 1, 2].map(|n| ran(&|| void(nested(&runs, n)))), [2, 1, 1]);
        assert_eq!(ran(&|| void(generic_error(&runs, 0, || Err::<u8, _>(std::rc::Rc::new(1))))), 2);
        assert_eq!(ran(&|| void(generic_error(&runs, 1, || Ok::<u8, std::rc::Rc<u8>>(1)))), 1);
        assert_eq!(ran(&|| void(generic_error(&runs, 0, || Err::<u8, u8>(1)))), 2);
    });
    on_one_thread(|| async {
        let runs = Counter::new();
        for (n, expected) in [(0, 2), (1, 1)] {
            let _ = (maybe(&runs, n).await, maybe(&runs, n).await);
            assert_eq!(runs.take(), expected);
        }
    });
}

/// A trait with an async function, and generic implementations (E0401).
trait Service {
    fn fetch(&self, n: u8) -> impl Future<Output = String> + Send;
    async fn plain(&self, n: u8) -> Option<u8>;
}

struct Of<const N: usize, T>(T);

impl<const N: usize, T: Clone + Send + Sync + cacheado::KeyPart + ToString + 'static> Service for Of<N, T> {
    #[cacheado::cached(companions = false, key(self, n))]
    async fn fetch(&self, n: u8) -> String {
        tokio::task::yield_now().await;
        format!("{} {N} {n}", self.0.to_string())
    }

    #[cacheado::cached(companions = false, skip(self))]
    async fn plain(&self, n: u8) -> Option<u8> {
        Some(n + u8::try_from(N).ok()?)
    }
}

impl<const N: usize, T: cacheado::KeyPart> cacheado::KeyPart for Of<N, T> {
    fn encode<S: cacheado::key::KeySink + ?Sized>(&self, sink: &mut S) {
        self.0.encode(sink);
    }
}

impl<'a, const N: usize, T> Of<N, T>
where
    T: Clone + Send + Sync + cacheado::KeyPart + 'a + 'static,
    for<'b> &'b T: Send,
{
    #[cacheado::cached(key(self, rest))]
    fn first<'s, U>(&'s self, mut rest: Vec<U>, r#fn: Option<&'a str>) -> (T, Vec<U>, usize)
    where
        U: Clone + Send + Sync + cacheado::KeyPart + Ord + 'static,
    {
        rest.sort();
        (self.0.clone(), rest, N + r#fn.map_or(0, str::len))
    }
}

#[test]
fn hazard_35_traits_and_generic_impls() {
    on_one_thread(|| async {
        let cache = cacheado::Cache::new();
        cacheado::with_cache_async(&cache, async {
            let (one, two) = (Of::<1, _>("a".to_owned()), Of::<2, _>("a".to_owned()));
            for _ in 0..2 {
                assert_eq!((one.fetch(5).await, two.fetch(5).await), ("a 1 5".into(), "a 2 5".into()));
                assert_eq!(Of::<1, u8>(7).fetch(5).await, "7 1 5");
                assert_eq!((one.plain(5).await, two.plain(5).await), (Some(6), Some(7)));
                assert_eq!(one.first(vec![2, 1], Some("xyz")), ("a".into(), vec![1, 2], 4));
                assert_eq!(one.first(vec!["b"], None), ("a".into(), vec!["b"], 1));
            }
            assert_eq!(one.first_entry(vec![2, 1], None).peek().unwrap().unwrap().2, 4);
        })
        .await;
        assert_eq!((cache.stats().hits, cache.stats().misses), (7, 7));
    });
}

#[test]
fn bodies_of_every_form() {
    #[cacheado::cached]
    fn early(n: u32) -> Option<u32> {
        let half = n.checked_div(2)?;
        if half == 0 {
            return None;
        }
        'outer: loop {
            for k in 0.. {
                if k > half {
                    break 'outer Some(k);
                }
            }
        }
    }
    #[cacheado::cached]
    async fn coerced(n: u8) -> Result<Box<str>, Box<dyn std::error::Error + Send + Sync>> {
        if n == 0 {
            return Err("zero".into());
        }
        let number: u8 = n.to_string().parse()?;
        Ok(number.to_string().into())
    }
    #[cacheado::cached]
    fn moves(text: String, list: Vec<u8>) -> (String, Vec<u8>) {
        (text, list)
    }
    #[cacheado::cached(skip(f))]
    fn calls(n: u8, mut f: impl FnMut(u8) -> u8) -> u8 {
        f(n) + f(n)
    }
    #[cacheado::cached]
    fn diverges(n: u8) -> u8 {
        if n > 0 { n } else { panic!("never") }
    }
    #[cacheado::cached]
    fn unit(_n: u8) {}
    #[cacheado::cached]
    fn closure(n: u8) -> std::sync::Arc<dyn Fn(u8) -> u8 + Send + Sync> {
        std::sync::Arc::new(move |m| n + m)
    }
    cacheado::with_cache(&cacheado::Cache::new(), || {
        for _ in 0..2 {
            assert_eq!((early(0), early(1), early(9)), (None, None, Some(5)));
            assert_eq!(moves("a".into(), vec![1]), ("a".into(), vec![1]));
            assert_eq!((diverges(1), closure(2)(3)), (1, 5));
            unit(1);
        }
        let mut calls_made = 0;
        let mut f = |n| {
            calls_made += 1;
            n + calls_made
        };
        assert_eq!((calls(1, &mut f), calls(1, &mut f), calls_made), (5, 5, 2));
    });
    on_one_thread(|| async {
        assert_eq!(coerced(0).await.unwrap_err().to_string(), "zero");
        assert_eq!(&*coerced(7).await.unwrap(), "7");
        assert_eq!(&*coerced_entry(7).peek().await.unwrap().unwrap().unwrap(), "7");
    });
}
