//! Reads that become one command.

use super::super::scripts::Name;

/// The most keys of one: so many are read in about the time that it takes on its way.
const LONGEST: usize = 128;

/// Room for what stands before the keys.
const HEAD: usize = 24;

/// Keys that are to be read with one command, and who waits for them.
pub(super) struct Gathered {
    slots: Vec<usize>,
    /// The room, then the keys.
    bytes: Vec<u8>,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { slots: Vec::new(), bytes: vec![0; HEAD] }
    }
}

impl Gathered {
    pub(super) fn is_full(&self) -> bool {
        self.slots.len() >= LONGEST
    }

    pub(super) fn add(&mut self, slot: usize, name: Name<'_>) {
        self.slots.push(slot);
        self.bytes.push(b'$');
        push_number(name.len(), &mut self.bytes);
        name.write_to(&mut self.bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// The command: `GET` for one key, which tells what is no text from what is not there.
    pub(super) fn command(&mut self) -> &[u8] {
        let mut head = [0; HEAD];
        let mut len = 0;
        let mut push = |bytes: &[u8]| {
            head[len..len + bytes.len()].copy_from_slice(bytes);
            len += bytes.len();
        };
        if self.slots.len() == 1 {
            push(b"*2\r\n$3\r\nGET\r\n");
        } else {
            let mut number = Vec::with_capacity(8);
            push_number(1 + self.slots.len(), &mut number);
            push(b"*");
            push(&number);
            push(b"$4\r\nMGET\r\n");
        }
        let start = HEAD - len;
        self.bytes[start..HEAD].copy_from_slice(&head[..len]);
        &self.bytes[start..]
    }

    /// Who waits, if it is one.
    pub(super) fn alone(&self) -> Option<usize> {
        match self.slots[..] {
            [slot] => Some(slot),
            _ => None,
        }
    }

    /// All who wait.
    pub(super) fn take_slots(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.slots)
    }

    /// The same without keys.
    pub(super) fn emptied(mut self) -> Self {
        self.slots.clear();
        self.bytes.truncate(HEAD);
        self
    }
}

/// A number, and the end of the line.
fn push_number(number: usize, bytes: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        // One digit.
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[start..]);
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Layout;
    use super::*;

    #[test]
    fn one_key_is_a_get_and_more_are_an_mget() {
        let layout = Layout::new("n", 1);
        let name = |key| Name::entry(layout.shard(""), key);
        let mut gathered = Gathered::default();
        gathered.add(7, name("a"));
        assert_eq!(gathered.command(), b"*2\r\n$3\r\nGET\r\n$7\r\n{n}:e:a\r\n");
        assert_eq!(gathered.alone(), Some(7));
        gathered.add(8, name("bcdefghijklmn"));
        let both: &[u8] = b"*3\r\n$4\r\nMGET\r\n$7\r\n{n}:e:a\r\n$19\r\n{n}:e:bcdefghijklmn\r\n";
        assert_eq!(gathered.command(), both);
        assert_eq!(gathered.alone(), None);
        assert_eq!(gathered.take_slots(), [7, 8]);
        let mut gathered = gathered.emptied();
        for slot in 0..LONGEST {
            assert!(!gathered.is_full());
            gathered.add(slot, name("a"));
        }
        assert!(gathered.is_full());
        assert!(gathered.command().starts_with(b"*129\r\n$4\r\nMGET\r\n$7\r\n"));
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 9, 10, 128, usize::MAX] {
            let mut bytes = Vec::new();
            push_number(number, &mut bytes);
            assert_eq!(bytes, format!("{number}\r\n").as_bytes());
        }
    }
}
