//! Leases: of several nodes that want to compute an entry, one at a time.
//!
//! A backend without [`Capabilities::leases`](crate::Capabilities) gives everybody a claim, and that is all
//! that is asked of it.

use std::time::{Duration, Instant};

use super::fences::{WAYS, at};
use crate::conformance::Subject;
use crate::conformance::tools::{LONG, Must, check, eventually, join, new, ok, place};
use crate::contract::{Claim, Filled, Leased, Place, Terms, Tier};

const MINUTE: Duration = Duration::from_secs(60);

fn terms(lasts: Duration) -> Terms {
    Terms { lasts, look: true }
}

async fn wish(tier: &dyn Tier, at: &Place, terms: Terms) -> Leased {
    ok("begin_leased", tier.begin_leased(at, terms).await)
}

/// Takes a lease that has to be free.
#[track_caller]
fn taken(said: &str, leased: Leased) -> Claim {
    match leased {
        Leased::Taken(claim) => claim,
        other => panic!("{said}: the lease is free, but: {other:?}"),
    }
}

async fn take(said: &str, tier: &dyn Tier, lasts: Duration) -> Claim {
    taken(said, wish(tier, &at(), terms(lasts)).await)
}

async fn is_held(tier: &dyn Tier) -> bool {
    let lasts = Duration::from_millis(1);
    match wish(tier, &at(), Terms { lasts, look: false }).await {
        Leased::Held(_) => true,
        Leased::Taken(claim) => {
            ok("abandon", tier.abandon(&at(), &claim).await);
            false
        }
        Leased::Found(_) => panic!("an entry is found that was not looked for"),
    }
}

fn has_leases(subject: &Subject) -> bool {
    subject.tier().capabilities().leases
}

/// A claim that comes with a lease can be filled like any other, also where there are no leases.
pub fn a_leased_claim_can_be_filled(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        for value in ["one", "two"] {
            let leased = wish(tier, &at(), Terms { lasts: MINUTE, look: false }).await;
            let claim = taken(value, leased);
            assert_eq!(tier.fill_in(&at(), value, &claim).await, Filled::Stored, "{value}");
            assert_eq!(tier.read(&at()).await.as_deref(), Some(value));
        }
        for way in WAYS {
            let claim = taken("a claim", wish(tier, &at(), Terms { lasts: MINUTE, look: false }).await);
            ok("evict", way.run(tier, "set", None).await);
            assert_eq!(tier.fill_in(&at(), "old", &claim).await, Filled::Fenced, "{way:?} comes before it");
        }
    });
}

/// Who holds a lease holds it alone, on this place alone; the others are told how long at most.
pub fn hazard_25_a_lease_is_held_by_one(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        for node in subject.nodes() {
            let tier = &*node.tier;
            let claim = take("nobody holds it", subject.tier(), MINUTE).await;
            for look in [true, false] {
                match wish(tier, &at(), Terms { lasts: LONG, look }).await {
                    Leased::Held(left) => {
                        assert!(!left.is_zero() && left <= MINUTE, "what is left of the lease: {left:?}");
                    }
                    other => panic!("another holds the lease, but: {other:?}"),
                }
            }
            let other = place("other", &[]);
            let free = taken("another place", wish(tier, &other, terms(MINUTE)).await);
            ok("abandon", tier.abandon(&other, &free).await);
            // A claim without a lease neither needs it nor ends it.
            let free = tier.claim(&at()).await;
            ok("abandon", tier.abandon(&at(), &free).await);
            assert!(is_held(tier).await, "who gives up a claim without a lease ends no lease");
            assert_eq!(subject.tier().fill_in(&at(), "value", &claim).await, Filled::Stored);
            assert!(!is_held(tier).await, "the fill ends the lease");
            ok("clear", tier.clear(None).await);
            let claim = take("the fill has ended it", subject.tier(), MINUTE).await;
            assert!(ok("retract", subject.tier().retract(&at(), &claim, None).await));
            assert!(!is_held(tier).await, "what takes the entry away ends the lease as well");
            ok("clear", tier.clear(None).await);
        }
    });
}

/// Of several who want it at the same time one is given it.
pub fn hazard_25_of_parallel_wishes_one_is_granted(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        for round in 0..20 {
            let at = place(&format!("key-{round}"), &[]);
            let wishes = subject.nodes().into_iter().cycle().take(8).map(|node| {
                let at = at.clone();
                tokio::spawn(async move {
                    matches!(wish(&*node.tier, &at, terms(MINUTE)).await, Leased::Taken(_))
                })
            });
            let mut granted = 0;
            for wish in wishes.collect::<Vec<_>>() {
                granted += u32::from(join(wish).await);
            }
            assert_eq!(granted, 1, "of eight who want a lease at the same time, one is given it");
        }
    });
}

/// Once the value is there, there is nothing to compute: who looks for it is given it.
pub fn what_has_been_filled_is_found(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        let tier = subject.tier();
        let claim = take("nobody holds it", tier, MINUTE).await;
        tier.fill_in(&at(), "value", &claim).await;
        match wish(tier, &at(), terms(MINUTE)).await {
            Leased::Found(entry) => {
                assert_eq!(entry.value, b"value");
                let left = entry.remaining.filter(|left| *left <= LONG && *left > LONG / 2);
                assert!(left.is_some(), "what is left of its life: {:?}", entry.remaining);
            }
            other => panic!("the value is there, but: {other:?}"),
        }
        taken("it is not looked for", wish(tier, &at(), Terms { lasts: MINUTE, look: false }).await);
        // Also while another holds the lease, as one that computes it anew does.
        assert!(matches!(wish(tier, &at(), terms(MINUTE)).await, Leased::Found(_)), "an entry comes first");
    });
}

/// A lease ends by itself, so that one who dies holds up nobody for long.
pub fn hazard_25_a_lease_ends_by_itself(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        let tier = subject.tier();
        let begun = Instant::now();
        let late = take("nobody holds it", tier, Duration::from_millis(300)).await;
        // On a machine that stood still meanwhile, nothing is known. Clocks of milliseconds may be off by one.
        assert!(is_held(tier).await || begun.elapsed() >= Duration::from_millis(299), "it lasts 300 ms");
        eventually("a lease of 300 ms ends", async || !is_held(tier).await).await;
        // Who comes late ends nothing of whom comes after.
        let claim = take("it has ended", tier, MINUTE).await;
        ok("abandon", tier.abandon(&at(), &late).await);
        assert!(is_held(tier).await, "a lease was ended by one whose own was over");
        assert_eq!(tier.fill_in(&at(), "value", &claim).await, Filled::Stored);
    });
}

/// A lease is ended by whom it belongs to, and by nobody else.
pub fn hazard_25_a_lease_is_ended_by_its_owner(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        let tier = subject.tier();
        let first = take("nobody holds it", tier, MINUTE).await;
        ok("abandon", tier.abandon(&at(), &first).await);
        let second = take("it was given up", tier, MINUTE).await;
        ok("abandon", tier.abandon(&at(), &first).await);
        assert!(is_held(tier).await, "giving up a claim twice has ended another's lease");
        drop(tier.fill(&at(), new(b"late"), &first).await);
        ok("set_ttl", tier.set_ttl(&at(), Some(Duration::from_nanos(1))).await);
        assert!(is_held(tier).await, "the fill of another claim has ended the lease");
        ok("abandon", tier.abandon(&at(), &second).await);
        assert!(!is_held(tier).await, "it was given up");
    });
}

/// An eviction ends the leases of those whose fill it forbids: who comes after it does not wait for them.
pub fn hazard_21_an_eviction_ends_the_lease(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        if !has_leases(subject) {
            return;
        }
        let tier = subject.tier();
        for way in WAYS {
            let old = take("nobody holds it", tier, MINUTE).await;
            ok("evict", way.run(tier, "set", None).await);
            let leased = wish(tier, &at(), Terms { lasts: MINUTE, look: false }).await;
            let new = taken(&format!("after {way:?}"), leased);
            // The fill that is forbidden ends nothing of the next one's.
            assert_eq!(tier.fill_in(&at(), "old", &old).await, Filled::Fenced, "{way:?}");
            ok("abandon", tier.abandon(&at(), &old).await);
            assert!(is_held(tier).await, "{way:?}: a fenced fill has ended another's lease");
            assert_eq!(tier.fill_in(&at(), "new", &new).await, Filled::Stored, "{way:?}");
            ok("clear", tier.clear(None).await);
        }
    });
}
