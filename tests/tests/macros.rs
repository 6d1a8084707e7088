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
