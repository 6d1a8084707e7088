//! Functions and types that the compiler spells alike (hazard 1, invariant 1): in memory, and in a store that other
//! processes share.

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::{Scope, Ttl, with_cache};

/// A cache in memory, one over a remote backend, and one with copies in front of that.
fn everywhere(test: impl Fn(&Cache)) {
    let remote = || Cache::builder().backend(SharedMemory::new());
    for cache in [Ok(Cache::new()), remote().build(), remote().near(Memory::new()).build()] {
        let cache = cache.unwrap();
        with_cache(&cache, || test(&cache));
    }
}

fn price(is_member: bool) -> u32 {
    if is_member {
        #[cached(ttl = 60)]
        fn load(id: u32) -> u32 {
            id + 1_000
        }
        load(1)
    } else {
        #[cached(ttl = 60)]
        fn load(id: u32) -> u32 {
            id + 2_000
        }
        load(1)
    }
}

#[test]
fn hazard_01_functions_in_two_blocks_of_one_function() {
    everywhere(|_| {
        for _ in 0..2 {
            assert_eq!((price(true), price(false)), (1_001, 2_001));
        }
    });
}

trait Value {
    fn value() -> u32;
}

macro_rules! in_a_const {
    ($number:literal) => {
        const _: () = {
            struct Local;
            impl Local {
                #[cached]
                fn own(n: u32) -> u32 {
                    n + $number
                }
            }
            impl Value for Local {
                fn value() -> u32 {
                    assert_eq!(Local::own_cache().name(), "identity::_::Local::own");
                    Local::own(1)
                }
            }
            impl In<$number> {
                fn both() -> (u32, u32) {
                    (Local::value(), of::<Local>(2))
                }
            }
        };
    };
}

struct In<const N: u32>;

#[cached]
fn of<T: Value>(n: u32) -> u32 {
    n * T::value()
}

in_a_const!(10);
in_a_const!(20);

#[test]
fn hazard_01_methods_of_types_of_one_name() {
    everywhere(|_| {
        for _ in 0..2 {
            assert_eq!((In::<10>::both(), In::<20>::both()), ((11, 22), (21, 42)));
        }
    });
}

#[cached(skip(then))]
fn apply(n: u32, then: impl Fn(u32) -> u32) -> u32 {
    then(n)
}

#[test]
fn hazard_01_closures_have_no_name() {
    everywhere(|_| {
        let (one, hundred) = (|n| n + 1, |n| n + 100);
        for _ in 0..2 {
            assert_eq!((apply(1, one), apply(1, hundred)), (2, 101));
        }
    });
}

/// Each entry is that of its own instance, which has another closure for its type.
#[test]
fn hazard_01_an_entry_is_of_the_same_instance_as_its_function() {
    everywhere(|_| {
        let (one, hundred) = (|n| n + 1, |n| n + 100);
        assert_eq!(apply(1, one), 2);
        assert_eq!(apply_entry(1, hundred).peek().unwrap(), None);
        assert_eq!(apply_entry(1, hundred).get(), 101);
        assert_eq!(apply_entry(1, one).peek().unwrap(), Some(2));
        apply_entry(1, hundred).set(7).unwrap();
        assert_eq!((apply(1, one), apply(1, hundred)), (2, 7));
        assert_eq!(apply_entry(1, one).refresh(), 2);
        assert!(apply_entry(1, hundred).evict().unwrap());
        assert_eq!((apply(1, one), apply(1, hundred)), (2, 101));
        assert_eq!(apply_cache().evict_all().unwrap(), 2);
    });
}

/// Both are spelled alike and hold values of different types.
#[cached]
fn default_of<T: Value2>(n: u8) -> T::Out {
    T::out(n)
}

trait Value2 {
    type Out: Clone + Send + Sync + 'static;
    fn out(n: u8) -> Self::Out;
}

#[test]
fn entries_of_types_of_one_name_take_no_room_of_their_own() {
    everywhere(|cache| {
        for n in 0..20 {
            {
                struct Local;
                impl Value2 for Local {
                    type Out = u8;
                    fn out(n: u8) -> u8 {
                        n
                    }
                }
                let _ = default_of_entry::<Local>(n).peek().unwrap();
                assert_eq!(default_of_entry::<Local>(n).get(), n);
            }
            {
                struct Local;
                impl Value2 for Local {
                    type Out = u64;
                    fn out(n: u8) -> u64 {
                        u64::from(n) + 1
                    }
                }
                assert_eq!(default_of_entry::<Local>(n).get(), u64::from(n) + 1);
                assert_eq!(default_of::<Local>(n), u64::from(n) + 1);
            }
        }
        assert_eq!(cache.stats().hits, 20);
        assert_eq!(default_of_cache().stats().hits, 20);
    });
}

macro_rules! with_block {
    (fn $name:ident() -> $ty:ty $body:block) => {
        #[cached(ttl = 3)]
        fn $name() -> $ty $body
    };
}

with_block! { fn four() -> u8 { 4 } }

#[test]
fn a_body_that_a_macro_was_given_whole() {
    everywhere(|_| assert_eq!((four(), four_entry().peek().unwrap()), (4, Some(4))));
}

/// A module whose path has the name of a sibling in it.
mod length_entry {
    use cacheado::prelude::*;

    #[derive(Clone, KeyPart)]
    pub struct Line(pub usize);
}

#[cached]
fn length<L: KeyPart + Clone>(line: L, n: usize) -> usize {
    let _ = line;
    n
}

#[test]
fn an_entry_is_that_of_its_function_whatever_the_types_are_called() {
    everywhere(|_| {
        let line = length_entry::Line(1);
        assert_eq!(length(line.clone(), 1), 1);
        assert_eq!(length_entry(line.clone(), 1).peek().unwrap(), Some(1));
        length_entry(line.clone(), 1).set(7).unwrap();
        assert_eq!(length(line.clone(), 1), 7);
        assert!(length_entry(line.clone(), 1).evict().unwrap());
        assert_eq!(length(line, 1), 1);
    });
}

#[cached]
fn shifted<const BY: char>(n: u32) -> u32 {
    n + u32::from(BY)
}

#[test]
fn a_cache_covers_the_instances_for_every_character() {
    everywhere(|_| {
        let all = || (shifted::<'<'>(1), shifted::<'>'>(1), shifted::<'a'>(1), shifted::<'\''>(1));
        assert_eq!(all(), (61, 63, 98, 40));
        assert_eq!(shifted_cache().evict_all().unwrap(), 4);
        assert_eq!(shifted_entry::<'>'>(1).peek().unwrap(), None);
        all();
        assert_eq!(shifted_cache().stats().misses, 8);
    });
}

#[test]
fn hazard_18_level_names_without_end_leave_no_state_of_their_own_each() {
    for cache in [Cache::new(), Cache::builder().backend(SharedMemory::new()).build().unwrap()] {
        let scopes: Vec<Scope> = (0..1_100).map(|n| format!("level{n}:same").parse().unwrap()).collect();
        for (n, scope) in scopes.iter().enumerate() {
            cache.scoped(scope.clone()).set("key", &n, Ttl::Never).unwrap();
        }
        let get = |n: usize| cache.scoped(scopes[n].clone()).get::<usize>("key").unwrap();
        for n in 0..scopes.len() {
            assert_eq!(get(n), Some(n), "each is another entry");
        }
        let levels = cache.stats_by_scope_level();
        assert_eq!((levels.len(), levels["level7"].hits, levels["(others)"].hits), (1_001, 1, 100));
        assert!(cache.scoped(scopes[1_050].clone()).evict("key").unwrap());
        assert_eq!(cache.evict_by_scope(&scopes[1_060]).unwrap(), 1);
        assert_eq!([1_049, 1_050, 1_060].map(get), [Some(1_049), None, None]);
    }
}

#[test]
fn a_level_that_is_called_as_the_others_together_takes_no_state_from_any() {
    let cache = Cache::new();
    for level in ["(others)", "organization", "user"] {
        let scoped = cache.scoped(format!("{level}:1").parse().unwrap());
        scoped.set("key", &1, Ttl::Never).unwrap();
        assert_eq!(scoped.get::<i32>("key").unwrap(), Some(1));
    }
    let levels = cache.stats_by_scope_level();
    assert_eq!(levels.values().map(|level| level.hits).collect::<Vec<_>>(), [1, 1, 1], "{levels:?}");
}

/// All functions that this writes have the place of its invocation.
macro_rules! in_three_blocks {
    ($entry:ident, $cache:ident) => {{
        let first = {
            #[cached]
            fn load(n: u32) -> u32 {
                n + 10
            }
            assert_eq!(load(1), 11);
            $entry!(load_entry, 11);
            $cache!(load_cache)
        };
        let second = {
            #[cached]
            fn load(n: u32) -> u32 {
                n + 20
            }
            assert_eq!(
                load_entry(1).peek().unwrap(),
                None,
                "the first has been called, and this one has not"
            );
            assert_eq!(load(1), 21);
            $entry!(load_entry, 21);
            $cache!(load_cache)
        };
        let third = {
            #[cached]
            fn load(n: u32) -> u32 {
                n + 30
            }
            assert_eq!(load_entry(1).get(), 31);
            assert_eq!(load(1), 31);
            $entry!(load_entry, 31);
            $cache!(load_cache)
        };
        [first, second, third]
    }};
}

macro_rules! holds {
    ($entry:ident, $value:literal) => {
        assert_eq!($entry(1).peek().unwrap(), Some($value))
    };
}

macro_rules! evicted {
    ($cache:ident) => {
        $cache().evict_all().unwrap()
    };
}

#[test]
fn hazard_01_functions_of_one_name_that_one_macro_writes() {
    everywhere(|_| {
        assert_eq!(in_three_blocks!(holds, evicted), [1, 1, 1], "each has an entry of its own");
        assert_eq!(in_three_blocks!(holds, evicted), [1, 1, 1]);
    });
}

/// Both methods have one name, which is not that of two functions that somebody has named alike.
macro_rules! with_methods_of_one_name {
    ($($type:ident),*) => {$(
        struct $type;

        impl $type {
            #[cached(name = "identity.titled")]
            fn titled(n: u32) -> String {
                format!("{} {n}", stringify!($type))
            }
        }
    )*};
}

with_methods_of_one_name!(Book, Film);

#[test]
fn hazard_01_methods_that_one_macro_gives_one_name() {
    everywhere(|_| {
        for _ in 0..2 {
            assert_eq!((Book::titled(1), Film::titled(1)), ("Book 1".to_owned(), "Film 1".to_owned()));
        }
    });
}

macro_rules! functions_of_one_title {
    ($($function:ident, $module:ident = $add:literal);*) => {$(
        #[cached(name = "identity.entitled")]
        fn $function(n: u32) -> u32 {
            n + $add
        }

        mod $module {
            use cacheado::prelude::*;

            #[cached(name = "identity.entitled elsewhere")]
            pub(crate) fn entitled(n: u32) -> u32 {
                n + $add
            }
        }
    )*};
}

functions_of_one_title!(entitled_first, first_title = 10; entitled_second, second_title = 20);

#[test]
fn hazard_01_functions_that_one_macro_gives_one_name() {
    everywhere(|_| {
        for _ in 0..2 {
            assert_eq!((entitled_first(1), entitled_second(1)), (11, 21));
            assert_eq!((first_title::entitled(1), second_title::entitled(1)), (11, 21));
        }
    });
}
