//! The text of a scope, `organization:o1/user:u7`, and the way back.
//!
//! Whatever has a meaning in a path, in a glob pattern or in a terminal is percent-escaped in names and values,
//! so no value can pose as a path or match another scope. An empty value is `%empty`, which no escape yields.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::{GLOBAL, Scope, ScopeError};

const EMPTY: &str = "%empty";

impl Scope {
    /// Reads a scope back from its `Display` form. Each scope has one text, and no other is accepted.
    ///
    /// # Errors
    ///
    /// [`ScopeError::MalformedScope`] where the text is not that of a scope.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// let scope = Scope::parse("organization:o1/user:a%2Fb")?;
    /// assert!(scope.levels().eq([("organization", "o1"), ("user", "a/b")]));
    /// assert!(Scope::parse("organization").is_err());
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        read(text)
            .filter(|scope| scope.to_string() == text)
            .ok_or_else(|| ScopeError::MalformedScope { text: text.to_owned() })
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth() == 0 {
            return out.pad(GLOBAL);
        }
        let mut text = String::new();
        for (index, level) in self.levels().enumerate() {
            push_level(index, level, &mut text);
        }
        out.pad(&text)
    }
}

/// Writes the level that is the `index`th of a path after those above it.
pub(crate) fn push_level(index: usize, (level, value): (&str, &str), out: &mut String) {
    if index > 0 {
        out.push('/');
    }
    push_escaped(level, out);
    out.push(':');
    push_escaped(value, out);
}

impl fmt::Debug for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Scope({self})")
    }
}

fn push_escaped(text: &str, out: &mut String) {
    if text.is_empty() {
        out.push_str(EMPTY);
    } else if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        // As most are.
        out.push_str(text);
    } else {
        for character in text.chars() {
            if must_escape(character) {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a `String` does not fail.
                    let _ = write!(out, "%{byte:02X}");
                }
            } else {
                out.push(character);
            }
        }
    }
}

fn must_escape(character: char) -> bool {
    matches!(character, '%' | '/' | ':' | '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '"')
        || character.is_whitespace()
        || character.is_control()
}

fn read(text: &str) -> Option<Scope> {
    if text == GLOBAL {
        return Some(Scope::global());
    }
    let levels: Option<Vec<_>> = text
        .split('/')
        .map(|level| {
            let (name, value) = level.split_once(':')?;
            Some((unescape(name)?, unescape(value)?))
        })
        .collect();
    Scope::from_texts(levels?)
}

fn unescape(text: &str) -> Option<String> {
    if text == EMPTY {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
