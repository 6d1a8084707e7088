//! What a batch function returns: a list or a map of elements, each of which is cached for itself.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

/// What a function with `batch(..)` may return: `Vec<T>`, `HashMap<Id, T>`, or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "a function with `batch(..)` cannot return `{Self}`",
    label = "return a `Vec<T>`, a `HashMap<Id, T>`, or a `Result` of either"
)]
pub trait Batched: Sized {
    /// What one element's call returns: a `T`, an `Option<T>` (a map need not have it), or a `Result` of either.
    type Element;
}

/// The same, where the elements are asked for by an `Id`.
#[diagnostic::on_unimplemented(
    message = "a function with `batch(..)` over `{Id}` cannot return `{Self}`",
    label = "return a `Vec<T>`, a `HashMap<{Id}, T>`, or a `Result` of either",
    note = "the keys of a map have the type of the ids, which is `Clone + Eq + Hash` then"
)]
pub trait BatchOf<Id>: Batched {
    /// What the body, which was asked for `ids`, says of each.
    fn split(self, ids: &[Id]) -> Parts<Self>;
    /// What the function returns that was asked for `ids`. `None` only where a failure stands somewhere, or where what is
    /// said of an id stands elsewhere.
    fn join(ids: &[Id], elements: impl Iterator<Item = Option<Self::Element>>) -> Self;
}

/// What a body says of the elements that it was asked for.
#[derive(Debug)]
pub enum Parts<R: Batched> {
    /// One a piece, in order. `None` where two ids that have different keys are one to a map, as two spellings are one
    /// path: what it has of that stands where the id stands first.
    Each(Vec<Option<R::Element>>),
    /// The same failure of all.
    Failed(R::Element),
    /// It cannot be told which is which.
    Mismatched(R),
}

impl<T> Batched for Vec<T> {
    type Element = T;
}

impl<Id, T> BatchOf<Id> for Vec<T> {
    fn split(self, ids: &[Id]) -> Parts<Self> {
        if self.len() == ids.len() {
            Parts::Each(self.into_iter().map(Some).collect())
        } else {
            Parts::Mismatched(self)
        }
    }

    fn join(_: &[Id], elements: impl Iterator<Item = Option<T>>) -> Self {
        elements.flatten().collect()
    }
}

impl<K, T, S> Batched for HashMap<K, T, S> {
    type Element = Option<T>;
}

impl<Id: Clone + Eq + Hash, T, S: BuildHasher + Default> BatchOf<Id> for HashMap<Id, T, S> {
    fn split(mut self, ids: &[Id]) -> Parts<Self> {
        let mut told = HashSet::with_capacity(ids.len());
        Parts::Each(ids.iter().map(|id| told.insert(id).then(|| self.remove(id))).collect())
    }

    fn join(ids: &[Id], elements: impl Iterator<Item = Option<Option<T>>>) -> Self {
        let pairs = ids.iter().zip(elements);
        pairs.filter_map(|(id, element)| Some((id.clone(), element??))).collect()
    }
}

impl<R: Batched, E> Batched for Result<R, E> {
    type Element = Result<R::Element, E>;
}

impl<Id, R: BatchOf<Id>, E> BatchOf<Id> for Result<R, E> {
    fn split(self, ids: &[Id]) -> Parts<Self> {
        match self.map(|returned| returned.split(ids)) {
            Ok(Parts::Each(elements)) => {
                Parts::Each(elements.into_iter().map(|element| element.map(Ok)).collect())
            }
            Ok(Parts::Failed(element)) => Parts::Failed(Ok(element)),
            Ok(Parts::Mismatched(returned)) => Parts::Mismatched(Ok(returned)),
            Err(error) => Parts::Failed(Err(error)),
        }
    }

    fn join(ids: &[Id], elements: impl Iterator<Item = Option<Self::Element>>) -> Self {
        let elements: Result<Vec<_>, E> = elements.map(Option::transpose).collect();
        elements.map(|elements| R::join(ids, elements.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fallible<R> = Result<R, String>;

    #[test]
    fn lists_are_told_apart_by_their_order() {
        assert!(matches!(vec![1, 2].split(&["a", "b"]), Parts::Each(each) if each == [Some(1), Some(2)]));
        assert!(matches!(vec![1].split(&["a", "b"]), Parts::Mismatched(all) if all == [1]));
        let joined: Vec<i32> = BatchOf::join(&["a", "b"], [Some(1), Some(2)].into_iter());
        assert_eq!(joined, [1, 2]);
    }

    #[test]
    fn maps_are_told_apart_by_their_keys() {
        let map = HashMap::from([("b", 2), ("c", 3)]);
        assert!(matches!(map.split(&["a", "b"]), Parts::Each(each) if each == [Some(None), Some(Some(2))]));
        let joined: HashMap<_, i32> = BatchOf::join(&["a", "b"], [Some(None), Some(Some(2))].into_iter());
        assert_eq!(joined, HashMap::from([("b", 2)]));
        let map = HashMap::from([("a", 1)]);
        assert!(matches!(map.split(&["a", "a"]), Parts::Each(each) if each == [Some(Some(1)), None]));
    }

    #[test]
    fn a_failure_is_that_of_all() {
        let failed: Fallible<Vec<i32>> = Err("down".to_owned());
        assert!(matches!(failed.split(&["a", "b"]), Parts::Failed(Err(error)) if error == "down"));
        let elements = [None, Some(Err("down".to_owned())), Some(Ok(1))];
        let joined: Fallible<Vec<i32>> = BatchOf::join(&["a", "b", "c"], elements.into_iter());
        assert_eq!(joined, Err("down".to_owned()));
        let joined: Fallible<Vec<i32>> = BatchOf::join(&["a"], [Some(Ok(1))].into_iter());
        assert_eq!(joined, Ok(vec![1]));
    }
}
