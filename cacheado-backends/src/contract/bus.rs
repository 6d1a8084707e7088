//! What other nodes have evicted.

use super::BoxFuture;

/// What a subscription tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A notice, as it was given to an eviction on some node, this one included.
    Notice(Vec<u8>),
    /// Notices may have been missed: the subscription has begun, the connection was lost and is back, or a
    /// number in the sequence is missing. Whoever keeps copies drops them all.
    Gap,
}

/// The notices of all nodes, from now on.
///
/// # Behavior
///
/// - The first event is [`Event::Gap`], once the server is listened to: what is evicted after that is told.
/// - It never ends and never fails: it reconnects by itself, with pauses, and tells of it by a `Gap`.
/// - A notice comes at most once, after the eviction that it was given to has taken effect.
/// - `next` is cancel safe: a dropped future loses no event.
pub trait Subscription: Send + 'static {
    /// The next event.
    fn next(&mut self) -> BoxFuture<'_, Event>;
}
