//! Tenants and scopes (hazards 2, 7, 8 and 9, invariant 2).

use std::sync::Arc;
use std::task::Poll;

use cacheado::prelude::*;
use cacheado::{with_cache, with_cache_async};
use cacheado_tests::stage::tiers;
use cacheado_tests::wait::{on_one_thread, poll_times};
use tokio::sync::Notify;

cacheado::scopes! {
    mod scopes {
        organization(org_id: OrgId) { user(user_id) { session(session_id) } }
        car(car_id) { door(door_id) }
        user_of_car(car_id) { user_of_door(door_id: u8) }
    }
}

mod texts {
    cacheado::scopes! {
        pub mod scopes {
            /// Who pays.
            organization(org_id: String) {
                /// Who asks.
                user(user_id: &str)
            }
        }
    }
}

mod other {
    cacheado::scopes! {
        pub mod scopes {
            organization(org_id) { team(team_id) }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, KeyPart)]
struct OrgId(String);

fn org(id: &str) -> OrgId {
    OrgId(id.to_owned())
}

#[cached(scope = "user")]
fn profile(org_id: &OrgId, user_id: &str, page: u32) -> String {
    format!("{}/{user_id}/{page}", org_id.0)
}

#[cached(scope = "organization")]
fn plan(org_id: OrgId, user_id: &str) -> String {
    format!("{}/{user_id}", org_id.0)
}

#[cached(scope = "session", key(what))]
fn only_what(org_id: &OrgId, user_id: u64, session_id: Arc<str>, what: &str) -> String {
    format!("{}/{user_id}/{session_id}/{what}", org_id.0)
}

struct Context {
    org: OrgId,
    user: Option<u64>,
}

#[cached(scope = "user", scope_args(org_id = ctx.org, user_id = ctx.user), skip(ctx))]
fn of_context(ctx: &Context, n: u8) -> String {
    format!("{}/{:?}/{n}", ctx.org.0, ctx.user)
}

#[expect(clippy::ref_option, reason = "for the test")]
#[cached(scope = cacheado_tests::tenancy::scopes::user)]
async fn of_maybe(org_id: &Option<OrgId>, user_id: Option<&str>) -> String {
    format!("{org_id:?}/{user_id:?}")
}

#[cached(scope = other::scopes::team)]
fn of_team(org_id: &str, team_id: u8) -> String {
    format!("{org_id}/{team_id}")
}

#[cached(scope = cacheado_tests::tenancy::scopes::session)]
fn cross_crate(org_id: &str, user_id: &str, session_id: &str) -> String {
    format!("{org_id}{user_id}{session_id}")
}

#[cached]
fn global(n: u8) -> u8 {
    n
}

fn alone(test: impl FnOnce(&Cache)) {
    let cache = Cache::new();
    with_cache(&cache, || test(&cache));
}

const NASTY: [&str; 16] = [
    "",
    "a",
    "b",
    "a:b",
    "a/b",
    "o1/user:u7",
    "::",
    "%",
    "%empty",
    "%2F",
    "*",
    "?",
    "[a]",
    "\0",
    "é\n",
    "global",
];

#[test]
fn hazard_02_no_value_poses_as_a_path() {
    alone(|cache| {
        for outer in NASTY {
            for inner in NASTY {
                assert_eq!(profile(&org(outer), inner, 1), format!("{outer}/{inner}/1"));
                cache
                    .scoped(scopes::user(org(outer), inner))
                    .set("k", &(outer, inner).1.len(), Ttl::Never)
                    .unwrap();
            }
        }
        let all = 2 * (NASTY.len() * NASTY.len()) as u64;
        assert_eq!(cache.stats().total_keys, all);
        let mut left = all;
        for outer in NASTY {
            assert_eq!(cache.evict_by_scope(&scopes::user(org(outer), "a:b")).unwrap(), 2, "{outer:?}");
            assert_eq!(cache.evict_by_scope(&scopes::user(org(outer), "a:b")).unwrap(), 0, "{outer:?}");
            left -= 2;
        }
        for outer in NASTY {
            let gone = cache.evict_by_scope(&scopes::organization(org(outer))).unwrap();
            assert_eq!(gone, 2 * (NASTY.len() as u64 - 1), "{outer:?}");
            left -= gone;
            assert_eq!(cache.stats().total_keys, left);
        }
        assert_eq!(left, 0);
    });
}

#[test]
fn hazard_02_no_key_reaches_another_scope() {
    let cache = Cache::new();
    let user = cache.scoped(scopes::user(org("o"), "u"));
    let keys = ["u", "o", "organization:o/user:u", "", "s", "user:u", "\0"];
    for key in keys {
        user.set(key, &1_u8, Ttl::Never).unwrap();
        user.set(("user", "u", key), &1_u8, Ttl::Never).unwrap();
    }
    for scope in
        [Scope::global(), scopes::organization(org("o")), scopes::user(org("o"), "v"), scopes::car("o")]
    {
        let scoped = cache.scoped(scope.clone());
        for key in keys {
            assert_eq!(scoped.get::<u8>(key).unwrap(), None, "{scope}: {key}");
            assert_eq!(scoped.get::<u8>(("user", "u", key)).unwrap(), None);
            assert!(!scoped.evict(key).unwrap());
        }
    }
    assert_eq!(cache.stats().total_keys, 14);
    assert_eq!(cache.evict_by_scope(&scopes::user(org("o"), "u")).unwrap(), 14);
}

#[test]
fn hazard_02_levels_of_one_value_are_different_scopes() {
    let cache = Cache::new();
    let all = [
        scopes::organization(org("x")),
        scopes::user(org("x"), "x"),
        scopes::session(org("x"), "x", "x"),
        scopes::car("x"),
        scopes::door("x", "x"),
        scopes::user_of_car("x"),
        Scope::global(),
    ];
    for (n, scope) in all.iter().enumerate() {
        cache.scoped(scope.clone()).set("k", &n, Ttl::Never).unwrap();
    }
    for (n, scope) in all.iter().enumerate() {
        assert_eq!(cache.scoped(scope.clone()).get::<usize>("k").unwrap(), Some(n), "{scope}");
    }
    assert_eq!(cache.evict_by_scope(&all[0]).unwrap(), 3);
    assert_eq!(cache.evict_by_scope(&all[4]).unwrap(), 1);
    assert_eq!(cache.evict_by_scope(&all[3]).unwrap(), 1);
    assert_eq!(cache.evict_by_scope(&all[5]).unwrap(), 1);
    assert_eq!(cache.evict_by_scope(&Scope::global()).unwrap(), 1);
}

#[test]
fn hazard_07_positional_arguments_and_the_level_asked_for() {
    alone(|cache| {
        for _ in 0..2 {
            assert_eq!(profile(&org("o1"), "u1", 1), "o1/u1/1");
            assert_eq!(profile(&org("o2"), "u1", 1), "o2/u1/1");
            assert_eq!(plan(org("o1"), "u1"), "o1/u1");
        }
        assert_eq!((cache.stats().hits, cache.stats().misses), (3, 3), "the documented example caches");
        assert_eq!(profile_entry(&org("o1"), "u1", 1).key().scope().to_string(), "organization:o1/user:u1");
        assert_eq!(
            plan_entry(org("o1"), "u1").key().scope(),
            scopes::organization(org("o1")),
            "not the deepest"
        );
        assert_eq!(cache.evict_by_scope(&scopes::user(org("o1"), "u1")).unwrap(), 1);
        assert_eq!(cache.evict_by_scope(&scopes::organization(org("o1"))).unwrap(), 1);
        assert_eq!(profile_entry(&org("o2"), "u1", 1).peek().unwrap().unwrap(), "o2/u1/1");
    });
}

#[test]
fn hazard_09_scope_values_are_in_the_key_wherever_they_come_from() {
    alone(|cache| {
        for _ in 0..2 {
            for (o, u, s) in [("o1", 1, "s1"), ("o2", 1, "s1"), ("o1", 2, "s1"), ("o1", 1, "s2")] {
                assert_eq!(only_what(&org(o), u, s.into(), "w"), format!("{o}/{u}/{s}/w"));
            }
            for (o, u) in [("o1", 1), ("o2", 1), ("o1", 2)] {
                let ctx = Context { org: org(o), user: Some(u) };
                assert_eq!(of_context(&ctx, 9), format!("{o}/Some({u})/9"));
            }
        }
        assert_eq!((cache.stats().hits, cache.stats().misses), (7, 7));
        assert_eq!(cache.evict_by_scope(&scopes::session(org("o1"), "1", "s1")).unwrap(), 1);
        assert_eq!(cache.evict_by_scope(&scopes::user(org("o1"), 1_u8)).unwrap(), 2);
        assert_eq!(cache.evict_by_scope(&scopes::organization(org("o2"))).unwrap(), 2);
    });
}

/// A key that leaves out whom it is of: the scope says that.
#[derive(Debug, Clone, KeyPart)]
struct Request {
    #[key(skip)]
    tenant: OrgId,
    page: u32,
}

impl Request {
    fn of(tenant: &str) -> Self {
        Self { tenant: org(tenant), page: 1 }
    }
}

#[cached(scope = "organization", scope_args(org_id = tenant))]
fn page_given(Request { tenant, page }: Request) -> String {
    format!("{}, page {page}", tenant.0)
}

#[cached(scope = "organization")]
fn page_bound(Request { tenant: org_id, page }: Request) -> String {
    format!("{}, page {page}", org_id.0)
}

#[cached(scope = "organization", key(org_id, page))]
fn page_named(Request { tenant: org_id, page }: Request) -> String {
    format!("{}, page {page}", org_id.0)
}

#[test]
fn hazard_09_a_tenant_inside_a_pattern_is_in_the_key_whatever_the_pattern_s_type_leaves_out() {
    let pages = [page_given, page_bound, page_named];
    for (tier, cache, _) in tiers() {
        with_cache(&cache, || {
            for page in pages {
                for _ in 0..2 {
                    for tenant in ["acme", "globex"] {
                        assert_eq!(page(Request::of(tenant)), format!("{tenant}, page 1"), "{tier}");
                    }
                }
            }
            let kept = page_bound_entry(Request::of("globex")).peek().unwrap();
            assert_eq!(kept.as_deref(), Some("globex, page 1"), "{tier}");
            assert_eq!(page_bound_cache().stats().misses, 2, "{tier}");
            assert_eq!(cache.evict_by_scope(&scopes::organization(org("acme"))).unwrap(), 3, "{tier}");
        });
    }
}

#[test]
fn hazard_09_nobody_waits_for_the_computation_of_another_tenant() {
    #[cached(scope = "organization", skip(gate))]
    async fn page_async(gate: Option<Arc<Notify>>, Request { tenant: org_id, page }: Request) -> String {
        if let Some(gate) = gate {
            gate.notified().await;
        }
        format!("{}, page {page}", org_id.0)
    }
    on_one_thread(|| async {
        for (tier, cache, _) in tiers() {
            let gate = Arc::new(Notify::new());
            with_cache_async(&cache, async {
                let mut acme = Box::pin(page_async(Some(Arc::clone(&gate)), Request::of("acme")));
                assert!(poll_times(&mut acme, 64).is_pending());
                let globex = poll_times(page_async(None, Request::of("globex")), 64);
                assert_eq!(globex, Poll::Ready("globex, page 1".to_owned()), "{tier}");
                gate.notify_one();
                assert_eq!(acme.await, "acme, page 1", "{tier}");
            })
            .await;
        }
    });
}

#[test]
fn hazard_09_a_missing_tenant_is_not_cached_and_not_global() {
    alone(|cache| {
        let nobody = Context { org: org("o1"), user: None };
        for n in 1..=3 {
            assert_eq!(of_context(&nobody, 9), "o1/None/9");
            let stats = cache.stats();
            assert_eq!((stats.bypassed, stats.hits, stats.misses, stats.total_keys), (n, 0, 0, 0));
        }
        of_context_entry(&nobody, 9).set("set".to_owned()).unwrap();
        assert_eq!(of_context_entry(&nobody, 9).peek().unwrap(), None);
        assert_eq!(of_context_entry(&nobody, 9).get(), "o1/None/9");
        assert_eq!(of_context_entry(&nobody, 9).refresh(), "o1/None/9");
        assert_eq!(cache.stats().total_keys, 0);
        let somebody = Context { org: org("o1"), user: Some(1) };
        assert_eq!(of_context(&somebody, 9), "o1/Some(1)/9");
        assert_eq!(of_context(&nobody, 9), "o1/None/9");
    });
    on_one_thread(|| async {
        let cache = Cache::new();
        with_cache_async(&cache, async {
            for (o, u, bypassed) in [(None, None, 1), (Some(org("o")), None, 2), (None, Some("u"), 3)] {
                assert_eq!(of_maybe(&o, u).await, format!("{o:?}/{u:?}"));
                assert_eq!((cache.stats().bypassed, cache.stats().total_keys), (bypassed, 0));
            }
            of_maybe(&Some(org("o")), Some("u")).await;
            of_maybe(&Some(org("o")), Some("u")).await;
            assert_eq!((cache.stats().hits, cache.stats().total_keys), (1, 1));
            assert_eq!(cache.evict_by_scope(&scopes::user(org("o"), "u")).unwrap(), 1);
        })
        .await;
    });
}

#[test]
fn hazard_08_a_clear_of_one_cache_leaves_its_neighbours() {
    let caches = [Cache::new(), Cache::new()];
    for cache in &caches {
        with_cache(cache, || {
            global(1);
            profile(&org("o"), "u", 1);
        });
    }
    caches[0].clear().unwrap();
    assert_eq!((caches[0].stats().total_keys, caches[1].stats().total_keys), (0, 2));
    assert_eq!(caches[0].stats().misses, 0, "statistics start again");
    with_cache(&caches[0], || assert_eq!(global_cache().stats().total_keys, 0));
}

#[test]
fn scopes_of_other_modules_and_crates() {
    alone(|cache| {
        for _ in 0..2 {
            assert_eq!((of_team("o", 1), cross_crate("o", "u", "s")), ("o/1".into(), "ous".into()));
        }
        plan(org("o"), "u");
        assert_eq!(cache.stats().hits, 2);
        assert_eq!(of_team_entry("o", 1).key().scope(), other::scopes::team("o", 1));
        assert_eq!(
            cross_crate_entry("o", "u", "s").key().scope(),
            cacheado_tests::tenancy::scopes::session("o", "u", "s")
        );
        // A scope is its path, whichever tree says so: all three lie in `organization:o`.
        assert_eq!(other::scopes::organization("o"), scopes::organization(org("o")));
        assert_eq!(cache.evict_by_scope(&cacheado_tests::tenancy::scopes::organization("o")).unwrap(), 3);
    });
}

#[test]
fn the_tree_at_run_time_is_the_tree_of_the_macro() {
    let built = ScopeTree::builder()
        .level("organization", "org_id")
        .child("organization", "user", "user_id")
        .child("user", "session", "session_id")
        .level("car", "car_id")
        .child("car", "door", "door_id")
        .level("user_of_car", "car_id")
        .child("user_of_car", "user_of_door", "door_id")
        .build()
        .unwrap();
    for tree in [scopes::tree(), &built] {
        for value in NASTY {
            let user = tree.resolve("user", [("org_id", value), ("user_id", "u")]).unwrap();
            assert_eq!(user, scopes::user(org(value), "u"));
            assert_eq!(user.to_string().parse::<Scope>().unwrap(), user);
        }
        assert_eq!(
            tree.resolve("user_of_door", [("car_id", "c"), ("door_id", "1")]).unwrap(),
            scopes::user_of_door("c", 1)
        );
        let missing = tree.resolve("user", [("org_id", "o")]).unwrap_err();
        assert!(missing.to_string().contains("user_id"), "{missing}");
        assert!(tree.resolve("nowhere", [("org_id", "o")]).is_err());
        assert!(tree.resolve("car", [("car_id", "c"), ("org_id", "o")]).is_err(), "what it does not know");
    }
    let names = |tree: &ScopeTree| format!("{tree:?}");
    assert_eq!(names(scopes::tree()), names(&built));
}

#[test]
fn statistics_by_function_and_level() {
    alone(|cache| {
        for n in 0..3_u8 {
            profile(&org("o"), "u", u32::from(n % 2));
            global(n);
        }
        cache.set("k", &1_u8, Ttl::Never).unwrap();
        cache.scoped(scopes::car("c")).get::<u8>("k").unwrap();
        let by = cache.stats_by_function();
        assert_eq!(by.keys().collect::<Vec<_>>(), ["(keys)", "isolation::global", "isolation::profile"]);
        let of = |name: &str| (by[name].hits, by[name].misses, by[name].total_keys);
        assert_eq!(
            [of("isolation::profile"), of("isolation::global"), of("(keys)")],
            [(1, 2, 2), (0, 3, 3), (0, 1, 1)]
        );
        let by = cache.stats_by_scope_level();
        assert_eq!(by.keys().collect::<Vec<_>>(), ["car", "global", "user"]);
        assert_eq!((by["user"].hits, by["global"].total_keys, by["car"].misses), (1, 4, 1));
        let all = cache.stats();
        assert_eq!((all.hits, all.misses, all.total_keys), (1, 6, 6));
    });
}

#[test]
fn a_level_of_texts_takes_them_owned_and_borrowed() {
    use std::borrow::Cow;
    use texts::scopes::{organization, user};

    #[cached(scope = texts::scopes::user)]
    fn of_borrowed(org_id: &str, user_id: &str) -> String {
        format!("{org_id}/{user_id}")
    }
    #[cached(scope = texts::scopes::user)]
    fn of_owned(org_id: String, user_id: Arc<str>) -> String {
        format!("{org_id}/{user_id}")
    }
    #[cached(scope = texts::scopes::organization)]
    fn of_pointers(org_id: &Arc<Cow<'_, str>>) -> String {
        org_id.to_string()
    }
    let ada = user("acme", "ada");
    assert_eq!(ada.to_string(), "organization:acme/user:ada");
    assert_eq!(ada, user("acme".to_owned(), Arc::<str>::from("ada")));
    let (acme, name) = ("acme".to_owned(), Box::<str>::from("ada"));
    assert_eq!(ada, user(Cow::Borrowed("acme"), &name));
    assert_eq!((ada.parent(), name.len()), (Some(organization(&acme)), acme.len() - 1));

    let cache = Cache::new();
    with_cache(&cache, || {
        assert_eq!(of_borrowed("acme", "ada"), of_owned("acme".to_owned(), "ada".into()));
        assert_eq!(of_pointers(&Arc::new("acme".into())), "acme");
        of_borrowed("globex", "ada");
    });
    assert_eq!(cache.evict_by_scope(&ada).unwrap(), 2);
    assert_eq!(cache.evict_by_scope(&organization("acme")).unwrap(), 1);
}
