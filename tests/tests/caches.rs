//! Which cache a call uses: `cache = …` of every kind, and the one of the moment.

use std::sync::{Arc, LazyLock, OnceLock};

use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use cacheado::{global, with_cache, with_cache_async};
use cacheado_tests::wait::on_one_thread;

static OWN: LazyLock<Cache> = LazyLock::new(Cache::new);
static ONCE: OnceLock<Cache> = OnceLock::new();

#[cached(cache = OWN)]
fn in_static(n: u32) -> u32 {
    n
}

#[cached(cache = &OWN)]
fn in_reference(n: u32) -> u32 {
    n
}

#[cached(cache = once())]
async fn in_call(n: u32) -> u32 {
    n
}

fn once() -> &'static Cache {
    ONCE.get_or_init(Cache::new)
}

#[cached(cache = Arc::clone(arc), skip(arc))]
fn in_arc(arc: &Arc<Cache>, n: u32) -> u32 {
    n
}

#[expect(clippy::needless_pass_by_value, reason = "for the test")]
#[cached(cache = cache, skip(cache))]
fn in_boxed(cache: Box<Cache>, n: u32) -> u32 {
    n
}

#[cached(cache = caches[usize::from(n % 2)], skip(caches))]
fn in_one_of(caches: &[Cache], n: u8) -> u8 {
    n
}

#[cached(cache = if n > 5 { OWN.clone() } else { global().clone() })]
fn in_either(n: u32) -> u32 {
    n
}

struct Holder {
    cache: Cache,
    inner: Arc<Holder2>,
}

struct Holder2 {
    cache: Option<Cache>,
}

impl Holder2 {
    fn cache(&self) -> &Cache {
        self.cache.as_ref().expect("it has one")
    }
}

impl Holder {
    #[cached(cache = self.cache, skip(self))]
    fn in_field(&self, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.inner.cache(), skip(self))]
    async fn in_method(&self, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.cache, skip(self))]
    fn by_value(self, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.cache, skip(self))]
    fn by_mut(&mut self, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.cache, skip(self))]
    fn by_arc(self: Arc<Self>, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.cache, skip(self))]
    async fn by_box(self: Box<Self>, n: u32) -> u32 {
        n
    }

    #[cached(cache = holder.cache, skip(holder))]
    fn associated(holder: &Self, n: u32) -> u32 {
        n
    }
}

fn holder() -> Holder {
    Holder { cache: Cache::new(), inner: Arc::new(Holder2 { cache: Some(Cache::new()) }) }
}

fn keys(cache: &Cache) -> u64 {
    cache.stats().total_keys
}

#[test]
fn cache_is_any_expression_that_derefs_to_one() {
    on_one_thread(|| async {
        assert_eq!((in_static(1), in_reference(1), in_call(1).await), (1, 1, 1));
        assert_eq!((keys(&OWN), keys(once())), (2, 1));
        assert_eq!((in_static_cache().evict_all().unwrap(), keys(&OWN)), (1, 1));
        assert!(in_call_entry(1).evict().await.unwrap());

        let arc = Arc::new(Cache::new());
        assert_eq!((in_arc(&arc, 1), in_boxed(Box::new((*arc).clone()), 2), keys(&arc)), (1, 2, 2));
        assert_eq!(in_arc_entry(&arc, 1).peek().unwrap(), Some(1));
        assert_eq!(in_arc_cache(&arc).stats().misses, 1);
        let caches = [Cache::new(), Cache::new()];
        assert_eq!((in_one_of(&caches, 1), in_one_of(&caches, 3), in_one_of(&caches, 2)), (1, 3, 2));
        assert_eq!((keys(&caches[0]), keys(&caches[1])), (1, 2));
        assert_eq!(in_one_of_cache(&caches, 1).evict_all().unwrap(), 2);
        assert_eq!((in_either(9), in_either_entry(9).peek().unwrap(), keys(&OWN)), (9, Some(9), 2));
    });
}

#[test]
fn cache_in_methods_with_every_receiver() {
    on_one_thread(|| async {
        let mut h = holder();
        let (own, inner) = (h.cache.clone(), h.inner.cache().clone());
        assert_eq!(
            (h.in_field(1), h.in_method(1).await, h.by_mut(1), Holder::associated(&h, 1)),
            (1, 1, 1, 1)
        );
        assert_eq!((keys(&own), keys(&inner)), (3, 1));
        assert_eq!(h.in_field_entry(1).peek().unwrap(), Some(1));
        assert_eq!(h.in_method_entry(1).peek().await.unwrap(), Some(1));
        assert_eq!(h.by_mut_entry(1).peek().unwrap(), Some(1));
        assert_eq!(Holder::associated_entry(&h, 1).peek().unwrap(), Some(1));
        assert_eq!(h.in_field_cache().evict_all().unwrap(), 1);
        assert_eq!(h.in_method_cache().evict_all().await.unwrap(), 1);
        assert_eq!(h.by_mut_cache().stats().misses, 1);
        assert_eq!(Holder::associated_cache(&h).stats().misses, 1);
        assert_eq!(h.by_value(7), 7);
        assert_eq!(Arc::new(holder()).by_arc(8), 8);
        assert_eq!(Box::new(holder()).by_box(9).await, 9);
        // Another object has another cache.
        assert_eq!(holder().in_field_entry(1).peek().unwrap(), None);
    });
}

#[cached(ttl = 5)]
fn ambient(n: u32) -> u32 {
    n
}

#[test]
fn the_cache_of_the_moment() {
    let (outer, inner) = (Cache::new(), Cache::new());
    with_cache(&outer, || {
        ambient(1);
        with_cache(&inner, || ambient(2));
        ambient(3);
    });
    assert_eq!((keys(&outer), keys(&inner)), (2, 1));
    let panicking = std::panic::AssertUnwindSafe(outer.clone());
    assert!(std::panic::catch_unwind(|| with_cache(&panicking, || panic!("inside"))).is_err());
    let before = keys(&outer);
    ambient(1_000_001);
    assert_eq!(keys(&outer), before, "it is not left behind");
    on_one_thread(move || async move {
        // Two tasks of one thread, interleaved.
        let in_cache = |cache: Cache, n: u32| async move {
            let work = async {
                for m in 0..5 {
                    ambient(n + m);
                    tokio::task::yield_now().await;
                }
            };
            with_cache_async(&cache, work).await;
        };
        let (a, b) = (Cache::new(), Cache::new());
        tokio::join!(in_cache(a.clone(), 0), in_cache(b.clone(), 0));
        assert_eq!((keys(&a), keys(&b), a.stats().misses, b.stats().misses), (5, 5, 5, 5));
    });
}

#[cached]
fn piece(n: u32) -> u32 {
    n
}

#[cached]
fn whole(n: u32) -> u32 {
    piece(n)
}

#[cached]
async fn whole_later(n: u32) -> u32 {
    tokio::task::yield_now().await;
    piece(n)
}

#[cached(cache = cache, skip(cache))]
fn whole_of(cache: &Cache, n: u32) -> u32 {
    piece(n)
}

#[test]
fn the_body_of_an_entry_has_the_cache_of_the_entry() {
    let (one, other) = (Cache::new(), Cache::new());
    let entries = || with_cache(&one, || whole_entry(1));
    let values = with_cache(&other, || {
        piece_entry(1).set(13).unwrap();
        let values = [entries().get(), entries().refresh(), entries().bypass()];
        assert_eq!(piece(1), 13, "what is around the caller is as it was");
        values
    });
    assert_eq!(values, [1; 3]);
    assert_eq!(with_cache(&one, || whole(1)), 1);
    // One that is made with the global cache has that.
    let entry = whole_entry(1);
    assert_eq!(with_cache(&other, || entry.refresh()), 1);
    assert_eq!(whole(1), 1);
}

#[test]
fn the_body_of_an_async_entry_has_the_cache_of_the_entry() {
    on_one_thread(|| async {
        let (one, other) = (Cache::new(), Cache::new());
        let entries = || with_cache(&one, || whole_later_entry(1));
        let values = with_cache_async(&other, async {
            piece_entry(1).set(13).unwrap();
            [entries().get().await, entries().refresh().await, entries().bypass().await]
        });
        assert_eq!(values.await, [1; 3]);
        assert_eq!(with_cache_async(&one, whole_later(1)).await, 1);
    });
}

#[test]
fn the_body_of_an_entry_with_a_cache_of_its_own_has_that_of_its_caller() {
    let (own, one, other) = (Cache::new(), Cache::new(), Cache::new());
    let entry = with_cache(&one, || whole_of_entry(&own, 1));
    let value = with_cache(&other, || {
        piece_entry(1).set(13).unwrap();
        entry.get()
    });
    assert_eq!((value, whole_of(&own, 1)), (13, 13));
}

struct Regions(Cache, Cache);

impl Regions {
    fn of(&self, name: &str) -> &Cache {
        if name == "region 1" { &self.0 } else { &self.1 }
    }

    #[cached(cache = regions.of(&format!("region {number}")), skip(regions))]
    fn sold(regions: &Self, number: u8, article: u32) -> u32 {
        article + u32::from(number)
    }
}

/// What a format string names is a parameter, too, which the cache comes from.
#[test]
fn the_name_of_a_cache_may_be_formatted() {
    let regions = Regions(Cache::new(), Cache::new());
    for _ in 0..2 {
        assert_eq!((Regions::sold(&regions, 1, 7), Regions::sold(&regions, 2, 7)), (8, 9));
    }
    assert_eq!(Regions::sold_cache(&regions, 1).stats().hits, 1);
    assert_eq!(Regions::sold_cache(&regions, 2).evict_all().unwrap(), 1);
    assert_eq!((regions.0.stats().total_keys, regions.1.stats().total_keys), (1, 0));
}

#[cached(ttl = 60, remote)]
fn cube(n: u64) -> u64 {
    n * n * n
}

#[cached(ttl = 60, local)]
fn fourth_power(n: u64) -> u64 {
    n * n * n * n
}

#[test]
fn a_function_that_was_not_called_yet_in_this_process_counts_what_the_others_have_stored() {
    let server = SharedMemory::new();
    let node = || Cache::builder().backend(server.clone()).build().unwrap();
    let (one, two) = (node(), node());
    with_cache(&one, || [cube(2), cube(3), fourth_power(2)]);
    let stored = |cache: &Cache| with_cache(cache, || [cube_cache().stats(), fourth_power_cache().stats()]);
    assert_eq!(stored(&one).map(|stats| stats.total_keys), [2, 1]);
    assert_eq!(stored(&two).map(|stats| stats.total_keys), [2, 0]);
    assert_eq!(with_cache(&two, || cube_cache().evict_all()).unwrap(), 2);
    assert_eq!(stored(&two).map(|stats| stats.total_keys), [0, 0]);
}

#[test]
fn a_task_can_be_spawned_with_a_cache() {
    on_one_thread(|| async {
        let cache = Cache::new();
        // It does not borrow the cache.
        let task = tokio::spawn(with_cache_async(&cache, whole_later(7)));
        assert_eq!(task.await.unwrap(), 7);
        assert_eq!(cache.stats().total_keys, 2);
    });
}

#[test]
fn a_handle_may_be_used_where_a_panic_is_caught() {
    let cache = Cache::new();
    let scoped = cache.scoped("organization:acme".parse().unwrap());
    let panics = || scoped.get_or_compute("key", Ttl::Never, || -> u8 { panic!("on purpose") });
    assert!(std::panic::catch_unwind(panics).is_err());
    let panics = || cache.get_or_compute("key", Ttl::Never, || -> u8 { panic!("on purpose") });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(scoped.get_or_compute("key", Ttl::Never, || 1).unwrap(), 1);
}
