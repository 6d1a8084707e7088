//! Several operations at the same time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::contract::BoxFuture;
use crate::error::Result;

/// How many operations run at the same time.
const MOST: usize = 32;

/// Does `job` for each item, some of them at the same time; the answers in their order. The first error ends
/// it: of the others, each may be done or not.
pub(super) async fn each<'a, I, T: Unpin>(
    items: &'a [I],
    job: impl Fn(&'a I) -> BoxFuture<'a, Result<T>>,
) -> Result<Vec<T>> {
    let mut answers = Vec::with_capacity(items.len());
    for some in items.chunks(MOST) {
        answers.extend(join(some.iter().map(&job).collect()).await?);
    }
    Ok(answers)
}

async fn join<T: Unpin>(mut jobs: Vec<BoxFuture<'_, Result<T>>>) -> Result<Vec<T>> {
    let mut answers: Vec<Option<T>> = jobs.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut is_done = true;
        for (job, answer) in jobs.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            match job.as_mut().poll(cx)? {
                Poll::Ready(ready) => *answer = Some(ready),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// Does both at the same time. The first error ends it.
pub(super) async fn both<A, B>(
    a: impl Future<Output = Result<A>>,
    b: impl Future<Output = Result<B>>,
) -> Result<(A, B)> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut left, mut right) = (None, None);
    poll_fn(|cx| {
        if left.is_none()
            && let Poll::Ready(ready) = a.as_mut().poll(cx)?
        {
            left = Some(ready);
        }
        if right.is_none()
            && let Poll::Ready(ready) = b.as_mut().poll(cx)?
        {
            right = Some(ready);
        }
        match (left.take(), right.take()) {
            (Some(a), Some(b)) => Poll::Ready(Ok((a, b))),
            (a, b) => {
                (left, right) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
