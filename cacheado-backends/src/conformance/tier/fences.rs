//! Fences: after an eviction has returned, nothing is read that was announced before it began.

use std::time::Instant;

use crate::Result;
use crate::conformance::Subject;
use crate::conformance::tools::{Must, check, drop_after, group, new, ok, place, scope};
use crate::contract::{FILL_WINDOW, Filled, Group, Place, Tier};

/// The ways to end what lies at [`at`], and every fill of it that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Key,
    Function,
    Scope,
    Tag,
    Clear,
    Set,
}

pub(super) const WAYS: [Way; 6] = [Way::Key, Way::Function, Way::Scope, Way::Tag, Way::Clear, Way::Set];

pub(super) fn groups() -> [Group; 4] {
    [group("function"), scope("org:acme"), scope("org:acme/user:ada"), group("tag:a")]
}

pub(super) fn at() -> Place {
    place("key", &groups().each_ref())
}

impl Way {
    /// `value` is what a set stores.
    pub(super) async fn run(self, tier: &dyn Tier, value: &str, notice: Option<&[u8]>) -> Result<()> {
        let [function, org, _, tag] = groups();
        match self {
            Self::Key => tier.evict(&at(), notice).await.map(drop),
            Self::Function => tier.evict_group(&function, notice).await.map(drop),
            Self::Scope => tier.evict_group(&org, notice).await.map(drop),
            Self::Tag => tier.evict_group(&tag, notice).await.map(drop),
            Self::Clear => tier.clear(notice).await.map(drop),
            Self::Set => tier.set(&at(), new(value.as_bytes()), notice).await,
        }
    }

    /// What is read afterwards.
    fn leaves(self) -> Option<&'static str> {
        (self == Self::Set).then_some("set")
    }
}

/// Announces a fill on one node, evicts on another, and lets the fill come late.
async fn late_fill(way: Way, one: &dyn Tier, other: &dyn Tier, was_there: bool) {
    let said = format!("{way:?}, with a value there before: {was_there}");
    if was_there {
        one.load(&at(), "there before").await;
    }
    let claim = one.claim(&at()).await;
    ok(&said, way.run(other, "set", None).await);
    for tier in [one, other] {
        assert_eq!(tier.read(&at()).await.as_deref(), way.leaves(), "{said}: what was there is still read");
    }
    let filled = one.fill_in(&at(), "old", &claim).await;
    assert_eq!(filled, Filled::Fenced, "{said}: the fill was announced before the eviction began");
    for tier in [one, other] {
        let read = tier.read(&at()).await;
        assert_eq!(read.as_deref(), way.leaves(), "{said}: a value is read that was announced before");
    }
    one.load(&at(), "new").await;
    for tier in [one, other] {
        assert_eq!(
            tier.read(&at()).await.as_deref(),
            Some("new"),
            "{said}: a fill announced after it counts"
        );
    }
    ok("clear", other.clear(None).await);
}

/// Every way to evict fences off the fills that were announced before, whether or not there was an entry.
pub fn hazard_21_an_eviction_fences_off_fills(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        for way in WAYS {
            for was_there in [false, true] {
                late_fill(way, subject.tier(), subject.tier(), was_there).await;
            }
        }
    });
}

/// The same where one node evicts and the other fills.
pub fn hazard_21_an_eviction_fences_off_fills_of_another_node(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let (here, there) = (subject.tier(), &*subject.peer().tier);
        for way in WAYS {
            for was_there in [false, true] {
                late_fill(way, here, there, was_there).await;
                late_fill(way, there, here, was_there).await;
            }
        }
    });
}

/// A late fill leaves alone what another has stored since the eviction.
pub fn hazard_22_a_late_fill_leaves_a_newer_value_alone(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        for way in WAYS {
            for by_set in [false, true] {
                let claim = tier.claim(&at()).await;
                ok("evict", way.run(tier, "set", None).await);
                if by_set {
                    ok("set", tier.set(&at(), new(b"newer"), None).await);
                } else {
                    tier.load(&at(), "newer").await;
                }
                assert_eq!(tier.fill_in(&at(), "old", &claim).await, Filled::Fenced, "{way:?}");
                assert_eq!(tier.read(&at()).await.as_deref(), Some("newer"), "{way:?}: it was destroyed");
                let function = &groups()[0];
                assert_eq!(
                    ok("evict_group", tier.evict_group(function, None).await),
                    1,
                    "{way:?}: its index"
                );
            }
        }
    });
}

/// A computation that has ended without a value takes away what was there when it was announced, and nothing that was
/// stored after an eviction since.
pub fn hazard_22_a_retraction_leaves_a_newer_value_alone(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        for was_there in [false, true] {
            if was_there {
                tier.load(&at(), "old").await;
            }
            let claim = tier.claim(&at()).await;
            assert!(ok("retract", tier.retract(&at(), &claim, None).await), "nothing has come in between");
            assert_eq!(tier.read(&at()).await, None, "what was there is old");
            assert_eq!(ok("evict_group", tier.evict_group(&groups()[0], None).await), 0, "its index");
            tier.load(&at(), "again").await;
        }
        for way in WAYS {
            for by_set in [false, true] {
                let claim = tier.claim(&at()).await;
                ok("evict", way.run(tier, "set", None).await);
                if by_set {
                    ok("set", tier.set(&at(), new(b"newer"), None).await);
                } else {
                    tier.load(&at(), "newer").await;
                }
                assert!(!ok("retract", tier.retract(&at(), &claim, None).await), "{way:?} was before it");
                assert_eq!(tier.read(&at()).await.as_deref(), Some("newer"), "{way:?}: it was taken away");
                let function = &groups()[0];
                assert_eq!(
                    ok("evict_group", tier.evict_group(function, None).await),
                    1,
                    "{way:?}: its index"
                );
            }
        }
    });
}

/// Only what concerns a fill fences it off: other keys, groups and tags do not, and neither do fills.
pub fn evicting_other_things_fences_off_nothing(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let claim = tier.claim(&at()).await;
        let others = [group("function"), scope("org:acme"), group("tag:b")];
        let other = place("other", &others.each_ref());
        ok("set", tier.set(&other, new(b"other"), None).await);
        ok("evict", tier.evict(&other, None).await);
        for name in ["function:2", "org:acme/user:grace", "org:ac", "tag:b", "tag:"] {
            ok("evict_group", tier.evict_group(&group(name), None).await);
        }
        for number in 0..200 {
            ok("evict", tier.evict(&place(&format!("other-{number}"), &[]), None).await);
        }
        assert_eq!(tier.fill_in(&at(), "value", &claim).await, Filled::Stored, "nothing of it was evicted");
        assert_eq!(tier.read(&at()).await.as_deref(), Some("value"));

        // Two fills of one key at the same time: whichever is kept, one of them is read.
        let (one, two) = (tier.claim(&at()).await, tier.claim(&at()).await);
        assert_eq!(tier.fill_in(&at(), "two", &two).await, Filled::Stored);
        tier.fill_in(&at(), "one", &one).await;
        let read = tier.read(&at()).await;
        assert!(
            matches!(read.as_deref(), Some("one" | "two")),
            "{read:?} is none of the two that were filled"
        );
    });
}

/// A claim can be given up; the key can be filled as before.
pub fn hazard_25_giving_a_claim_up_frees_no_other(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (given_up, kept) = (tier.claim(&at()).await, tier.claim(&at()).await);
        ok("abandon", tier.abandon(&at(), &given_up).await);
        assert_eq!(tier.fill_in(&at(), "kept", &kept).await, Filled::Stored, "another's claim was given up");
        tier.load(&at(), "again").await;
        assert_eq!(tier.read(&at()).await.as_deref(), Some("again"));
    });
}

/// A fill that comes later than [`FILL_WINDOW`] after its claim is fenced off.
pub fn a_fill_that_takes_too_long_is_fenced_off(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let mut claim = tier.claim(&at()).await;
        let long_ago = Instant::now().checked_sub(FILL_WINDOW);
        claim.taken = long_ago.unwrap_or_else(|| panic!("this machine has not run for {FILL_WINDOW:?}"));
        assert_eq!(tier.fill_in(&at(), "late", &claim).await, Filled::Fenced, "the window is over");
        assert_eq!(tier.read(&at()).await, None);
    });
}

/// Operations that are dropped half way leave nothing old behind: not a fill that an eviction overtakes, and
/// not an eviction that is done once more.
pub fn hazard_19_what_is_dropped_leaves_nothing_old(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        for way in WAYS {
            for polls in [0, 1, 2, 3, 5, 8] {
                let claim = tier.claim(&at()).await;
                drop(drop_after(polls, tier.fill(&at(), new(b"old"), &claim)).await);
                // It may run to its end all the same, even after the next: so it stores nothing else than that.
                drop(drop_after(polls, way.run(tier, "set", None)).await);
                let claim = tier.claim(&at()).await;
                ok("evict", way.run(tier, "set", None).await);
                assert_eq!(tier.read(&at()).await.as_deref(), way.leaves(), "{way:?} after {polls} polls");
                assert_eq!(tier.fill_in(&at(), "old", &claim).await, Filled::Fenced);
                assert_eq!(tier.read(&at()).await.as_deref(), way.leaves(), "{way:?} after {polls} polls");
            }
        }
        ok("clear", tier.clear(None).await);
        tier.load(&at(), "end").await;
        assert_eq!(ok("evict_group", tier.evict_group(&groups()[1], None).await), 1);
    });
}
