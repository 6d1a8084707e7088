//! Bodies that can go on without their caller own their arguments, whatever these are.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cacheado::testing::ManualClock;
use cacheado::{Cache, cached};
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until};
use cacheado_tests::{Counter, clocked};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Repo {
    cache: Cache,
    runs: Arc<Counter>,
    name: String,
}

impl Repo {
    fn new() -> (Self, ManualClock) {
        let (cache, clock) = clocked();
        (Self { cache, runs: Arc::default(), name: "repo".to_owned() }, clock)
    }

    #[cached(cache = self.cache, skip(self), ttl = 60, stale = 30)]
    fn find(&self, id: &str, page: u32) -> String {
        // `self` in a macro, in a closure, and as the argument of a method.
        let run = self.runs.next();
        let named = |id: &str| format!("{}/{id}", self.name);
        assert!(!self.is_closed());
        format!("{} {page} {run}", named(id))
    }

    #[cached(cache = self.cache, skip(self), ttl = 60, stale = 30)]
    async fn find_async(&self, id: &str) -> String {
        others_wait().await;
        format!("{}/{id} {}", self.name, self.runs.next())
    }

    #[cached(cache = self.cache, skip(self), ttl = 60, stale = 30)]
    fn shared(self: Arc<Self>, id: u8) -> usize {
        self.runs.next() + usize::from(id)
    }

    #[cached(cache = self.cache, skip(self), ttl = 60, stale = 30)]
    fn lent(self: &Arc<Self>, id: u8) -> usize {
        self.runs.next() + usize::from(id)
    }

    /// Its items have a `self` of their own.
    #[cached(cache = self.cache, skip(self), ttl = 60, stale = 30)]
    fn with_items(&self, id: u8) -> String {
        use std::fmt::{self, Write as _};
        mod inner {
            #[expect(clippy::needless_pub_self, reason = "a `self` that is none of the method's")]
            pub(self) const STEP: u8 = 1;
            pub fn step() -> u8 {
                STEP
            }
        }
        struct Sized<const N: usize>;
        impl Sized<{ 1 + 1 }> {
            fn len(&self) -> usize {
                let Self = self;
                2
            }
        }
        let mut text = String::new();
        let written: fmt::Result = write!(text, "{} {} {}", self.name, Sized.len(), id + inner::step());
        written.map_or_else(|error| error.to_string(), |()| text)
    }

    fn is_closed(&self) -> bool {
        self.name.is_empty()
    }
}

#[test]
fn items_in_a_body_keep_their_own_self() {
    let (repo, _) = Repo::new();
    assert_eq!(repo.with_items(3), "repo 2 4");
}

/// What it returns ends with bounds.
#[cached(ttl = 60, stale = 30)]
fn shown(id: u8) -> &'static dyn Shown {
    if id == 0 { &"none" } else { &"some" }
}

trait Shown: Sync {
    fn text(&self) -> String;
}

impl Shown for &'static str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

#[test]
fn a_function_that_returns_an_object_has_an_entry() {
    assert_eq!(shown(1).text(), "some");
    assert_eq!(shown_entry(1).get().text(), "some");
    assert_eq!(shown_entry(0).refresh().text(), "none");
}

trait Find {
    fn by_trait(&self, id: &[u8]) -> usize;
}

impl Find for Repo {
    #[cached(cache = self.cache, skip(self), ttl = 60, early = 1, stale = 30, companions = false)]
    fn by_trait(&self, id: &[u8]) -> usize {
        self.runs.next() + id.len()
    }
}

#[cached(cache = cache, skip(cache, runs), ttl = 60, stale = 30)]
#[expect(clippy::too_many_arguments, reason = "one of each")]
fn of_all_kinds<T: cacheado::KeyPart + Clone + Send + Sync + 'static>(
    cache: &Cache,
    runs: &Arc<Counter>,
    text: &str,
    mut list: Vec<u8>,
    (a, _): (u8, u8),
    &[b, c, ..]: &[u8; 16],
    path: &Path,
    generic: &T,
    cow: Cow<'static, str>,
    opaque: impl cacheado::KeyPart + Send + 'static,
) -> String {
    list.push(a + b + c);
    let (_, _) = (generic, opaque);
    format!("{text} {list:?} {} {cow} {}", path.display(), runs.next())
}

#[test]
fn methods_clone_what_they_are_called_on_and_only_to_renew() {
    in_time(|| {
        let (repo, clock) = Repo::new();
        let shared = Arc::new(repo.clone());
        assert_eq!(repo.find("x", 1), "repo/x 1 0");
        assert_eq!((Arc::clone(&shared).shared(10), shared.lent(20), repo.by_trait(b"abc")), (11, 22, 6));
        clock.advance(60 * SECOND);
        assert_eq!(repo.find_entry("x", 1).get(), "repo/x 1 0");
        until("it is renewed", || repo.find("x", 1) != "repo/x 1 0");
        assert_eq!((Arc::clone(&shared).shared(10), shared.lent(20), repo.by_trait(b"abc")), (11, 22, 6));
        until("they are renewed", || {
            Arc::clone(&shared).shared(10) > 11 && shared.lent(20) > 22 && repo.by_trait(b"abc") > 6
        });
        assert_eq!(repo.runs.get(), 8);
        assert_eq!(repo.find_entry("x", 1).refresh(), "repo/x 1 8");
        assert_eq!(repo.find_entry("x", 1).bypass(), "repo/x 1 9");
        assert_eq!(repo.find("x", 1), "repo/x 1 8");
    });
}

#[test]
fn async_methods_do_as_well() {
    on_one_thread(|| async {
        let (repo, clock) = Repo::new();
        assert_eq!(repo.find_async("x").await, "repo/x 0");
        clock.advance(60 * SECOND);
        assert_eq!(repo.find_async_entry("x").get().await, "repo/x 0");
        while repo.find_async("x").await != "repo/x 1" {
            others_wait().await;
        }
        assert_eq!(repo.find_async_entry("x").refresh().await, "repo/x 2");
        assert_eq!(repo.find_async_entry("x").bypass().await, "repo/x 3");
    });
}

#[test]
fn arguments_of_all_kinds_go_along() {
    in_time(|| {
        let (cache, clock) = clocked();
        let runs = Arc::new(Counter::new());
        let call = || {
            let path = std::path::PathBuf::from("a/b");
            of_all_kinds(&cache, &runs, "t", vec![1], (2, 9), &[4; 16], &path, &7_u64, "c".into(), 'o')
        };
        assert_eq!(call(), "t [1, 10] a/b c 0");
        clock.advance(60 * SECOND);
        assert_eq!(call(), "t [1, 10] a/b c 0");
        until("it is renewed", || call() == "t [1, 10] a/b c 1");
    });
}
