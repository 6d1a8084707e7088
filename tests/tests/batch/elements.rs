//! Each element is an entry of its own: what is stored of it, and under which key.

use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use cacheado::rules::MaxItems;
use cacheado::{Outcome, Tier, bypass, in_scope, observe, observe_async, refresh};
use cacheado_tests::wait::on_one_thread;
use cacheado_tests::{Counter, clocked};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::yield_now;

use crate::{
    Shop, Unique, doubled, doubled_cache, doubled_entry, fallible, known, known_entry, labelled, maybe,
    named, named_entry, scopes, spelled, spelled_entry, without_odd,
};

#[test]
fn the_body_is_asked_once_for_what_is_missing_in_order() {
    let shop = Shop::default();
    assert_eq!(doubled(&shop, &[3, 1, 2]), [6, 2, 4]);
    assert_eq!(doubled(&shop, &[5, 3, 4, 1]), [10, 6, 8, 2]);
    assert_eq!(doubled(&shop, &[4, 5]), [8, 10]);
    assert_eq!(doubled(&shop, &[]), [0; 0]);
    assert_eq!(shop.asked(), [vec![3, 1, 2], vec![5, 4]]);
    let stats = doubled_cache(&shop).stats();
    assert_eq!((stats.hits, stats.misses, stats.total_keys), (4, 5, 5));
}

#[test]
fn an_id_that_is_asked_for_twice_is_computed_once() {
    let shop = Shop::default();
    assert_eq!(doubled(&shop, &[7, 8, 7, 7]), [14, 16, 14, 14]);
    assert_eq!(shop.asked(), [vec![7, 8]]);
    assert_eq!(doubled(&shop, &[7, 7]), [14, 14]);
    assert_eq!(fallible(&shop, &[1, 1]), Ok(vec![1, 1]));
}

#[test]
fn each_time_that_an_id_is_asked_for_is_a_lookup() {
    let shop = Shop::default();
    let counted = |shop: &Shop| (shop.cache.stats().hits, shop.cache.stats().misses);
    doubled(&shop, &[1, 1, 2, 1]);
    assert_eq!(counted(&shop), (0, 4));
    doubled(&shop, &[1, 1, 2, 1]);
    assert_eq!(counted(&shop), (4, 4));
    refresh(|| doubled(&shop, &[2, 2]));
    assert_eq!(counted(&shop), (4, 6));
    bypass(|| doubled(&shop, &[1, 3, 3]));
    assert_eq!((counted(&shop), shop.cache.stats().bypassed), ((4, 6), 3), "no lookups");
    // What another process has stored is a hit each time, too.
    let backend = SharedMemory::new();
    let over = || Shop::over(Cache::builder().backend(backend.clone()).build().unwrap());
    let (one, two) = (over(), over());
    doubled(&one, &[1, 1]);
    doubled(&two, &[1, 1, 2, 2]);
    assert_eq!((counted(&one), counted(&two)), ((0, 2), (2, 2)));
}

#[test]
fn the_other_arguments_are_part_of_each_key() {
    let shop = Shop::default();
    let name = |ids: &[u32], language: &str| named(&shop, ids.to_vec(), language.to_owned());
    assert_eq!(name(&[1, 2], "en"), HashMap::from([(1, "1 in en".to_owned()), (2, "2 in en".to_owned())]));
    assert_eq!(name(&[2], "de"), HashMap::from([(2, "2 in de".to_owned())]));
    assert_eq!(name(&[2, 3], "en").len(), 2);
    assert_eq!(shop.asked(), [vec![1, 2], vec![2], vec![3]]);
}

#[test]
fn a_key_can_be_an_expression_over_one_id() {
    let shop = Shop::default();
    assert_eq!(labelled(&shop, &[1, 2], "en"), ["1 in en", "2 in en"]);
    assert_eq!(labelled(&shop, &[2, 3], "en"), ["2 in en", "3 in en"]);
    assert_eq!(shop.asked(), [vec![1, 2], vec![3]]);
}

#[test]
fn an_id_can_be_of_any_type_with_several_bounds() {
    let shop = Shop::default();
    assert_eq!(spelled(&shop, &[1, 2]), ["1", "2"]);
    assert_eq!(spelled(&shop, &["1"]), ["1"]);
    assert_eq!(spelled_entry(&shop, &2).peek().unwrap().as_deref(), Some("2"));
    assert_eq!(spelled_entry(&shop, &"2").peek().unwrap(), None);
}

#[test]
fn an_id_that_a_map_leaves_out_is_not_stored_unless_it_is_to_be() {
    let shop = Shop::default();
    assert_eq!(named(&shop, vec![1, 200], "en".to_owned()).len(), 1);
    assert_eq!(named(&shop, vec![1, 200], "en".to_owned()).len(), 1);
    assert_eq!(shop.asked(), [vec![1, 200], vec![200]]);

    assert_eq!(known(&shop, &[1, 200]), HashMap::from([(1, true)]));
    assert_eq!(known(&shop, &[1, 200]), HashMap::from([(1, true)]));
    assert_eq!(shop.asked(), [vec![1, 200]]);
    assert_eq!(known_entry(&shop, &200).peek().unwrap(), Some(None));
}

/// Two spellings of one path: two keys, and one id to a map.
#[test]
fn what_a_map_has_once_for_two_keys_is_stored_for_the_first() {
    #[cached(cache = shop.cache, skip(shop), batch(paths), cache_none)]
    fn sizes(shop: &Shop, paths: &[PathBuf]) -> HashMap<PathBuf, u32> {
        shop.note(&[u32::try_from(paths.len()).unwrap()]);
        paths.iter().map(|path| (path.clone(), 7)).collect()
    }
    let shop = Shop::default();
    let [one, two, other] = ["a/b", "a//b", "c"].map(PathBuf::from);
    assert_eq!(sizes(&shop, &[one.clone(), two.clone()]), HashMap::from([(one.clone(), 7)]));
    assert_eq!(sizes(&shop, std::slice::from_ref(&two)), HashMap::from([(two.clone(), 7)]));
    assert_eq!(sizes(&shop, std::slice::from_ref(&one)), HashMap::from([(one.clone(), 7)]));
    assert_eq!(sizes(&shop, &[one.clone(), other, two]).len(), 2);
    assert_eq!(shop.asked(), [[2], [1], [1]], "by now each is there");
    assert_eq!((shop.cache.stats().hits, shop.cache.stats().misses), (3, 4));
}

#[test]
fn hazard_22_a_refresh_of_two_spellings_leaves_no_old_value_under_either() {
    #[cached(cache = shop.cache, skip(shop), batch(paths))]
    fn versions(shop: &Shop, paths: &[PathBuf]) -> HashMap<PathBuf, usize> {
        shop.note(&[]);
        let runs = shop.asked.lock().unwrap().len();
        paths.iter().map(|path| (path.clone(), runs)).collect()
    }
    for backend in [None, Some(SharedMemory::new())] {
        let cache = backend.map_or_else(Cache::new, |it| Cache::builder().backend(it).build().unwrap());
        let shop = Shop::over(cache);
        let [one, two] = ["a/b", "a//b"].map(PathBuf::from);
        for path in [&one, &two] {
            versions(&shop, std::slice::from_ref(path));
        }
        refresh(|| versions(&shop, &[one.clone(), two.clone()]));
        assert_eq!(versions_entry(&shop, &one).peek().unwrap(), Some(Some(3)));
        assert_eq!(versions_entry(&shop, &two).peek().unwrap(), None);
    }
}

#[test]
fn hazard_22_what_another_node_sets_under_a_second_spelling_meanwhile_stays() {
    #[cached(cache = shop.cache, skip(shop, elsewhere), batch(paths))]
    fn versions(shop: &Shop, elsewhere: Option<&Shop>, paths: &[PathBuf]) -> HashMap<PathBuf, usize> {
        if let Some(elsewhere) = elsewhere {
            versions_entry(elsewhere, None, &paths[1]).set(9).unwrap();
        }
        paths.iter().map(|path| (path.clone(), 1)).collect()
    }
    let server = SharedMemory::new();
    let [here, there] =
        [(); 2].map(|()| Shop::over(Cache::builder().backend(server.clone()).build().unwrap()));
    let paths = ["a/b", "a//b"].map(PathBuf::from);
    for path in &paths {
        versions(&here, None, std::slice::from_ref(path));
    }
    refresh(|| versions(&here, Some(&there), &paths));
    let [one, two] = paths.each_ref().map(|path| versions_entry(&there, None, path).peek().unwrap());
    assert_eq!((one, two), (Some(Some(1)), Some(Some(9))));
}

#[test]
fn invariant_9_what_is_set_under_a_second_spelling_meanwhile_still_counts() {
    #[cached(cache = shop.cache, skip(shop), batch(paths))]
    fn versions(shop: &Shop, paths: &[PathBuf]) -> HashMap<PathBuf, usize> {
        if let [_, second] = paths {
            versions_entry(shop, second).set(9).unwrap();
        }
        paths.iter().map(|path| (path.clone(), 1)).collect()
    }
    let cache = Cache::builder().backend(SharedMemory::new()).rule(MaxItems::new(4)).build().unwrap();
    let shop = Shop::over(cache);
    let paths = ["a/b", "a//b"].map(PathBuf::from);
    for path in &paths {
        versions(&shop, std::slice::from_ref(path));
    }
    refresh(|| versions(&shop, &paths));
    for number in 0..10 {
        versions(&shop, &[PathBuf::from(number.to_string())]);
    }
    assert_eq!(versions_entry(&shop, &paths[1]).peek().unwrap(), Some(Some(9)));
    assert_eq!(shop.cache.stats().total_keys, 4);
}

#[test]
fn an_error_is_of_the_whole_call_and_stored_for_none() {
    let shop = Shop::default();
    assert_eq!(fallible(&shop, &[1]), Ok(vec![1]));
    assert_eq!(fallible(&shop, &[1, 13, 2]), Err("unlucky".to_owned()));
    assert_eq!(fallible(&shop, &[1, 2]), Ok(vec![1, 2]));
    assert_eq!(shop.asked(), [vec![1], vec![13, 2], vec![2]]);

    assert_eq!(maybe(&shop, &[1, 2, 1]), Ok(HashMap::from([(1, 2), (2, 4)])));
    assert_eq!(maybe(&shop, &[2, 13, 13]), Err(Unique("unlucky")));
    assert_eq!(shop.asked(), [vec![1, 2], vec![13]]);
}

#[test]
fn without_ids_no_body_runs_and_none_fails() {
    #[cached(cache = shop.cache, skip(shop), batch(ids))]
    fn of_some(shop: &Shop, ids: &[u32]) -> Result<HashMap<u32, u32>, String> {
        shop.note(ids);
        if ids.is_empty() { Err("of none".to_owned()) } else { Ok(ids.iter().map(|id| (*id, *id)).collect()) }
    }
    let shop = Shop::default();
    assert_eq!((of_some(&shop, &[]), fallible(&shop, &[])), (Ok(HashMap::new()), Ok(Vec::new())));
    assert_eq!(shop.runs(), 0);
}

#[test]
fn a_list_of_another_length_is_not_stored() {
    let shop = Shop::default();
    // Nothing was cached: as it is.
    assert_eq!(without_odd(&shop, &[1, 2, 3, 4]), [2, 4]);
    assert_eq!(shop.cache.stats().total_keys, 0);
    // Where something was, the body has to say it for all.
    assert_eq!(without_odd(&shop, &[2, 4]), [2, 4]);
    shop.asked();
    assert_eq!(without_odd(&shop, &[1, 2, 6]), [2, 6]);
    assert_eq!(shop.asked(), [vec![1, 6], vec![1, 2, 6]]);
    // Also where an id stands twice.
    assert_eq!(without_odd(&shop, &[9, 9, 8]), [8]);
    assert_eq!(shop.cache.stats().total_keys, 2);
}

#[test]
fn one_elements_entry_can_be_read_replaced_and_evicted() {
    let shop = Shop::default();
    doubled(&shop, &[1, 2]);
    assert_eq!(doubled_entry(&shop, &1).peek().unwrap(), Some(2));
    doubled_entry(&shop, &1).set(99).unwrap();
    assert!(doubled_entry(&shop, &2).evict().unwrap());
    assert!(doubled_entry(&shop, &1).remaining().unwrap().is_some());
    assert_eq!(doubled(&shop, &[1, 2]), [99, 4]);
    assert_eq!(shop.asked(), [vec![1, 2], vec![2]]);
    named_entry(&shop, &7, "en".to_owned()).set("seven".to_owned()).unwrap();
    assert_eq!(named(&shop, vec![7], "en".to_owned())[&7], "seven");
    assert_eq!(doubled_cache(&shop).evict_all().unwrap(), 2);
}

#[test]
fn options_see_one_id_under_the_name_of_the_parameter() {
    let (cache, clock) = clocked();
    let shop = Shop::over(cache);
    named(&shop, vec![1, 2], "en".to_owned());
    assert_eq!(shop.cache.evict_by_tag("id:2").unwrap(), 1);
    named(&shop, vec![1, 2], "en".to_owned());
    assert_eq!(shop.asked(), [vec![1, 2], vec![2]]);

    #[cached(cache = shop.cache, ttl = Duration::from_secs(u64::from(*ids)), key = *ids, batch(ids), cache_if = is_even)]
    fn timed(shop: &Shop, mut ids: Vec<u32>) -> Vec<u32> {
        shop.note(&ids);
        ids.reverse();
        ids.reverse();
        ids
    }
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "`cache_if` asks for a reference")]
    fn is_even(n: &u32) -> bool {
        n.is_multiple_of(2)
    }
    timed(&shop, vec![2, 3, 4]);
    clock.advance(Duration::from_secs(3));
    shop.asked();
    timed(&shop, vec![2, 3, 4]);
    assert_eq!(shop.asked(), [vec![2, 3]]);
}

#[test]
fn hazard_09_each_element_is_in_the_scope() {
    #[cached(cache = shop.cache, skip(shop), scope = "organization", batch(ids))]
    fn of_org(shop: &Shop, org_id: &str, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        ids.iter().map(|id| id + u32::try_from(org_id.len()).unwrap()).collect()
    }
    #[cached(cache = shop.cache, skip(shop), scope = ambient, batch(ids))]
    fn of_context(shop: &Shop, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        ids.to_vec()
    }
    let shop = Shop::default();
    of_org(&shop, "acme", &[1, 2]);
    of_org(&shop, "globex", &[1, 2]);
    assert_eq!(shop.cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 2);
    assert_eq!(of_org(&shop, "globex", &[1, 2]), [7, 8]);
    assert_eq!(shop.asked().len(), 2);

    of_context(&shop, &[1]);
    in_scope(scopes::organization("acme"), || of_context(&shop, &[1]));
    in_scope(scopes::organization("acme"), || of_context(&shop, &[1]));
    assert_eq!((shop.asked().len(), shop.cache.stats().bypassed), (2, 1));
}

#[test]
fn what_is_said_around_a_call_holds_for_each_element() {
    let shop = Shop::default();
    assert_eq!(observe(|| doubled(&shop, &[1, 2])).1.outcome, Outcome::Miss);
    let (_, served) = observe(|| doubled(&shop, &[1, 2]));
    assert_eq!((served.outcome, served.tier), (Outcome::Hit, Tier::Memory));
    assert_eq!(observe(|| doubled(&shop, &[3, 2])).1.outcome, Outcome::Miss);
    assert_eq!(observe(|| bypass(|| doubled(&shop, &[1, 2]))).1.outcome, Outcome::Bypassed);
    assert_eq!(refresh(|| doubled(&shop, &[2, 1])), [4, 2]);
    assert_eq!(shop.asked(), [vec![1, 2], vec![3], vec![1, 2], vec![2, 1]]);
}

#[test]
fn a_batch_whose_body_runs_again_is_a_miss_whatever_that_calls() {
    #[cached(cache = shop.cache, skip(shop))]
    fn part(shop: &Shop) -> u32 {
        2
    }
    #[cached(cache = shop.cache, skip(shop), batch(ids))]
    fn even(shop: &Shop, ids: &[u32]) -> Vec<u32> {
        ids.iter().copied().filter(|id| id % part(shop) == 0).collect()
    }
    #[cached(cache = shop.cache, skip(shop), batch(ids))]
    async fn even_later(shop: &Shop, ids: &[u32]) -> Vec<u32> {
        ids.iter().copied().filter(|id| id % part(shop) == 0).collect()
    }
    let shop = Shop::default();
    even(&shop, &[2]);
    let (elements, served) = observe(|| even(&shop, &[1, 2, 4]));
    assert_eq!((elements, served.outcome, served.tier), (vec![2, 4], Outcome::Miss, Tier::None));
    on_one_thread(|| async move {
        even_later(&shop, &[2]).await;
        let (elements, served) = observe_async(even_later(&shop, &[1, 2, 4])).await;
        assert_eq!((elements, served.outcome, served.tier), (vec![2, 4], Outcome::Miss, Tier::None));
    });
}

#[test]
fn a_disabled_cache_runs_the_body_for_all() {
    let shop = Shop::over(Cache::disabled());
    assert_eq!(doubled(&shop, &[1, 2]), [2, 4]);
    assert_eq!(doubled(&shop, &[1, 2]), [2, 4]);
    assert_eq!(shop.asked(), [[1, 2], [1, 2]]);
}

#[test]
fn methods_can_be_batches() {
    struct Repo {
        cache: Cache,
        runs: Counter,
    }
    impl Repo {
        #[cached(cache = self.cache, skip(self), batch(ids))]
        async fn find<T: KeyPart + Clone + Send + Sync + 'static>(&self, ids: &[T]) -> Vec<T> {
            self.runs.next();
            yield_now().await;
            ids.to_vec()
        }

        #[cached(cache = self.cache, skip(self), batch(names))]
        fn lengths(&self, names: &[&str], (add, _): (usize, u8)) -> Vec<usize> {
            self.runs.next();
            names.iter().map(|name| name.len() + add).collect()
        }
    }
    on_one_thread(|| async {
        let repo = Repo { cache: Cache::new(), runs: Counter::new() };
        assert_eq!(repo.find(&["a".to_owned()]).await, ["a"]);
        assert_eq!(repo.find(&["a".to_owned()]).await, ["a"]);
        assert_eq!(repo.find(&[1_u8]).await, [1]);
        assert!(repo.find_entry(&1_u8).evict().await.unwrap());
        assert_eq!(repo.lengths(&["one", "three"], (1, 0)), [4, 6]);
        assert_eq!(repo.lengths(&["three", "one"], (1, 0)), [6, 4]);
        assert_eq!(repo.runs.get(), 3);
    });
}
