//! Several requests at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use cacheado_backends::{Error, Result};

use super::Reply;

/// What the futures give, in their order; they are polled together.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut ready: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (future, ready) in pending.iter_mut().zip(&mut ready).filter(|(_, ready)| ready.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *ready = Some(output),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ready.into_iter().flatten().collect()
}

/// The answer to a question for `how_many` entries, as one for each.
pub(crate) fn each(answer: Result<Reply>, how_many: usize) -> Vec<Result<Reply>> {
    match answer {
        Ok(Reply::Entries(entries)) => {
            let missing = std::iter::repeat_with(|| None);
            entries.into_iter().chain(missing).take(how_many).map(|entry| Ok(Reply::Entry(entry))).collect()
        }
        Err(error) if how_many > 1 => (0..how_many).map(|_| Err(copied(&error))).collect(),
        other => vec![other],
    }
}

/// The same error once more.
pub(super) fn copied(error: &Error) -> Error {
    Error::new(error.kind(), "ask the backend", error.to_string())
}
