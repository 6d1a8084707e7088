//! Bytes that a socket has not taken yet.

/// The most that is kept for the next.
const KEPT: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Unsent {
    bytes: Vec<u8>,
    /// How many of them it has taken since.
    taken: usize,
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Those that it has not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// It has taken so many more.
    pub(super) fn taken(&mut self, bytes: usize) {
        self.taken += bytes;
        if self.taken >= self.bytes.len() {
            self.taken = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone_and_the_rest_is_in_order() {
        let mut unsent = Unsent::default();
        assert!(unsent.is_empty());
        unsent.add(b"abc");
        unsent.taken(2);
        unsent.add(b"de");
        assert_eq!((unsent.bytes(), unsent.is_empty()), (&b"cde"[..], false));
        unsent.taken(3);
        assert!(unsent.is_empty() && unsent.bytes().is_empty());
        unsent.add(b"f");
        assert_eq!(unsent.bytes(), b"f");
    }
}
