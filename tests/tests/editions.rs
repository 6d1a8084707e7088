//! Crates of every edition, under another name, and under strict lints (hazards 33 and 34).

use std::sync::Arc;

use cacheado::{Cache, with_cache, with_cache_async};
use cacheado_tests::wait::on_one_thread;

macro_rules! edition {
    ($test:ident, $krate:ident) => {
        #[test]
        fn $test() {
            on_one_thread(|| async {
                use $krate::*;
                let cache = Cache::new();
                with_cache_async(&cache, async {
                    assert_eq!((r#gen(1), r#gen(1)), (2, 2));
                    assert_eq!(gen_cache().stats().hits, 1);
                    let org = OrgId("o1".into());
                    assert_eq!(profile(&org, "7").unwrap(), "o1/7");
                    assert!(profile(&org, "x").is_err());
                    assert_eq!(profile_async(&org, "7").await.unwrap(), Arc::from("o1/7"));
                    assert_eq!(profile_async_entry(&org, "7").peek().await.unwrap(), Some(Ok("o1/7".into())));
                    assert_eq!(longest("four", "sixsix"), 6);
                    assert_eq!(longest_entry("four", "sixsix").peek().unwrap(), Some(6));
                    assert_eq!(cache.evict_by_scope(&scopes::user(&org, "7")).unwrap(), 2);
                    let repo = Repo { cache: Cache::new() };
                    assert_eq!((repo.double((2, 0)), repo.triple(3).await), (4, Some(9)));
                    assert_eq!(repo.double_entry((2, 0)).peek().unwrap(), Some(4));
                    assert!(repo.triple_entry(3).evict().await.unwrap());
                    assert_eq!(repo.cache.stats().total_keys, 1);
                })
                .await;
            });
        }
    };
}

edition!(hazard_33_edition_2018, cacheado_edition_2018);
edition!(hazard_33_edition_2021, cacheado_edition_2021);

#[test]
fn hazard_33_a_renamed_dependency() {
    use cacheado_renamed::*;
    let cache = Cache::new();
    with_cache(&cache, || {
        assert_eq!((seat(TeamId(1), 2), seat(TeamId(1), 2)), ("1-2".into(), "1-2".into()));
        assert_eq!(seat_cache().stats().hits, 1);
    });
    assert_eq!(cache.evict_by_scope(&scopes::team(TeamId(1))).unwrap(), 1);
    on_one_thread(|| async {
        with_cache_async(&Cache::new(), async {
            assert_eq!((later(1).await, later(0).await), (Ok(2), Err(std::fmt::Error)));
            assert_eq!(later_entry(1).peek().await.unwrap(), Some(Ok(2)));
        })
        .await;
    });
}

#[test]
fn hazard_34_under_strict_lints() {
    use cacheado_pedantic::*;
    on_one_thread(|| async {
        with_cache_async(&Cache::new(), async {
            assert_eq!((area(3, 4), area(3, 4)), (12, 12));
            assert_eq!(area_cache().stats().hits, 1);
            let page = Page::new(3);
            assert_eq!(find(&OrgId(2), &page, Order::Down { from: 9 }).await.unwrap(), Some("9".into()));
            assert_eq!(find_cache().name(), "pedantic.find");
            assert_eq!(patterns((1, 2), [3, 0, 0], true, Page::new(4), 5), 15);
            assert_eq!(patterns_entry((1, 2), [3, 0, 0], true, Page::new(4), 5).peek().unwrap(), Some(15));
            assert_eq!((doubled(4), tripled(4), fibonacci(50), uses(1)), (8, 12, 12_586_269_025, 2));
            let repo = Repo::new(String::from("r"));
            assert_eq!((repo.get(OrgId(1)), repo.later(0).await), ("r".into(), None));
            assert_eq!((repo.name(1), Repo::<u64>::size(1)), ("repo 1".into(), 9));
            assert_eq!(repo.into_value(), "r");
            assert_eq!(outlives("ab", vec![1], (2, 3), 4), 4);
            assert_eq!(outlives_later("ab", &[Page::new(1)]).await.unwrap(), 3);
            assert_eq!(covered_later(Some("abc")).await, Ok(3));
            let handle = Handle::new("h");
            assert_eq!((handle.named(1), handle.named_later(2).await), ("h 1".into(), "h 2".into()));
        })
        .await;
    });
}
