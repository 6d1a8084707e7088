//! Eviction by scope against a naive model, over random trees: exactly what lies in the scope goes.

#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

use std::collections::BTreeMap;

use cacheado::rules::{Lru, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Scope, ScopeTree, Ttl, cached};
use cacheado_tests::random::Random;
use cacheado_tests::tenancy::scopes;
use std::time::Duration;

#[cached(cache = cache, skip(cache), scope = cacheado_tests::tenancy::scopes::organization, tags("n:{n}"))]
fn of_organization(cache: &Cache, org_id: &str, n: u8) -> u64 {
    u64::from(n)
}

#[cached(cache = cache, skip(cache), ttl = 1_000, scope = cacheado_tests::tenancy::scopes::user, tags("n:{n}", "users"))]
fn of_user(cache: &Cache, org_id: &str, user_id: u8, n: u8) -> String {
    n.to_string()
}

#[cached(cache = cache, skip(cache), key(n), scope = cacheado_tests::tenancy::scopes::session)]
fn of_session(cache: &Cache, org_id: &str, user_id: u8, session_id: &str, n: u8) -> Vec<u8> {
    vec![n]
}

#[cached(cache = cache, skip(cache), tags("n:{n}"))]
fn of_nobody(cache: &Cache, n: u8) -> u8 {
    n
}

const VALUES: [&str; 5] = ["", "a", "a/user:0", "0", "%"];

/// An entry: which function or key, its scope, its tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    function: &'static str,
    scope: Scope,
    n: u8,
}

impl Id {
    fn has_tag(&self, tag: &str) -> bool {
        match self.function {
            "user" => tag == "users" || tag == format!("n:{}", self.n),
            "organization" | "nobody" => tag == format!("n:{}", self.n),
            _ => false,
        }
    }
}

fn random_scope(random: &mut Random, trees: &[(ScopeTree, Vec<Vec<String>>)]) -> Scope {
    if random.below(3) > 0 {
        let (o, u, s) = (*random.one_of(&VALUES), random.below(3), *random.one_of(&VALUES));
        return match random.below(5) {
            0 => scopes::organization(o),
            1 => scopes::user(o, u),
            2 => scopes::session(o, u, s),
            3 => scopes::car(o),
            _ => Scope::global(),
        };
    }
    let (tree, chains) = random.one_of(trees);
    let chain = random.one_of(chains);
    let values: Vec<_> = chain.iter().map(|level| (format!("{level}_id"), *random.one_of(&VALUES))).collect();
    let values = values.iter().map(|(param, value)| (param.as_str(), *value));
    tree.resolve(chain.last().expect("a level"), values).expect("a level of the tree")
}

/// A tree of up to eight levels, and the chain of each.
fn random_tree(random: &mut Random) -> (ScopeTree, Vec<Vec<String>>) {
    let mut builder = ScopeTree::builder();
    let mut chains: Vec<Vec<String>> = Vec::new();
    for n in 0..=random.below(8) {
        // Names that other trees have, too.
        let name = if n == 0 { "organization".to_owned() } else { format!("level{n}") };
        let param = format!("{name}_id");
        if chains.is_empty() || random.below(4) == 0 {
            builder = builder.level(name.clone(), param);
            chains.push(vec![name]);
        } else {
            let parent = random.one_of(&chains).clone();
            builder = builder.child(parent[parent.len() - 1].clone(), name.clone(), param);
            chains.push(parent.into_iter().chain([name]).collect());
        }
    }
    (builder.build().expect("it is a tree"), chains)
}

fn call(cache: &Cache, id: &Id) {
    let value =
        |level: &str| id.scope.levels().find(|(name, _)| *name == level).map_or("", |(_, value)| value);
    let user: u8 = value("user").parse().unwrap_or_default();
    match id.function {
        "organization" => drop(of_organization(cache, value("organization"), id.n).to_string()),
        "user" => drop(of_user(cache, value("organization"), user, id.n)),
        "session" => drop(of_session(cache, value("organization"), user, value("session"), id.n)),
        "nobody" => drop(of_nobody(cache, id.n).to_string()),
        _ => cache.scoped(id.scope.clone()).set(id.n, &id.n, Duration::from_secs(1_000)).unwrap(),
    }
}

fn is_there(cache: &Cache, id: &Id) -> bool {
    let value =
        |level: &str| id.scope.levels().find(|(name, _)| *name == level).map_or("", |(_, value)| value);
    let user: u8 = value("user").parse().unwrap_or_default();
    match id.function {
        "organization" => of_organization_entry(cache, value("organization"), id.n).peek().unwrap().is_some(),
        "user" => of_user_entry(cache, value("organization"), user, id.n).peek().unwrap().is_some(),
        "session" => of_session_entry(cache, value("organization"), user, value("session"), id.n)
            .peek()
            .unwrap()
            .is_some(),
        "nobody" => of_nobody_entry(cache, id.n).peek().unwrap().is_some(),
        _ => cache.scoped(id.scope.clone()).get::<u8>(id.n).unwrap().is_some(),
    }
}

#[test]
fn hazard_02_evicting_a_scope_touches_nothing_else() {
    let mut random = Random::new();
    for round in 0..60 {
        let clock = ManualClock::new();
        let mut builder = Cache::builder().clock(clock.clone());
        if round % 2 == 0 {
            builder = builder.rule(Lru::new(100_000)).rule(TtlRule::new());
        }
        let cache = builder.build().unwrap();
        let trees: Vec<_> = (0..3).map(|_| random_tree(&mut random)).collect();
        // The deadline of each entry.
        let mut model: BTreeMap<Id, Option<u64>> = BTreeMap::new();
        let mut now = 0;
        for step in 0..300 {
            match random.below(12) {
                0 => {
                    let scope = random_scope(&mut random, &trees);
                    let before = model.len();
                    model.retain(|id, _| !scope.contains(&id.scope));
                    let gone = (before - model.len()) as u64;
                    assert_eq!(
                        cache.evict_by_scope(&scope).unwrap(),
                        gone,
                        "round {round}, step {step}, {scope}"
                    );
                }
                1 => {
                    let tag = if random.below(3) == 0 {
                        "users".to_owned()
                    } else {
                        format!("n:{}", random.below(3))
                    };
                    let before = model.len();
                    model.retain(|id, _| !id.has_tag(&tag));
                    let gone = (before - model.len()) as u64;
                    assert_eq!(cache.evict_by_tag(&tag).unwrap(), gone, "round {round}, step {step}, {tag}");
                }
                2 if random.below(3) == 0 => {
                    let before = model.len();
                    model.retain(|id, _| id.function != "user");
                    let gone = (before - model.len()) as u64;
                    assert_eq!(of_user_cache(&cache).evict_all().unwrap(), gone);
                }
                2 => {
                    let seconds = random.below(400) as u64;
                    now += seconds;
                    clock.advance(Duration::from_secs(seconds));
                    model.retain(|_, deadline| deadline.is_none_or(|deadline| deadline > now));
                }
                _ => {
                    let (o, u, s) = (*random.one_of(&VALUES), random.below(3), *random.one_of(&VALUES));
                    let (function, scope) = match random.below(6) {
                        0 => ("organization", scopes::organization(o)),
                        1 => ("user", scopes::user(o, u)),
                        2 => ("session", scopes::session(o, u, s)),
                        3 => ("nobody", Scope::global()),
                        _ => ("keys", random_scope(&mut random, &trees)),
                    };
                    let id = Id { function, scope, n: random.below(3) as u8 };
                    call(&cache, &id);
                    let deadline = matches!(function, "user" | "keys").then_some(now + 1_000);
                    // A call of a function that is a hit renews nothing.
                    let kept = model.get(&id).copied().filter(|_| function != "keys");
                    model.insert(id, kept.unwrap_or(deadline));
                }
            }
            assert_eq!(cache.stats().total_keys, model.len() as u64, "round {round}, step {step}");
        }
        for id in model.keys() {
            assert!(is_there(&cache, id), "round {round}: {id:?} is missing");
        }
        let all = model.len() as u64;
        assert_eq!(cache.evict_by_scope(&Scope::global()).unwrap(), all);
        assert_eq!(cache.stats().total_keys, 0);
        cache.set("after", &1_u8, Ttl::Never).unwrap();
    }
}
