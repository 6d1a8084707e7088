//! Each defect fails the check that is meant for it, with a message that says what the contract is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::map::{Defect, Map};
use crate::conformance::{self as suite, Node, Subject};
use crate::contract::{
    BoxFuture, Capabilities, Claim, Entry, Event, Filled, Group, Leased, New, Place, Subscription, Terms,
    Tier, Wanted,
};
use crate::error::Result;
use crate::memory::SharedMemory;

/// What the check says, which has to fail.
fn message(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("the check does not see the defect");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

macro_rules! defects {
    ($($test:ident: $defect:ident fails $check:ident: $said:literal;)+) => {$(
        #[test]
        fn $test() {
            let fresh = async || Subject::new(Map::with(Defect::$defect));
            let said = message(|| suite::$check(fresh));
            assert!(said.contains($said), "it says: {said}");
        }
    )+};
}

defects! {
    serves_expired: ServesExpired fails hazard_10_an_entry_expires: "lifetime is over is gone";
    lists_expired: ListsExpired fails hazard_10_what_has_expired_is_nowhere: "`keys` lists live entries";
    rounds_down: RoundsDown fails hazard_12_a_tiny_lifetime_is_rounded_up: "put with a ttl of 1ns";
    overflows: Overflows fails hazard_12_a_huge_lifetime_does_not_overflow: "has become Some(";
    keeps_lifetime: KeepsLifetime fails hazard_27_a_put_replaces_the_lifetime: "is gone";
    loses_empty: LosesEmpty fails an_empty_value_is_a_value: "an empty value is a value";
    cuts: Cuts fails a_large_value_comes_back_whole: "the length of what was stored";
    cuts_larger: Cuts fails a_value_is_stored_whole_or_refused: "not as it is";
    folds_case: FoldsCase fails hazard_8_any_text_is_a_key: "the value of the key";
    trims: Trims fails hazard_8_any_text_is_a_key: "the value of the key";
    cuts_keys: CutsKeys fails a_key_may_have_1024_bytes: "to the last byte";
    skips_missing: SkipsMissing fails a_batch_keeps_its_order: "an answer for each key";
    contains: Contains fails keys_begin_with_their_prefix: "left";
    globs: Globs fails hazard_8_a_prefix_is_no_pattern: "no key begins with \"*\"";
    shares: Shares fails namespaces_do_not_see_each_other: "a key of another namespace";
    tears: Tears fails a_value_is_seen_whole: "the length of another";
    tears_when_dropped: Tears fails hazard_19_a_dropped_operation_is_done_or_not: "neither the old value nor the new";
    looks_first: LooksFirst fails of_parallel_removals_one_finds_the_entry: "of six removals";
    counts_nothing: CountsNothing fails clear_removes_and_counts: "how many live entries were removed";
}

#[test]
fn what_is_missing_is_said() {
    let alone = async || Subject::new(SharedMemory::new());
    assert!(message(|| suite::nodes_share_entries(alone)).contains("without(second_node)"));
    let without_a_bus = async || Subject::new(Map::default());
    assert!(message(|| suite::every_eviction_tells_its_notice(without_a_bus)).contains("without(bus)"));
}

/// What is wrong with a tier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// A fill is stored whenever it comes.
    Unfenced,
    /// A retraction takes away whatever is there.
    RetractsAnything,
    /// An eviction takes the entry, and leaves the fills that are announced.
    EvictsOnlyWhatIsThere,
    /// A subscription has no first gap, and a bus tells before it evicts.
    NoGap,
    TellsTooEarly,
    /// Everybody is given a lease; it never ends by itself; whoever gives one up ends whosesoever there is; an
    /// eviction leaves it.
    LeasesToAll,
    LeaseStays,
    EndsAnothersLease,
    LeaseOutlivesEviction,
}

/// A tier with a defect, over memory.
struct Defective {
    memory: Arc<SharedMemory>,
    wrong: Wrong,
    is_leased: AtomicBool,
}

fn defective(wrong: Wrong) -> Subject {
    let memory = SharedMemory::new();
    let node = || {
        let memory = memory.clone();
        Node::with_tier(
            memory.clone(),
            Arc::new(Defective { memory: Arc::new(memory), wrong, is_leased: AtomicBool::new(false) }),
        )
    };
    Subject::of(node()).with_peer_node(node())
}

/// Fails for the reason that is meant.
fn fails_as_unfenced(wrong: Wrong, check: impl Fn(&dyn Fn() -> Subject)) {
    let said = message(|| check(&|| defective(wrong)));
    let is_clear = said.contains("before the eviction began") || said.contains("Key");
    assert!(is_clear, "it says: {said}");
}

#[test]
fn a_tier_that_stores_late_fills_fails() {
    let wrong = Wrong::Unfenced;
    fails_as_unfenced(wrong, |fresh| suite::hazard_21_an_eviction_fences_off_fills(async || fresh()));
    fails_as_unfenced(wrong, |fresh| {
        suite::hazard_22_a_late_fill_leaves_a_newer_value_alone(async || fresh());
    });
    fails_as_unfenced(wrong, |fresh| suite::hazard_21_nothing_old_is_read_under_load(async || fresh()));
}

#[test]
fn a_tier_that_evicts_only_what_is_there_fails() {
    let wrong = Wrong::EvictsOnlyWhatIsThere;
    fails_as_unfenced(wrong, |fresh| suite::hazard_21_an_eviction_fences_off_fills(async || fresh()));
    fails_as_unfenced(wrong, |fresh| {
        suite::hazard_21_an_eviction_fences_off_fills_of_another_node(async || fresh());
    });
}

#[test]
fn a_tier_that_takes_newer_values_away_fails() {
    let wrong = Wrong::RetractsAnything;
    let said =
        message(|| suite::hazard_22_a_retraction_leaves_a_newer_value_alone(async || defective(wrong)));
    assert!(said.contains("was before it"), "it says: {said}");
}

#[test]
fn a_bus_that_breaks_its_word_fails() {
    let said = message(|| suite::a_subscription_begins_with_a_gap(async || defective(Wrong::NoGap)));
    assert!(said.contains("has missed something") || said.contains("told nothing"), "it says: {said}");
    let said = message(|| suite::another_node_is_told(async || defective(Wrong::TellsTooEarly)));
    assert!(said.contains("once the eviction has taken effect"), "it says: {said}");
}

#[test]
fn a_tier_whose_leases_are_none_fails() {
    let said = |wrong, check: fn(Wrong)| message(|| check(wrong));
    let text =
        said(Wrong::LeasesToAll, |wrong| suite::hazard_25_a_lease_is_held_by_one(async || defective(wrong)));
    assert!(text.contains("another holds the lease"), "it says: {text}");
    let text = said(Wrong::LeasesToAll, |wrong| {
        suite::hazard_25_of_parallel_wishes_one_is_granted(async || defective(wrong));
    });
    assert!(text.contains("one is given it"), "it says: {text}");
    let text =
        said(Wrong::LeaseStays, |wrong| suite::hazard_25_a_lease_ends_by_itself(async || defective(wrong)));
    assert!(text.contains("a lease of 300 ms ends"), "it says: {text}");
    let text = said(Wrong::EndsAnothersLease, |wrong| {
        suite::hazard_25_a_lease_is_ended_by_its_owner(async || defective(wrong));
    });
    assert!(text.contains("ended another's lease"), "it says: {text}");
    let text = said(Wrong::LeaseOutlivesEviction, |wrong| {
        suite::hazard_21_an_eviction_ends_the_lease(async || defective(wrong));
    });
    assert!(text.contains("the lease is free"), "it says: {text}");
}

/// Notices without the first gap.
struct Gapless(Box<dyn Subscription>, bool);

impl Subscription for Gapless {
    fn next(&mut self) -> BoxFuture<'_, Event> {
        Box::pin(async {
            if !std::mem::replace(&mut self.1, true) {
                self.0.next().await;
                return Event::Notice(b"the first".to_vec());
            }
            self.0.next().await
        })
    }
}

impl Tier for Defective {
    fn name(&self) -> &'static str {
        Tier::name(&*self.memory)
    }

    fn capabilities(&self) -> Capabilities {
        Tier::capabilities(&*self.memory)
    }

    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        Tier::get(&*self.memory, at, wanted)
    }

    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        Tier::get_many(&*self.memory, at, wanted)
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        self.memory.begin(at)
    }

    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        match self.wrong {
            Wrong::LeasesToAll => Box::pin(async { self.begin(at).await.map(Leased::Taken) }),
            Wrong::LeaseStays => {
                self.memory.begin_leased(at, Terms { lasts: Duration::from_secs(3_600), ..terms })
            }
            Wrong::LeaseOutlivesEviction => Box::pin(async move {
                if self.is_leased.swap(true, Ordering::SeqCst) {
                    return Ok(Leased::Held(Duration::from_secs(1)));
                }
                self.begin(at).await.map(Leased::Taken)
            }),
            _ => self.memory.begin_leased(at, terms),
        }
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        if self.wrong == Wrong::EndsAnothersLease {
            return Box::pin(async { self.memory.evict(at, None).await.map(drop) });
        }
        self.memory.abandon(at, claim)
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(async move {
            if self.wrong == Wrong::Unfenced {
                self.memory.set(at, new, None).await?;
                return Ok(Filled::Stored);
            }
            self.memory.fill(at, new, claim).await
        })
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        self.memory.set(at, new, notice)
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        self.memory.set_ttl(at, ttl)
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            match self.wrong {
                Wrong::EvictsOnlyWhatIsThere => self.memory.set_ttl(at, Some(Duration::from_nanos(1))).await,
                Wrong::TellsTooEarly => {
                    self.memory.evict(&Place { key: "other".to_owned(), ..at.clone() }, notice).await
                }
                _ => self.memory.evict(at, notice).await,
            }
        })
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        if self.wrong == Wrong::RetractsAnything {
            return Box::pin(async move { self.memory.evict(at, notice).await.map(|_| true) });
        }
        self.memory.retract(at, claim, notice)
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.memory.evict_group(group, notice)
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        Tier::clear(&*self.memory, notice)
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        self.memory.count(group)
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        let subscription = Arc::clone(&self.memory).subscribe()?;
        Some(if self.wrong == Wrong::NoGap { Box::new(Gapless(subscription, false)) } else { subscription })
    }
}
