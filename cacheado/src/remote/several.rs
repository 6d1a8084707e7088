//! Several requests at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use cacheado_backends::Result;

use super::Reply;

/// How many are under way at a time. A backend bounds each in time from when it begins, and a server does only a few at
/// once: of thousands that begin together, most would be late.
const MOST: usize = 64;

/// What the futures give, in their order; they are polled together.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting = futures;
    let mut under_way: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut ready: Vec<Option<F::Output>> = Vec::new();
    poll_fn(|context| {
        loop {
            for future in waiting.by_ref().take(MOST - under_way.len()) {
                under_way.push((ready.len(), Box::pin(future)));
                ready.push(None);
            }
            let before = under_way.len();
            under_way.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Ready(output) => {
                    ready[*place] = Some(output);
                    false
                }
                Poll::Pending => true,
            });
            match under_way.len() {
                0 if before == 0 => return Poll::Ready(()),
                left if left == before => return Poll::Pending,
                // Others can begin.
                _ => {}
            }
        }
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
        Err(error) if how_many > 1 => (0..how_many).map(|_| Err(error.clone())).collect(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn a_few_are_under_way_at_a_time_and_all_come_in_order() {
        let (begun, may_end) = (Cell::new(0), RefCell::new([false; 1_000]));
        let futures = (0..1_000).map(|number| {
            let mut is_new = true;
            let (begun, may_end) = (&begun, &may_end);
            poll_fn(move |_| {
                begun.set(begun.get() + usize::from(std::mem::take(&mut is_new)));
                if may_end.borrow()[number] { Poll::Ready(number) } else { Poll::Pending }
            })
        });
        let mut together = pin!(all(futures));
        let mut context = Context::from_waker(Waker::noop());
        assert!(together.as_mut().poll(&mut context).is_pending());
        assert_eq!(begun.get(), MOST);
        // Whichever end, as many others begin.
        may_end.borrow_mut()[3..10].fill(true);
        assert!(together.as_mut().poll(&mut context).is_pending());
        assert_eq!(begun.get(), MOST + 7);
        may_end.borrow_mut().fill(true);
        let Poll::Ready(numbers) = together.as_mut().poll(&mut context) else { panic!("all may end") };
        assert!(numbers.into_iter().eq(0..1_000) && begun.get() == 1_000);
    }
}
