//! Room for the bytes of a value, which the next value of the thread is written to again.

use std::cell::RefCell;
use std::ops::Deref;

/// How many buffers a thread keeps, as many calls can be under way.
const KEPT: usize = 16;

/// The most bytes that such a buffer has.
const LARGEST: usize = 64 << 10;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes on their way. Dropping them leaves their room to others.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty one, with room from an earlier one if there is some.
    pub(crate) fn new() -> Self {
        // A thread that ends keeps nothing any more.
        Self(SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default())
    }

    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.0);
        if room.capacity() == 0 || room.capacity() > LARGEST {
            return;
        }
        room.clear();
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT {
                spare.push(room);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the bytes of a buffer stand that had so many.
    fn used(len: usize) -> *const u8 {
        let mut buffer = Buffer::new();
        assert!(buffer.is_empty());
        buffer.bytes().resize(len, 1);
        buffer.as_ptr()
    }

    #[test]
    fn the_next_value_is_written_where_the_last_one_was() {
        let first = used(100);
        assert_eq!(used(50), first);
        let held = Buffer::new();
        assert_ne!(used(100), first, "it is in use");
        drop(held);
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), 2);
    }

    #[test]
    fn large_ones_and_many_are_not_kept() {
        used(LARGEST + 1);
        assert!(SPARE.with(|spare| spare.borrow().is_empty()));
        let mut many: Vec<_> = (0..2 * KEPT).map(|_| Buffer::new()).collect();
        for buffer in &mut many {
            buffer.bytes().push(1);
        }
        drop(many);
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), KEPT);
    }
}
