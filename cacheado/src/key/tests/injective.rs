//! Distinct values have distinct bytes, alone and one after another.

use proptest::prelude::*;

use super::model::{Model, model, run};
use crate::key::encode;

fn encode_run(parts: &[Model]) -> Vec<u8> {
    parts.iter().flat_map(encode).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn values_are_equal_exactly_where_their_bytes_are(a in model(), b in model()) {
        prop_assert_eq!(a == b, encode(&a) == encode(&b));
    }

    #[test]
    fn no_value_is_a_proper_prefix_of_another(a in model(), b in model()) {
        prop_assert_eq!(a == b, encode(&a).starts_with(&encode(&b)));
    }

    #[test]
    fn runs_are_equal_exactly_where_their_bytes_are(a in run(), b in run()) {
        prop_assert_eq!(a == b, encode_run(&a) == encode_run(&b));
    }

    #[test]
    fn pairs_of_texts_are_injective(a: (String, String), b: (String, String)) {
        prop_assert_eq!(a == b, encode(&a) == encode(&b));
    }

    #[test]
    fn integers_of_any_width_are_equal_by_value(a: i128, b: i64, c: u64) {
        prop_assert_eq!(a == i128::from(b), encode(&a) == encode(&b));
        prop_assert_eq!(encode(&i128::from(b)), encode(&b));
        prop_assert_eq!(encode(&u128::from(c)), encode(&c));
        prop_assert_eq!(i128::from(b) == i128::from(c), encode(&b) == encode(&c));
    }
}

/// All values of a small alphabet against one another, without luck.
#[test]
fn a_small_world_is_injective() {
    let mut world: Vec<Model> = vec![
        Model::Unit,
        Model::None,
        Model::Boolean(false),
        Model::Boolean(true),
        Model::Character('a'),
        Model::Bytes(vec![]),
        Model::Bytes(vec![b'a']),
    ];
    world.extend((-2..3).map(Model::Integer));
    world.extend(["", "a", "b", "ab"].map(|text| Model::Text(text.to_owned())));
    world.extend([0.0, -0.0, 1.0].map(|value: f64| Model::Float64(value.to_bits())));
    world.extend([0.0, -0.0, 1.0].map(|value: f32| Model::Float32(value.to_bits())));
    for _ in 0..2 {
        let inner: Vec<_> = world.iter().take(25).cloned().collect();
        world.extend(inner.iter().map(|value| Model::Some(Box::new(value.clone()))));
        world.extend([Model::Sequence, Model::Set, Model::Tuple, Model::Structure].map(|make| make(vec![])));
        for first in &inner {
            let one = vec![first.clone()];
            world.extend(
                [Model::Sequence, Model::Set, Model::Tuple, Model::Structure].map(|make| make(one.clone())),
            );
            world.extend(["", "a"].map(|name| Model::Variant(name.to_owned(), one.clone())));
            world.extend(inner.iter().map(|second| Model::Tuple(vec![first.clone(), second.clone()])));
            world.extend(inner.iter().map(|second| Model::Map(vec![(first.clone(), second.clone())])));
        }
    }
    world.sort();
    world.dedup();
    let mut bytes: Vec<_> = world.iter().map(encode).collect();
    bytes.sort();
    assert!(bytes.is_sorted_by(|a, b| !b.starts_with(a)), "sorted neighbours show every prefix");
    assert!(bytes.len() > 1_000);
}
