//! Rules of the user's own (hazards 15 and 16). What else may panic is in `panics`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::SharedMemory;
use cacheado::rules::{Cause, Effect, EntryMeta, Lru, MaxItems, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, Scope, Ttl, cached, observe};
use cacheado_tests::Counter;
use cacheado_tests::random::Random;
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::in_time;

const SECOND: Duration = Duration::from_secs(1);

type OnEntry = Box<dyn Fn(&Key, &EntryMeta) -> Effect + Send + Sync>;
type OnEvict = Box<dyn Fn(&Key, Cause) -> Effect + Send + Sync>;

/// A rule made of closures.
#[derive(Default)]
struct Custom {
    get: Option<OnEntry>,
    set: Option<OnEntry>,
    evict: Option<OnEvict>,
    clear: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Rule for Custom {
    fn on_get(&self, key: &Key, entry: &EntryMeta) -> Effect {
        self.get.as_ref().map_or(Effect::Continue, |get| get(key, entry))
    }
    fn on_set(&self, key: &Key, entry: &EntryMeta) -> Effect {
        self.set.as_ref().map_or(Effect::Continue, |set| set(key, entry))
    }
    fn on_evict(&self, key: &Key, cause: Cause) -> Effect {
        self.evict.as_ref().map_or(Effect::Continue, |evict| evict(key, cause))
    }
    fn on_clear(&self) {
        if let Some(clear) = &self.clear {
            clear();
        }
    }
}

fn with(rule: Custom) -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    (Cache::builder().rule(rule).clock(clock.clone()).build().unwrap(), clock)
}

#[cached(cache = cache, skip(cache, runs), ttl = 10, scope = cacheado_tests::tenancy::scopes::organization, tags("t"))]
fn run(cache: &Cache, runs: &Counter, org_id: &str, n: u32) -> usize {
    runs.next()
}

#[cached(cache = cache, skip(cache, runs), ttl = 10)]
async fn run_async(cache: &Cache, runs: &Counter, n: u32) -> usize {
    runs.next()
}

#[test]
fn hazard_15_what_a_rule_rejects_is_not_stored() {
    let (cache, _) = with(Custom { set: Some(Box::new(|_, _| Effect::Reject)), ..Custom::default() });
    let runs = Counter::new();
    assert_eq!((run(&cache, &runs, "o", 1), run(&cache, &runs, "o", 1)), (0, 1));
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    assert_eq!(cache.get_or_compute("key", Ttl::Never, || 2_u8).unwrap(), 2);
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    let stats = cache.stats();
    assert_eq!((stats.total_keys, stats.rejections), (0, 4));
}

#[test]
fn hazard_15_what_a_rule_rejects_does_not_leave_the_old_value() {
    let reject = Arc::new(AtomicBool::new(false));
    let rejecting = Arc::clone(&reject);
    let (cache, _) =
        with(Custom {
            set: Some(Box::new(move |_, _| {
                if rejecting.load(Ordering::SeqCst) { Effect::Reject } else { Effect::Continue }
            })),
            ..Custom::default()
        });
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    reject.store(true, Ordering::SeqCst);
    cache.set("key", &2_u8, Ttl::Never).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
}

#[test]
fn of_two_rules_that_shorten_the_shorter_holds_in_either_order() {
    let at_most = |seconds: u32| {
        let shorten: fn(&EntryMeta, Duration) -> Effect = |entry, most| match entry.ttl() {
            Some(ttl) if ttl <= most => Effect::Continue,
            _ => Effect::SetTtl(most.into()),
        };
        Custom {
            set: Some(Box::new(move |_, entry| shorten(entry, seconds * SECOND))),
            get: Some(Box::new(move |_, entry| shorten(entry, seconds * SECOND / 2))),
            ..Custom::default()
        }
    };
    for [first, second] in [[10, 60], [60, 10]] {
        for remote in [false, true] {
            let cache = Cache::builder().clock(ManualClock::new()).rule(at_most(first)).rule(at_most(second));
            let cache = if remote { cache.backend(SharedMemory::new()) } else { cache }.build().unwrap();
            cache.set("key", &1_u8, Ttl::Never).unwrap();
            let stored = cache.remaining("key").unwrap().unwrap();
            cache.get::<u8>("key").unwrap();
            let met = cache.remaining("key").unwrap().unwrap();
            let near = |left: Duration, seconds| left <= seconds * SECOND && left > (seconds - 1) * SECOND;
            assert!(near(stored, 10) && near(met, 5), "{first}, {second}: {stored:?}, {met:?}");
        }
    }
}

#[test]
fn hazard_15_a_get_that_a_rule_rejects_is_a_miss() {
    let (cache, _) = with(Custom { get: Some(Box::new(|_, _| Effect::Reject)), ..Custom::default() });
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (0, 1));
}

#[test]
fn hazard_15_a_call_whose_hit_a_rule_rejects_computes() {
    let (cache, _) = with(Custom { get: Some(Box::new(|_, _| Effect::Reject)), ..Custom::default() });
    let runs = Counter::new();
    assert_eq!((run(&cache, &runs, "o", 1), run(&cache, &runs, "o", 1)), (0, 1));
    assert_eq!(run_entry(&cache, &runs, "o", 1).get(), 2);
    let async_run = || cacheado_tests::wait::poll_times(run_async(&cache, &runs, 1), 1);
    assert_eq!((async_run(), async_run()), (std::task::Poll::Ready(3), std::task::Poll::Ready(4)));
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert_eq!(cache.get_or_compute("key", Ttl::Never, || 2_u8).unwrap(), 2);
}

#[test]
fn sliding_expiry() {
    let (cache, clock) = with(Custom {
        get: Some(Box::new(|_, _| Effect::SetTtl((10 * SECOND).into()))),
        ..Custom::default()
    });
    let runs = Counter::new();
    for _ in 0..5 {
        assert_eq!(run(&cache, &runs, "o", 1), 0);
        clock.advance(9 * SECOND);
    }
    clock.advance(SECOND);
    assert_eq!(run(&cache, &runs, "o", 1), 1);
    assert_eq!(run_entry(&cache, &runs, "o", 1).remaining().unwrap(), Some(10 * SECOND));
}

#[test]
fn a_rule_changes_how_long_an_entry_lives() {
    let (cache, clock) = with(Custom {
        set: Some(Box::new(|key, entry| {
            let ttl = match (key.function(), entry.ttl()) {
                ("", None) => SECOND.into(),
                ("", Some(_)) => Duration::ZERO.into(),
                _ => Ttl::Never,
            };
            Effect::SetTtl(ttl)
        })),
        ..Custom::default()
    });
    let runs = Counter::new();
    cache.set("for ever", &1_u8, Ttl::Never).unwrap();
    cache.set("for a while", &1_u8, SECOND).unwrap();
    run(&cache, &runs, "o", 1);
    assert_eq!(cache.remaining("for ever").unwrap(), Some(SECOND));
    assert_eq!(cache.get::<u8>("for a while").unwrap(), None);
    clock.advance(1_000_000 * SECOND);
    assert_eq!((run(&cache, &runs, "o", 1), cache.get::<u8>("for ever").unwrap()), (0, None));
}

#[test]
fn a_rule_evicts_other_entries() {
    let runs = Counter::new();
    let victim = run_entry(&Cache::new(), &runs, "o", 1).key();
    let (on_get, on_set, on_evict) = (victim.clone(), victim.clone(), victim);
    for which in 0..3 {
        let (get, set, evict) = (on_get.clone(), on_set.clone(), on_evict.clone());
        let (cache, _) = with(match which {
            0 => Custom {
                get: Some(Box::new(move |_, _| Effect::Evict(vec![get.clone()]))),
                ..Custom::default()
            },
            1 => Custom {
                set: Some(Box::new(move |key, _| {
                    if *key == set { Effect::Continue } else { Effect::Evict(vec![set.clone()]) }
                })),
                ..Custom::default()
            },
            _ => Custom {
                evict: Some(Box::new(move |_, _| Effect::Evict(vec![evict.clone()]))),
                ..Custom::default()
            },
        });
        run(&cache, &runs, "o", 1);
        assert_eq!(cache.stats().total_keys, 1);
        cache.set("other", &1_u8, Ttl::Never).unwrap();
        assert_eq!(cache.get::<u8>("other").unwrap(), Some(1));
        cache.evict("other").unwrap();
        assert_eq!(run_entry(&cache, &runs, "o", 1).peek().unwrap(), None, "{which}");
        assert_eq!(cache.stats().evictions, 2);
    }
}

#[test]
fn a_rule_that_evicts_another_entry_on_each_set_loses_no_set() {
    let stored = Mutex::new((Random::new(), Vec::<Key>::new()));
    let (cache, _) = with(Custom {
        set: Some(Box::new(move |key, _| {
            let (random, keys) = &mut *stored.lock().unwrap();
            keys.push(key.clone());
            let victim = random.one_of(keys);
            if victim == key { Effect::Continue } else { Effect::Evict(vec![victim.clone()]) }
        })),
        ..Custom::default()
    });
    let lost = (0..20_000_u32).filter(|n| {
        cache.set(n, n, Ttl::Never).unwrap();
        cache.get::<u32>(n).unwrap().is_none()
    });
    assert_eq!(lost.count(), 0, "set, and not stored");
}

#[test]
fn a_rule_sees_key_scope_and_time() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str, seen: &Arc<Mutex<Vec<String>>>| -> OnEntry {
        let seen = Arc::clone(seen);
        Box::new(move |key, entry| {
            seen.lock().unwrap().push(format!("{what} {key} {} {:?}", entry.scope(), entry.ttl()));
            Effect::Continue
        })
    };
    let (cache, clock) =
        with(Custom { get: Some(note("get", &seen)), set: Some(note("set", &seen)), ..Custom::default() });
    let runs = Counter::new();
    run(&cache, &runs, "o", 1);
    clock.advance(SECOND);
    run(&cache, &runs, "o", 1);
    cache.scoped(scopes::user("o", "u")).set("key", &1_u8, Ttl::Never).unwrap();
    cache.scoped(scopes::user("o", "u")).get::<u8>("key").unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "set organization:o rules::run@0(\"o\", 1) organization:o Some(10s)",
            "get organization:o rules::run@0(\"o\", 1) organization:o Some(9s)",
            "set organization:o/user:u (\"key\") organization:o/user:u None",
            "get organization:o/user:u (\"key\") organization:o/user:u None",
        ]
    );
}

#[test]
fn rules_run_in_order_until_one_rejects() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let numbered = |number: u8, effect: Effect| {
        let asked = Arc::clone(&asked);
        Custom {
            set: Some(Box::new(move |_, _| {
                asked.lock().unwrap().push(number);
                effect.clone()
            })),
            ..Custom::default()
        }
    };
    let cache = Cache::builder()
        .rule(numbered(1, Effect::SetTtl(SECOND.into())))
        .rule(numbered(2, Effect::SetTtl((2 * SECOND).into())))
        .build()
        .unwrap();
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert!(cache.remaining("key").unwrap().unwrap() > SECOND, "the later one holds");
    let cache = Cache::builder()
        .rule(numbered(3, Effect::Reject))
        .rule(numbered(4, Effect::Continue))
        .build()
        .unwrap();
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert_eq!(*asked.lock().unwrap(), [1, 2, 3]);
}

/// Evicts what was stored first where two entries are there: first in, first out.
fn first_in_first_out() -> Custom {
    let stored = Mutex::new(Vec::<Key>::new());
    let set = move |key: &Key, _: &EntryMeta| {
        let mut stored = stored.lock().unwrap();
        if stored.contains(key) {
            return Effect::Continue;
        }
        let oldest = if stored.len() == 2 { vec![stored.remove(0)] } else { Vec::new() };
        stored.push(key.clone());
        Effect::Evict(oldest)
    };
    Custom { set: Some(Box::new(set)), ..Custom::default() }
}

#[test]
fn what_a_rule_evicts_makes_room_for_a_bound_after_it() {
    #[cached(cache = cache, skip(cache), batch(ids))]
    fn several(cache: &Cache, ids: &[u32]) -> Vec<u32> {
        let _ = cache;
        ids.to_vec()
    }
    let two = || Cache::builder().rule(first_in_first_out()).rule(MaxItems::new(2));
    let cache = two().build().unwrap();
    for key in ["a", "b", "c"] {
        cache.set(key, &1, Ttl::Never).unwrap();
    }
    assert_eq!(cache.get_many::<i32>(["a", "b", "c"]).unwrap(), [None, Some(1), Some(1)]);
    assert_eq!(several(&cache, &[1, 2, 3]), [1, 2, 3]);
    let peeked = |id| several_entry(&cache, &id).peek().unwrap();
    assert_eq!([1, 2, 3].map(peeked), [None, Some(2), Some(3)]);
    assert_eq!((cache.stats().total_keys, cache.stats().rejections), (2, 0));
    // Over a backend, too, where the bound is one of what this process knows of.
    let cache = two().backend(SharedMemory::new()).build().unwrap();
    for key in ["a", "b", "c"] {
        cache.set(key, &1, Ttl::Never).unwrap();
    }
    assert_eq!((cache.get::<i32>("c").unwrap(), cache.stats().rejections), (Some(1), 0));
    // A bound that comes before the rule does not know of it.
    let cache = Cache::builder().rule(MaxItems::new(2)).rule(first_in_first_out()).build().unwrap();
    for key in ["a", "b", "c"] {
        cache.set(key, &1, Ttl::Never).unwrap();
    }
    assert_eq!(cache.get_many::<i32>(["a", "b", "c"]).unwrap(), [Some(1), Some(1), None]);
}

#[test]
fn a_rule_is_told_of_every_way_to_leave() {
    let left = Arc::new(Mutex::new(Vec::new()));
    let cleared = Arc::new(Counter::new());
    let (note, count) = (Arc::clone(&left), Arc::clone(&cleared));
    let rule = Custom {
        evict: Some(Box::new(move |key, cause| {
            note.lock().unwrap().push((key.to_string(), cause));
            Effect::Continue
        })),
        clear: Some(Box::new(move || {
            count.next();
        })),
        ..Custom::default()
    };
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(rule).rule(Lru::new(2)).clock(clock.clone()).build().unwrap();
    let runs = Counter::new();
    let (own, other) = ("organization:o rules::run@0(\"o\", 1)", "global (\"other\")");
    let fill = || run(&cache, &runs, "o", 1);
    let last = || left.lock().unwrap().drain(..).collect::<Vec<_>>();

    fill();
    run_entry(&cache, &runs, "o", 1).evict().unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Evicted)]);
    fill();
    cache.evict_by_scope(&scopes::organization("o")).unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Scope)]);
    fill();
    cache.evict_by_scope(&Scope::global()).unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Scope)]);
    fill();
    cache.evict_by_tag("t").unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Tag)]);
    fill();
    run_cache(&cache).evict_all().unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Function)]);
    fill();
    clock.advance(10 * SECOND);
    assert_eq!(fill(), 6);
    assert_eq!(last(), [(own.to_owned(), Cause::Expired)]);
    run_entry(&cache, &runs, "o", 1).refresh();
    assert_eq!(last(), [], "an overwritten entry has not left");
    cache.set("other", &1_u8, Ttl::Never).unwrap();
    cache.set("more", &1_u8, Ttl::Never).unwrap();
    assert_eq!(last(), [(own.to_owned(), Cause::Capacity)]);
    cache.set("other", &1_u8, Duration::ZERO).unwrap();
    assert_eq!(last(), [(other.to_owned(), Cause::Evicted)]);
    cache.clear().unwrap();
    assert_eq!(last(), [("global (\"more\")".to_owned(), Cause::Cleared)]);
    assert_eq!(cleared.get(), 1);
}

#[test]
fn hazard_16_a_rule_that_panics_is_contained() {
    in_time(|| {
        let clock = ManualClock::new();
        let panicking = Custom {
            get: Some(Box::new(|_, _| panic!("on_get"))),
            set: Some(Box::new(|_, _| panic!("on_set"))),
            evict: Some(Box::new(|_, _| panic!("on_evict"))),
            clear: Some(Box::new(|| panic!("on_clear"))),
        };
        let cache = Cache::builder().rule(panicking).rule(Lru::new(2)).clock(clock.clone()).build().unwrap();
        let runs = Counter::new();
        for n in 0..5 {
            run(&cache, &runs, "o", n);
            assert_eq!(run(&cache, &runs, "o", n), n as usize, "it is stored, and found");
        }
        let stats = cache.stats();
        assert_eq!((stats.total_keys, stats.evictions), (2, 3), "the bound holds");
        assert_eq!(stats.rule_panics, 5 + 5 + 3);
        assert_eq!(cache.evict_by_scope(&scopes::organization("o")).unwrap(), 2);
        run(&cache, &runs, "o", 9);
        clock.advance(10 * SECOND);
        assert_eq!(cache.stats().total_keys, 0);
        run(&cache, &runs, "o", 9);
        cache.clear().unwrap();
        assert_eq!(cache.stats().total_keys, 0);
        assert_eq!(run(&cache, &runs, "o", 9), run(&cache, &runs, "o", 9));
    });
}

#[test]
fn hazard_16_a_panic_on_a_clear_is_counted_as_what_follows_it() {
    let panicking = Custom { clear: Some(Box::new(|| panic!("on_clear"))), ..Custom::default() };
    let (cache, _) = with(panicking);
    cache.get::<u8>("key").unwrap();
    for _ in 0..2 {
        cache.clear().unwrap();
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.rule_panics), (0, 1), "statistics begin with the clear");
    }
}

#[test]
fn a_value_of_another_type_is_no_hit_to_rules() {
    let asked = Arc::new(Counter::new());
    let counting = Arc::clone(&asked);
    let (cache, _) = with(Custom {
        get: Some(Box::new(move |_, _| {
            counting.next();
            Effect::SetTtl(Ttl::Never)
        })),
        ..Custom::default()
    });
    let stored = || cache.set("key", &1_u8, SECOND).unwrap();
    stored();
    assert_eq!(cache.get::<String>("key").unwrap(), None);
    assert_eq!(cache.get_many::<String>(["key", "key"]).unwrap(), [None, None]);
    assert_eq!(cache.get_or_compute("key", SECOND, || 2_u16).unwrap(), 2);
    stored();
    assert_eq!(observe(|| cache.get_or_compute("key", SECOND, || 3_u32).unwrap()).0, 3);
    stored();
    assert_eq!((asked.get(), cache.remaining("key").unwrap()), (0, Some(SECOND)));
    assert_eq!(cache.get_many::<u8>(["key"]).unwrap(), [Some(1)]);
    assert_eq!((asked.get(), cache.remaining("key").unwrap()), (1, None));
}
