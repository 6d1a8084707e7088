//! From the server's bytes to values, RESP3's. What the server tells unasked is passed over: another client can have it
//! told things here.

use redis::{RedisResult, Value, parse_redis_value};

use super::super::reads::misread;

/// How deep lists lie in each other at most.
const DEEPEST: usize = 16;

/// The longest line: that of an error.
const LINE: usize = 64 << 10;

/// How many values a list is given room for before they are seen.
const ANNOUNCED: usize = 1_024;

/// How much of an answer has been seen that may not be there yet as a whole.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Up to where.
    at: usize,
    /// How many values are still to come, less the one that is always wanted.
    more: usize,
}

impl Seen {
    /// The first answer in the bytes, none if it is to nobody's question, and how long it is; `None` if its end is not
    /// there. What has been seen is not looked at again: until there is an answer, the bytes may only become more.
    pub(super) fn answer(&mut self, bytes: &[u8]) -> RedisResult<Option<(Option<Value>, usize)>> {
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some((line, end)) = first_line(rest)?.map(|line| (line, self.at + line.len() + 2)) else {
                return Ok(None);
            };
            let (next, values) = match line.split_first() {
                Some((b'$' | b'=' | b'!', length)) => match number(length)? {
                    Some(length) => (end.checked_add(length).and_then(|end| end.checked_add(2)), 0),
                    None => (Some(end), 0),
                },
                Some((b'*', length)) => (Some(end), number(length)?.unwrap_or_default()),
                // Not within an answer.
                Some((b'>', length)) if self.at == 0 => (Some(end), number(length)?.unwrap_or_default()),
                Some((b'_' | b':' | b'+' | b'-' | b'#' | b',' | b'(', _)) => (Some(end), 0),
                _ => return Err(misread()),
            };
            let next = next.ok_or_else(misread)?;
            if next > bytes.len() {
                return Ok(None);
            }
            self.at = next;
            self.more = self.more.checked_add(values).ok_or_else(misread)?;
            if self.more == 0 {
                let whole = std::mem::take(self).at;
                let is_asked = !bytes.starts_with(b">");
                let value = is_asked.then(|| value(&mut &bytes[..whole], DEEPEST)).transpose()?;
                return Ok(Some((value, whole)));
            }
            self.more -= 1;
        }
    }
}

/// The first line in the bytes, without its end; `None` if its end is not there.
fn first_line(bytes: &[u8]) -> RedisResult<Option<&[u8]>> {
    match bytes.iter().take(LINE).position(|byte| *byte == b'\n') {
        Some(end) => bytes[..end].strip_suffix(b"\r").map(Some).ok_or_else(misread),
        None if bytes.len() < LINE => Ok(None),
        None => Err(misread()),
    }
}

/// A length; `None` for that of what is not there.
fn number(digits: &[u8]) -> RedisResult<Option<usize>> {
    match digits {
        b"-1" => Ok(None),
        [] => Err(misread()),
        digits => {
            let number = digits.iter().try_fold(0_usize, |number, digit| {
                let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
                number.checked_mul(10)?.checked_add(digit.into())
            });
            number.map(Some).ok_or_else(misread)
        }
    }
}

/// The value that the bytes begin with; there is a whole one.
fn value(bytes: &mut &[u8], deepest: usize) -> RedisResult<Value> {
    let text = first_line(bytes)?.ok_or_else(misread)?;
    let (head, rest) = bytes.split_at(text.len() + 2);
    let Some((kind, text)) = text.split_first() else { return Err(misread()) };
    match kind {
        b'$' => {
            *bytes = rest;
            let Some(length) = number(text)? else { return Ok(Value::Nil) };
            let (text, rest) = rest.split_at_checked(length).ok_or_else(misread)?;
            *bytes = rest.strip_prefix(b"\r\n").ok_or_else(misread)?;
            Ok(Value::BulkString(text.to_vec()))
        }
        b'*' => {
            *bytes = rest;
            let Some(length) = number(text)? else { return Ok(Value::Nil) };
            let deepest = deepest.checked_sub(1).ok_or_else(misread)?;
            let mut values = Vec::with_capacity(length.min(ANNOUNCED));
            for _ in 0..length {
                values.push(value(bytes, deepest)?);
            }
            Ok(Value::Array(values))
        }
        b'_' => {
            *bytes = rest;
            Ok(Value::Nil)
        }
        // What else there is is for the crate: a hit is not made of it.
        kind => {
            let more = match kind {
                b'=' | b'!' => number(text)?.and_then(|length| length.checked_add(2)),
                _ => Some(0),
            };
            let end = more.and_then(|more| more.checked_add(head.len())).ok_or_else(misread)?;
            let (whole, rest) = bytes.split_at_checked(end).ok_or_else(misread)?;
            *bytes = rest;
            parse_redis_value(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::VerbatimFormat;

    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn samples() -> Vec<(&'static [u8], Value)> {
        vec![
            (b"$5\r\nhello\r\n", bulk("hello")),
            (b"$2\r\n\r\n\r\n", bulk("\r\n")),
            (b"$0\r\n\r\n", bulk("")),
            (b"$-1\r\n", Value::Nil),
            (b"*-1\r\n", Value::Nil),
            (b"*0\r\n", Value::Array(vec![])),
            (b"*2\r\n$1\r\na\r\n$-1\r\n", Value::Array(vec![bulk("a"), Value::Nil])),
            (
                b"*3\r\n*2\r\n:1\r\n:-2\r\n*0\r\n$1\r\n*\r\n",
                Value::Array(vec![
                    Value::Array(vec![Value::Int(1), Value::Int(-2)]),
                    Value::Array(vec![]),
                    bulk("*"),
                ]),
            ),
            (b"+OK\r\n", Value::Okay),
            (b"+QUEUED\r\n", Value::SimpleString("QUEUED".to_owned())),
            (b":42\r\n", Value::Int(42)),
            (b"_\r\n", Value::Nil),
            (b"#t\r\n", Value::Boolean(true)),
            (b"*2\r\n_\r\n,1.5\r\n", Value::Array(vec![Value::Nil, Value::Double(1.5)])),
            (
                b"=15\r\ntxt:Some string\r\n",
                Value::VerbatimString { format: VerbatimFormat::Text, text: "Some string".to_owned() },
            ),
        ]
    }

    #[test]
    fn answers_are_what_the_client_makes_of_them() {
        for (bytes, expected) in samples() {
            let (value, length) = Seen::default().answer(bytes).expect("read").expect("whole");
            assert_eq!((value.as_ref(), length), (Some(&expected), bytes.len()));
            assert_eq!(parse_redis_value(bytes).ok(), value);
        }
    }

    #[test]
    fn an_answer_may_come_in_any_pieces_and_others_behind_it() {
        // Between them the server tells something.
        let told = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
        let all = samples().into_iter().flat_map(|(bytes, _)| [bytes, told]).collect::<Vec<_>>().concat();
        for piece in 1..all.len() {
            let (mut seen, mut start, mut values) = (Seen::default(), 0, Vec::new());
            for end in (piece..all.len()).step_by(piece).chain([all.len()]) {
                while let Some((value, length)) = seen.answer(&all[start..end]).expect("read") {
                    values.extend(value);
                    start += length;
                }
            }
            assert_eq!(values, samples().into_iter().map(|(_, value)| value).collect::<Vec<_>>());
            assert_eq!(start, all.len());
        }
    }

    #[test]
    fn a_refusal_is_a_value() {
        let refusal = b"-WRONGTYPE Operation against a key\r\n";
        let (value, length) = Seen::default().answer(refusal).expect("read").expect("whole");
        assert_eq!(length, refusal.len());
        let error = value.expect("it was asked for").extract_error().expect_err("an error");
        assert_eq!(error.code(), Some("WRONGTYPE"));
        let loading = Seen::default().answer(b"-LOADING in memory\r\n").expect("read").expect("whole").0;
        assert!(matches!(
            loading.expect("it was asked for").extract_error().expect_err("an error").kind(),
            redis::ErrorKind::Server(redis::ServerErrorKind::BusyLoading)
        ));
    }

    #[test]
    fn hazard_30_what_is_no_answer_is_an_error() {
        let deep = b"*1\r\n".repeat(100_000);
        let mut deep_and_whole = deep.clone();
        deep_and_whole.extend_from_slice(b":1\r\n");
        for bytes in [
            &b"hello\r\n"[..],
            b"\r\n",
            b"\n",
            b"+OK\n",
            b"$\r\n",
            b"$-2\r\n",
            b"$1x\r\na\r\n",
            b"$3\r\nhello\r\n",
            b"$99999999999999999999\r\n",
            b"$18446744073709551615\r\n",
            b"*2\r\n*18446744073709551615\r\n",
            b"%1\r\n+a\r\n+b\r\n",
            b"*1\r\n>1\r\n+a\r\n",
            b">x\r\n",
            &deep_and_whole,
        ] {
            Seen::default().answer(bytes).expect_err("refused");
        }
        // Much is announced, and nothing comes.
        let none = Seen::default().answer(b"*1000000000000\r\n").expect("so far");
        assert!(none.is_none() && Seen::default().answer(&deep).expect("so far").is_none());
    }
}
