//! What macros by example write: each use of one is a place of its own.

use cacheado::prelude::*;

macro_rules! tenants {
    () => {
        cacheado::scopes! {
            pub mod scopes { organization(org_id) { user(user_id) } }
        }

        #[cacheado::cached(scope = "user")]
        pub fn name(org_id: u8, user_id: u8) -> String {
            format!("{} {org_id} {user_id}", module_path!())
        }
    };
}

mod shop {
    tenants!();
}

mod bank {
    tenants!();
}

#[test]
fn a_macro_may_write_the_same_tree_in_several_modules() {
    let cache = Cache::new();
    cacheado::with_cache(&cache, || {
        for _ in 0..2 {
            assert_eq!(
                (shop::name(1, 2), bank::name(1, 2)),
                ("macros::shop 1 2".into(), "macros::bank 1 2".into())
            );
        }
    });
    assert_eq!(shop::scopes::user(1, 2), bank::scopes::user(1, 2));
    assert_eq!(cache.evict_by_scope(&shop::scopes::organization(1)).unwrap(), 2);
}

macro_rules! typed {
    ($flag:ty, $text:ty, $none:ty) => {
        #[cached(refresh_if = force && n > 1)]
        fn flagged(n: u8, force: $flag) -> u8 {
            n + u8::from(force)
        }

        cacheado::scopes! {
            mod of_texts { organization(org_id: $text) { user(user_id: $text) } }
        }

        #[derive(KeyPart)]
        struct Marked {
            n: u8,
            none: $none,
        }
    };
}

/// What is no part of a key.
struct Unit;

typed!(bool, String, std::marker::PhantomData<Unit>);

#[test]
fn a_type_that_a_macro_was_given_is_what_it_is_spelled() {
    let cache = Cache::new();
    let values = || (flagged(2, false), flagged(2, true), flagged(2, false));
    assert_eq!(cacheado::with_cache(&cache, values), (2, 3, 3), "the flag is no part of the key");
    assert_eq!(of_texts::user("o", "u".to_owned()).to_string(), "organization:o/user:u");

    #[derive(KeyPart)]
    struct Unmarked {
        n: u8,
    }
    let marked = Marked { n: 1, none: std::marker::PhantomData };
    assert_eq!(cacheado::key::encode(&marked), cacheado::key::encode(&Unmarked { n: 1 }));
}

mod shelves {
    use cacheado::prelude::*;

    #[derive(Clone, KeyPart)]
    pub struct Id(pub u8);

    pub mod books {
        use cacheado::prelude::*;

        #[derive(Clone, KeyPart)]
        pub struct Id(pub u8);

        cacheado::scopes! {
            pub mod scopes { shelf(shelf_id: super::Id) { book(book_id: self::Id) } }
        }

        #[cached(scope = "book")]
        pub fn both(shelf_id: &super::Id, book_id: &Id) -> u8 {
            shelf_id.0 + book_id.0
        }
    }
}

#[test]
fn the_type_of_a_level_is_the_one_that_the_user_sees() {
    use shelves::{Id, books};

    let cache = Cache::new();
    assert_eq!(cacheado::with_cache(&cache, || books::both(&Id(1), &books::Id(2))), 3);
    assert_eq!(cache.evict_by_scope(&books::scopes::book(Id(1), books::Id(2))).unwrap(), 1);
}
