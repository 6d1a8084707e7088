//! Tests of what cannot be seen through the cache: the sizes of the books that the store keeps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;
use std::time::Duration;

use super::{
    Aging, AnyRegion, Cause, Fill, Found, KeyBox, Label, LabelSet, Limits, Listener, Memory, Placed, Region,
    Store, Ticket, Tickets, Version,
};
use crate::{Clock, ManualClock};

#[derive(Default)]
struct Removals(AtomicU64);

impl Listener for Removals {
    fn removed(&self, _: &[u8], _: &[Label], _: Cause) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) struct Fixture {
    pub(super) store: Arc<Store>,
    pub(super) region: Arc<Region<u64>>,
    tickets: Arc<Tickets>,
    removals: Arc<Removals>,
}

impl Fixture {
    pub(super) fn new(memory: &Memory, limits: Limits, clock: impl Into<Clock>) -> Self {
        Self::in_store(memory.open(limits, clock.into()))
    }

    pub(super) fn in_store(store: Arc<Store>) -> Self {
        let removals = Arc::new(Removals::default());
        let (region, tickets) = Region::open(&store, Arc::clone(&removals) as _);
        Self { store, region, tickets, removals }
    }

    pub(super) fn lru(n: usize) -> Self {
        Self::new(&Memory::new(), Limits { lru: Some(n), ..Limits::default() }, Clock::system())
    }

    pub(super) fn fill(&self, key: u64, ttl: Option<Duration>, labels: &[&str]) -> Placed {
        let bytes = key.to_le_bytes();
        let labels: Vec<_> = labels.iter().map(|label| Label::from(label.as_bytes())).collect();
        let labels = self.store.labelled(&labels);
        let ticket = self.tickets.take(hash(key), labels.as_ref());
        let fill = Fill {
            hash: hash(key),
            key: KeyBox::from(&bytes[..]),
            born: self.store.clock().now(),
            deadline: self.store.clock().deadline(ttl),
            aging: None,
            labels,
        };
        self.region.fill(fill, &ticket, key)
    }

    pub(super) fn set_deadline(&self, key: u64, ttl: Option<Duration>) -> bool {
        let deadline = self.store.clock().deadline(ttl);
        self.region.set_deadline(hash(key), &key.to_le_bytes(), deadline)
    }

    pub(super) fn evict(&self, key: u64) -> bool {
        self.region.evict(hash(key), &key.to_le_bytes(), Cause::Evicted)
    }

    pub(super) fn get(&self, key: u64) -> Option<u64> {
        match self.region.get(hash(key), &&key.to_le_bytes()[..]) {
            Found::Hit(value) => Some(value),
            Found::Expired | Found::Absent(_) => None,
        }
    }
}

fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

#[test]
fn what_was_absent_is_known_to_be_so_until_its_shard_is_written_and_in_its_own_region() {
    let fixture = Fixture::lru(10);
    let absent = |region: &Region<u64>| match region.get(hash(1), &&1_u64.to_le_bytes()[..]) {
        Found::Absent(version) => version,
        found => panic!("{found:?}"),
    };
    let before = absent(&fixture.region);
    assert!(fixture.region.is_as_of(hash(1), before));
    assert!(!fixture.region.is_as_of(hash(1), Version::NONE));
    let other = Fixture::in_store(Arc::clone(&fixture.store));
    assert!(!other.region.is_as_of(hash(1), before), "another region, written as often");
    fixture.fill(1, None, &[]);
    assert!(!fixture.region.is_as_of(hash(1), before));
    // What has come and gone may have been served.
    fixture.evict(1);
    assert!(!fixture.region.is_as_of(hash(1), before));
    let after = absent(&fixture.region);
    fixture.get(1);
    assert!(fixture.region.is_as_of(hash(1), after), "reading changes nothing");
}

#[test]
fn hazard_18_the_books_stay_small_while_entries_come_and_go() {
    let fixture = Fixture::lru(100);
    for round in 0..100_000_u64 {
        // Overwritten again and again, evicted by key, and driven out by others.
        fixture.fill(round % 150, Some(Duration::from_secs(3600)), &["scope"]);
        fixture.get(round % 7);
        if round % 11 == 0 {
            let key = (round % 150).to_le_bytes();
            fixture.region.evict(hash(round % 150), &key, Cause::Evicted);
        }
    }
    let (records, labels) = fixture.store.records();
    assert!(records <= 2 * 100 + 1024 + 1, "{records} records for 100 entries");
    assert_eq!(labels, 1);
    assert!(fixture.store.len() <= 100);
    fixture.store.evict_label(&Label::from(&b"scope"[..]), Cause::Scope);
    assert_eq!((fixture.store.len(), fixture.store.records().1), (0, 0), "nothing is left in the index");
}

#[test]
fn hazard_18_an_entry_that_lives_longer_leaves_in_time_however_often_the_books_are_tidied() {
    let bounds = [
        Limits { sweep: true, ..Limits::default() },
        Limits { max_items: Some(2), ..Limits::default() },
        Limits { lru: Some(2), ..Limits::default() },
    ];
    for limits in bounds {
        let clock = ManualClock::new();
        let fixture = Fixture::new(&Memory::new(), limits.clone(), clock.clone());
        let seconds = |n| Some(Duration::from_secs(n));
        fixture.fill(1, seconds(1), &[]);
        assert!(fixture.set_deadline(1, seconds(100)));
        for _ in 0..3_000 {
            fixture.fill(2, seconds(1_000), &[]);
        }
        clock.advance(Duration::from_secs(99));
        assert_eq!(fixture.store.len(), 2, "{limits:?}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(fixture.store.len(), if limits.sweep { 1 } else { 2 }, "{limits:?}");
        assert_eq!(fixture.fill(3, None, &[]), Placed::Stored, "{limits:?}: the first makes room");
        assert_eq!((fixture.get(1), fixture.get(2), fixture.get(3)), (None, Some(2), Some(3)), "{limits:?}");
        assert_eq!(fixture.store.len(), 2, "{limits:?}");
    }
}

#[test]
fn a_label_holds_what_it_holds_and_eviction_counts_the_live_ones() {
    let clock = ManualClock::new();
    let fixture = Fixture::new(&Memory::new(), Limits::default(), clock.clone());
    for key in 0..10 {
        fixture.fill(
            key,
            (key < 4).then_some(Duration::from_secs(1)),
            &["a", if key % 2 == 0 { "b" } else { "c" }],
        );
    }
    clock.advance(Duration::from_secs(1));
    // Of the five with an even key, two have expired.
    assert_eq!(fixture.store.evict_label(&Label::from(&b"b"[..]), Cause::Tag), 3);
    assert_eq!(fixture.store.evict_label(&Label::from(&b"b"[..]), Cause::Tag), 0);
    assert_eq!(fixture.get(5), Some(5));
    assert_eq!(fixture.store.evict_label(&Label::from(&b"a"[..]), Cause::Scope), 3);
    assert!(fixture.store.is_empty());
    assert_eq!(fixture.removals.0.load(Ordering::SeqCst), 10);
}

#[test]
fn hazard_21_no_eviction_misses_an_entry_however_many_regions_there_are() {
    let clock = ManualClock::new();
    let limits = Limits { lru: Some(10), sweep: true, ..Limits::default() };
    let first = Fixture::new(&Memory::new(), limits, clock.clone());
    let open = || Fixture::in_store(Arc::clone(&first.store));
    let any: Arc<AnyRegion> = Arc::clone(&first.region) as _;
    first.store.regions().leave(2, &any);
    let regions = [open(), open(), open(), open()];
    let placed = |ttl| regions.each_ref().map(|region| region.fill(7, ttl, &["a"]));
    let found = || regions.each_ref().map(|region| region.get(7).is_some());

    let expected = [Placed::Stored, Placed::Stored, Placed::Full, Placed::Full];
    assert_eq!(placed(None), expected, "those without a number store nothing");
    assert_eq!((found(), first.store.len()), ([true, true, false, false], 2));
    assert_eq!(first.store.evict_label(&Label::from(&b"a"[..]), Cause::Scope), 2);
    assert_eq!((found(), first.store.records().1), ([false; 4], 0));

    let second = Duration::from_secs(1);
    assert_eq!(placed(Some(second)), expected);
    clock.advance(second);
    assert!(first.store.is_empty(), "time finds all of them");
    for key in 0..100 {
        for region in &regions {
            region.fill(key, None, &[]);
        }
    }
    assert_eq!(first.store.len(), 10, "and so does the bound");
}

#[test]
fn weight_is_bounded_and_too_heavy_an_entry_is_not_stored() {
    let memory = Memory::builder()
        .max_weight(100)
        .weigher(|_, value| value.downcast_ref::<u64>().copied().unwrap_or_default())
        .build();
    let fixture = Fixture::new(&memory, Limits::default(), Clock::system());
    assert_eq!(fixture.fill(101, None, &[]), Placed::Full);
    for key in [40, 50, 10, 60] {
        assert_eq!(fixture.fill(key, None, &[]), Placed::Stored);
        assert!(fixture.store.weight() <= 100);
    }
    assert_eq!(
        (fixture.get(40), fixture.get(50), fixture.get(10), fixture.get(60)),
        (None, None, Some(10), Some(60))
    );
    assert_eq!(fixture.store.weight(), 70);
    fixture.region.evict_all(Cause::Function);
    assert_eq!(fixture.store.weight(), 0);
}

#[test]
fn entries_whose_time_is_over_count_against_no_bound() {
    let heavy = Memory::builder().max_weight(100).weigher(|_, value| {
        let key = value.downcast_ref::<u64>().copied().unwrap_or_default();
        if key == 20 { 90 } else { 10 }
    });
    let second = Some(Duration::from_secs(1));
    for adaptive in [false, true] {
        let lru = Limits { lru: Some(10), adaptive, ..Limits::default() };
        for (memory, limits) in [(heavy.clone().build(), Limits::default()), (Memory::new(), lru)] {
            let clock = ManualClock::new();
            let fixture = Fixture::new(&memory, limits.clone(), clock.clone());
            fixture.fill(1, None, &[]);
            for key in 2..=10 {
                // Stored over and over: the records of those that are gone make no room.
                for _ in 0..3 {
                    fixture.fill(key, second, &[]);
                }
            }
            clock.advance(Duration::from_secs(1));
            for key in 20..=if limits.lru.is_some() { 28 } else { 20 } {
                fixture.fill(key, None, &[]);
                assert_eq!((fixture.get(1), fixture.get(key)), (Some(1), Some(key)), "{limits:?}");
            }
        }
    }
}

#[test]
fn weights_do_not_overflow_whatever_a_weigher_says() {
    let memory = Memory::builder()
        .max_weight(u64::MAX)
        .weigher(|_, value| value.downcast_ref::<u64>().map_or(0, |key| u64::MAX - key))
        .build();
    let fixture = Fixture::new(&memory, Limits::default(), Clock::system());
    for key in 0..10 {
        assert_eq!(fixture.fill(key % 3, None, &[]), Placed::Stored);
        assert_eq!((fixture.store.len(), fixture.store.weight()), (1, Limits::MOST_WEIGHT));
    }
    assert_eq!(fixture.store.clear(Cause::Cleared), 1);
    assert_eq!((fixture.store.len(), fixture.store.weight()), (0, 0));
}

#[test]
fn a_fill_that_began_before_a_newer_one_does_not_overwrite_it() {
    let fixture = Fixture::lru(10);
    let bytes = 7_u64.to_le_bytes();
    let fill = || Fill {
        hash: hash(7),
        key: KeyBox::from(&bytes[..]),
        born: fixture.store.clock().now(),
        deadline: crate::clock::NEVER,
        aging: None,
        labels: None,
    };
    let (older, newer) = (fixture.tickets.take(hash(7), None), fixture.tickets.take(hash(7), None));
    assert_eq!(fixture.region.fill(fill(), &newer, 2), Placed::Stored);
    assert_eq!(fixture.region.fill(fill(), &older, 1), Placed::Superseded);
    assert_eq!(fixture.get(7), Some(2));
    assert_eq!(fixture.store.len(), 1);
}

#[test]
fn hazard_21_evicting_other_things_fences_off_nothing_and_tickets_leave_nothing_behind() {
    let fixture = Fixture::new(&Memory::new(), Limits::default(), Clock::system());
    let labels = fixture.store.labelled(&[Label::from(&b"a"[..])]);
    let ticket = fixture.tickets.take(hash(7), labels.as_ref());
    for other in 8..20_000_u64 {
        fixture.region.evict(hash(other), &other.to_le_bytes(), Cause::Evicted);
        fixture.store.evict_label(&Label::from(&other.to_le_bytes()[..]), Cause::Tag);
    }
    assert!(ticket.is_current());
    assert_eq!(fixture.tickets.len(), 1, "the ticket's key");
    drop(labels);
    assert_eq!(fixture.store.records().1, 1, "the ticket's label");
    drop(ticket);
    assert_eq!((fixture.tickets.len(), fixture.store.records().1), (0, 0));
}

#[test]
fn every_way_to_evict_fences_off_the_fills_that_have_begun() {
    type Way = (&'static str, fn(&Fixture));
    let ways: [Way; 4] = [
        ("key", |fixture| {
            fixture.region.evict(hash(7), &7_u64.to_le_bytes(), Cause::Evicted);
        }),
        ("label", |fixture| {
            fixture.store.evict_label(&Label::from(&b"a"[..]), Cause::Scope);
        }),
        ("function", |fixture| {
            fixture.region.evict_all(Cause::Function);
        }),
        ("clear", |fixture| {
            fixture.store.clear(Cause::Cleared);
        }),
    ];
    for (way, evict) in ways {
        let fixture = Fixture::lru(10);
        let labels = fixture.store.labelled(&[Label::from(&b"a"[..])]);
        let bytes = 7_u64.to_le_bytes();
        let ticket = fixture.tickets.take(hash(7), labels.as_ref());
        evict(&fixture);
        let fill = Fill {
            hash: hash(7),
            key: KeyBox::from(&bytes[..]),
            born: fixture.store.clock().now(),
            deadline: crate::clock::NEVER,
            aging: None,
            labels,
        };
        assert_eq!(fixture.region.fill(fill, &ticket, 7), Placed::Fenced, "{way}");
        drop(ticket);
        assert_eq!((fixture.get(7), fixture.store.records().1), (None, 0), "{way}");
        assert_eq!(fixture.fill(7, None, &["a"]), Placed::Stored, "{way}: a fill that begins after it");
    }
}

#[test]
fn bounds_hold_once_threads_have_settled() {
    for limits in
        [Limits { lru: Some(64), ..Limits::default() }, Limits { max_items: Some(64), ..Limits::default() }]
    {
        let fixture = Fixture::new(&Memory::new(), limits, Clock::system());
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for seed in 1..=8_u64 {
                let (fixture, barrier) = (&fixture, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let mut random = seed;
                    for _ in 0..5_000 {
                        random = hash(random).wrapping_add(seed);
                        let key = random % 300;
                        if fixture.get(key).is_none() {
                            fixture.fill(key, None, &["a"]);
                        }
                        if random % 97 == 0 {
                            fixture.region.evict(hash(key), &key.to_le_bytes(), Cause::Evicted);
                        }
                    }
                });
            }
        });
        assert!(fixture.store.len() <= 64, "{} entries", fixture.store.len());
        assert_eq!(fixture.store.len(), fixture.region.len());
    }
}

#[test]
fn an_entry_that_ages_is_there_until_its_grace_is_over_and_served_until_its_lead() {
    let clock = ManualClock::new();
    let fixture = Fixture::new(&Memory::new(), Limits::default(), clock.clone());
    let labels = || fixture.store.labelled(&[Label::from(&b"a"[..])]);
    let (bytes, label) = (7_u64.to_le_bytes(), Label::from(&b"a"[..]));
    let fill = || Fill {
        hash: hash(7),
        key: KeyBox::from(&bytes[..]),
        born: fixture.store.clock().now(),
        deadline: clock.now() + 100,
        aging: Some(Aging { lead: 20, grace: 50, limit: crate::clock::NEVER }),
        labels: labels(),
    };
    let pass = |nanos| clock.advance(Duration::from_nanos(nanos));
    let there = || fixture.region.peek(hash(7), &bytes).map(|seen| seen.value);
    assert_eq!(
        fixture.region.fill(fill(), &fixture.tickets.take(hash(7), labels().as_ref()), 7),
        Placed::Stored
    );
    pass(79);
    assert_eq!(fixture.get(7), Some(7));
    pass(1);
    assert_eq!((fixture.get(7), there()), (None, Some(7)), "a probe leaves it to the cold path");
    pass(69);
    fixture.region.expire(hash(7), &bytes);
    fixture.store.sweep(usize::MAX);
    assert!(!fixture.region.set_deadline(hash(7), &bytes, clock.now() + 1_000), "it does not come back");
    assert_eq!((there(), fixture.store.count_label(&label), fixture.store.len()), (Some(7), 1, 1));
    pass(1);
    assert_eq!((there(), fixture.store.count_label(&label)), (None, 0));
    fixture.store.sweep(usize::MAX);
    assert_eq!((fixture.store.len(), fixture.store.records().1), (0, 0));

    assert_eq!(
        fixture.region.fill(fill(), &fixture.tickets.take(hash(7), labels().as_ref()), 8),
        Placed::Stored
    );
    assert!(fixture.region.set_deadline(hash(7), &bytes, clock.now() + 30));
    pass(10);
    assert_eq!((fixture.get(7), there()), (None, Some(8)), "lead and grace have moved along");
    pass(69);
    assert_eq!(fixture.store.evict_label(&label, Cause::Tag), 1, "in its grace, it is one that is alive");
}

/// What is stored under a number, for ever.
fn lasting(store: &Store, key: u64, labels: Option<LabelSet>) -> Fill {
    Fill {
        hash: hash(key),
        key: KeyBox::from(&key.to_le_bytes()[..]),
        born: store.clock().now(),
        deadline: crate::clock::NEVER,
        aging: None,
        labels,
    }
}

/// Reads from its region, counts, and panics, as it is dropped.
#[derive(Clone)]
struct Last(Weak<Region<Arc<Last>>>, Arc<AtomicU64>);

impl Drop for Last {
    fn drop(&mut self) {
        let region = self.0.upgrade().expect("it is there while it is closed");
        assert!(matches!(region.get(1, &&b"key"[..]), Found::Absent(_)), "no lock is held");
        self.1.fetch_add(1, Ordering::SeqCst);
        panic!("drop panics");
    }
}

#[test]
fn hazard_16_each_value_of_a_region_that_is_closed_is_dropped_once_whatever_its_drop_does() {
    let store = Memory::new().open(Limits::default(), Clock::system());
    let (region, tickets) = Region::open(&store, Arc::new(Removals::default()));
    let dropped = Arc::new(AtomicU64::new(0));
    let other = Fixture::in_store(Arc::clone(&store));
    assert_eq!(other.fill(1, None, &["a"]), Placed::Stored);
    for key in 0..100 {
        let labels = store.labelled(&[Label::from(&b"a"[..])]);
        let fill = lasting(&store, key, labels);
        let ticket: Ticket = tickets.take(hash(key), None);
        let last = Arc::new(Last(Arc::downgrade(&region), Arc::clone(&dropped)));
        assert_eq!(region.fill(fill, &ticket, last), Placed::Stored);
    }
    region.close();
    assert_eq!((dropped.load(Ordering::SeqCst), region.len(), store.len()), (100, 0, 1));
    assert_eq!(store.evict_label(&Label::from(&b"a"[..]), Cause::Tag), 1, "the other region's");
    assert_eq!(store.records().1, 0, "none is listed");
    drop(region);
    assert_eq!(dropped.load(Ordering::SeqCst), 100);
}

#[test]
fn hazard_18_what_is_in_a_region_that_nobody_has_closed_is_dropped_with_it() {
    let store = Memory::new().open(Limits::default(), Clock::system());
    let (region, tickets) = Region::open(&store, Arc::new(Removals::default()));
    let value = Arc::new("a".to_owned());
    for key in 0..100 {
        let fill = lasting(&store, key, None);
        let ticket: Ticket = tickets.take(hash(key), None);
        assert_eq!(region.fill(fill, &ticket, Arc::clone(&value)), Placed::Stored);
    }
    assert_eq!(Arc::strong_count(&value), 101);
    drop(region);
    assert_eq!(Arc::strong_count(&value), 1);
}
