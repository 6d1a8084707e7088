//! Functions and return types that cannot be cached.

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use cacheado::cached;

#[cached]
const fn constant() -> u32 {
    1
}

#[cached]
unsafe fn unchecked() -> u32 {
    1
}

#[cached]
extern "C" fn foreign() -> u32 {
    1
}

#[cached]
fn future() -> impl Future<Output = u32> {
    async { 1 }
}

#[cached]
fn boxed_future() -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async { 1 })
}

#[cached]
fn opaque() -> Option<impl Display> {
    Some(1)
}

#[cached]
fn borrowed(text: &str) -> &str {
    text
}

#[cached]
fn borrowed_inside<'a>(text: &'a str) -> Option<Cow<'a, str>> {
    Some(text.into())
}

#[cached]
fn never() -> ! {
    loop {}
}

#[cached]
#[cached]
fn twice() -> u32 {
    1
}

#[cached]
struct NoFunction;

trait Declared {
    #[cached]
    fn without_body(&self) -> u32;
}

pub struct NoClone;

#[cached]
fn no_clone(n: u32) -> NoClone {
    let _ = n;
    NoClone
}

#[cached]
async fn no_clone_in_result(n: u32) -> Result<NoClone, u32> {
    Err(n)
}

#[cached]
fn no_clone_within(n: u32) -> Vec<NoClone> {
    let _ = n;
    Vec::new()
}

#[derive(Clone)]
pub struct Holder(Option<std::rc::Rc<u32>>);

#[cached]
fn not_sync_within(n: u32) -> Holder {
    let _ = n;
    Holder(None)
}

#[cached]
fn not_sync(n: u32) -> std::rc::Rc<u32> {
    n.into()
}

#[cached]
fn neither(n: u32) -> Option<std::cell::RefCell<NoClone>> {
    let _ = n;
    None
}

#[cached]
fn generic<T: Send + Sync + Default + 'static>(n: u32) -> Option<T> {
    (n > 0).then(T::default)
}

fn main() {}
