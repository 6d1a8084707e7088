//! Scopes against a naive model: a list of pairs.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::scope::Scope;

type Model = Vec<(String, String)>;

fn scope(model: &Model) -> Scope {
    Scope::from_texts(model.iter().map(|(level, value)| (level, value))).unwrap()
}

/// Paths over a small alphabet with all that has a meaning in one, so that near misses are common.
fn model() -> impl Strategy<Value = Model> {
    prop::collection::vec(("[ab:/%]{1,2}", "[ab:/%* é]{0,2}"), 0..4)
}

fn any_model() -> impl Strategy<Value = Model> {
    let level = any::<String>().prop_filter("reserved", |name| !name.is_empty() && name != "global");
    prop::collection::vec((level, any::<String>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn scopes_compare_as_their_paths(a in model(), b in model()) {
        prop_assert_eq!(scope(&a) == scope(&b), a == b);
        prop_assert_eq!(scope(&a).cmp(&scope(&b)), a.cmp(&b));
        prop_assert_eq!(scope(&a).contains(&scope(&b)), b.starts_with(&a));
        prop_assert_eq!(HashSet::from([scope(&a), scope(&b)]).len() == 1, a == b);
    }

    #[test]
    fn the_parent_is_the_path_without_its_end(a in model()) {
        let parent = a.split_last().map(|(_, above)| scope(&above.to_vec()));
        prop_assert_eq!(scope(&a).parent(), parent.clone());
        prop_assert!(parent.is_none_or(|parent| parent.contains(&scope(&a)) && parent < scope(&a)));
    }

    #[test]
    fn a_parent_is_as_if_made_on_its_own(a in model(), b in model()) {
        let (Some(above), Some(own)) = (scope(&a).parent(), a.split_last()) else { return Ok(()) };
        let own = scope(&own.1.to_vec());
        prop_assert_eq!(above.to_string(), own.to_string());
        prop_assert!(above.labels().eq(own.labels()));
        prop_assert_eq!(above.contains(&scope(&b)), own.contains(&scope(&b)));
        prop_assert_eq!(above.cmp(&scope(&b)), own.cmp(&scope(&b)));
        prop_assert_eq!(above.child("l", &"v"), own.child("l", &"v"));
    }

    #[test]
    fn a_scope_shows_its_path(a in model()) {
        let scope = scope(&a);
        prop_assert!(scope.levels().eq(a.iter().map(|(level, value)| (level.as_str(), value.as_str()))));
        prop_assert_eq!(scope.depth(), a.len());
        prop_assert_eq!(scope.level(), a.last().map_or("global", |(level, _)| level.as_str()));
        let parents = std::iter::successors(Some(scope.clone()), Scope::parent);
        prop_assert!(scope.ancestors().eq(parents));
        prop_assert_eq!(scope.ancestors().count(), a.len() + 1);
        prop_assert!(scope.ancestors().all(|above| above.contains(&scope)));
        prop_assert_eq!(scope.ancestors().last(), Some(Scope::global()));
    }

    #[test]
    fn labels_are_shared_exactly_by_common_ancestors(a in model(), b in model()) {
        let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let labels: HashSet<_> = scope(&a).labels().collect();
        prop_assert_eq!(scope(&b).labels().filter(|label| labels.contains(label)).count(), common);
        prop_assert!(labels.iter().all(|label| label.as_bytes().starts_with(b"s")));
        prop_assert_eq!(scope(&a).labels().last(), (!a.is_empty()).then(|| scope(&a).label().into()));
    }

    #[test]
    fn a_text_is_read_back(a in any_model(), b in model()) {
        for model in [a, b] {
            let text = scope(&model).to_string();
            prop_assert_eq!(Scope::parse(&text), Ok(scope(&model)), "{}", text);
            prop_assert_eq!(format!("{:?}", scope(&model)), format!("Scope({text})"));
        }
    }

    #[test]
    fn distinct_scopes_have_distinct_texts(a in model(), b in model()) {
        prop_assert_eq!(scope(&a).to_string() == scope(&b).to_string(), a == b);
    }

    #[test]
    fn only_the_one_text_is_read(text in "[a:/%2F5]{0,8}|\\PC*") {
        prop_assert!(Scope::parse(&text).is_ok_and(|scope| scope.to_string() == text) || Scope::parse(&text).is_err());
    }
}

#[test]
fn a_path_of_many_levels_costs_what_it_holds() {
    let many = 20_000;
    let long = Scope::from_texts((0..many).map(|n| ("level", n.to_string()))).unwrap();
    // Minutes, if each cost what those above it do.
    assert_eq!(long.ancestors().map(|scope| scope.depth()).sum::<usize>(), many * (many + 1) / 2);
}
