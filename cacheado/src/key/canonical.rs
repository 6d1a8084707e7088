//! [`Key`]: everything that tells one cache entry from another, as one byte string.
//!
//! `FORMAT`, a sequence of the scope's levels (each a text for the level and one for its value), the
//! function's name as a text, its version as an unsigned integer, and the encoded arguments.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use super::render::Render;
use super::replay::{Token, is_run};
use super::{FORMAT, KeyBytes, KeySink};
use crate::scope::Scope;

/// The canonical key of a cache entry: scope, function, version and arguments.
///
/// The bytes are injective and the same on every machine, process and release with the same
/// [`FORMAT`]: two keys are equal exactly where their bytes are. Cheap to clone.
///
/// ```
/// use cacheado::key::Key;
///
/// // Scope `organization:o1`, no function (a key set by hand), version 0, the argument "ab".
/// let mut bytes = vec![1, 0x0E, 1, 0, 0, 0, 0, 0, 0, 0];
/// bytes.extend(b"\x8Corganization\x82o1");
/// bytes.extend([0x80, 0x05, 0, 0, 0, 0, 0, 0, 0, 0]);
/// bytes.extend(b"\x82ab");
///
/// let key = Key::from_bytes(&bytes).unwrap();
/// assert_eq!(key.to_string(), r#"organization:o1 ("ab")"#);
/// assert_eq!(key.scope().to_string(), "organization:o1");
/// assert_eq!((key.function(), key.version(), key.args()), ("", 0, &b"\x82ab"[..]));
/// assert_eq!(key.as_bytes(), bytes);
/// ```
#[derive(Clone)]
pub struct Key {
    bytes: Arc<[u8]>,
    layout: Layout,
}

/// Where the parts of a key lie in its bytes.
#[derive(Clone)]
struct Layout {
    function: Range<usize>,
    version: u32,
    args: usize,
}

impl Key {
    /// Puts a key together. `args` are encoded values; `function` is empty for a key set by hand.
    pub(crate) fn assemble(scope: &Scope, function: &str, version: u32, args: &[u8]) -> Self {
        let mut out = Self::header(scope, function, version);
        let end_of_function = out.as_bytes().len() - size_of::<u64>() - 1;
        let layout = Layout {
            function: end_of_function - function.len()..end_of_function,
            version,
            args: out.as_bytes().len(),
        };
        out.append(args);
        Self { bytes: out.into_vec().into(), layout }
    }

    /// All of a key but its arguments.
    pub(crate) fn header(scope: &Scope, function: &str, version: u32) -> KeyBytes {
        let mut out = KeyBytes::with_capacity(128);
        out.append(&[FORMAT]);
        scope.write_levels(&mut out);
        out.text(function);
        out.unsigned(u64::from(version));
        out
    }

    /// Reads a key back. `None` where the bytes are not a key of this format: cut short, foreign, hostile.
    ///
    /// ```
    /// assert!(cacheado::key::Key::from_bytes(b"session:42").is_none());
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (_, mut rest) = split_scope(bytes)?;
        let Token::Text(function) = Token::next(&mut rest)? else {
            return None;
        };
        let end_of_function = bytes.len() - rest.len();
        let Token::Unsigned(version) = Token::next(&mut rest)? else {
            return None;
        };
        let layout = Layout {
            function: end_of_function - function.len()..end_of_function,
            version: u32::try_from(version).ok()?,
            args: bytes.len() - rest.len(),
        };
        is_run(rest).then(|| Self { bytes: bytes.into(), layout })
    }

    /// The canonical bytes.
    ///
    /// ```
    /// # let bytes = [1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0x00];
    /// let key = cacheado::key::Key::from_bytes(&bytes).unwrap();
    /// assert_eq!(key.as_bytes(), bytes);
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The scope that the entry lives in.
    ///
    /// ```
    /// # let bytes = [1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0x00];
    /// # let key = cacheado::key::Key::from_bytes(&bytes).unwrap();
    /// assert_eq!(key.scope(), cacheado::scope::Scope::global());
    /// ```
    #[must_use]
    pub fn scope(&self) -> Scope {
        split_scope(&self.bytes).map_or_else(Scope::global, |(scope, _)| scope)
    }

    /// The function's stable name; empty for a key that was set by hand.
    ///
    /// ```
    /// # let bytes = [1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, b'f', 0x05, 2, 0, 0, 0, 0, 0, 0, 0, 0x00];
    /// # let key = cacheado::key::Key::from_bytes(&bytes).unwrap();
    /// assert_eq!(key.function(), "f");
    /// ```
    #[must_use]
    pub fn function(&self) -> &str {
        str::from_utf8(&self.bytes[self.layout.function.clone()]).unwrap_or_default()
    }

    /// The function's version; 0 for a key that was set by hand.
    ///
    /// ```
    /// # let bytes = [1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, b'f', 0x05, 2, 0, 0, 0, 0, 0, 0, 0, 0x00];
    /// # let key = cacheado::key::Key::from_bytes(&bytes).unwrap();
    /// assert_eq!(key.version(), 2);
    /// ```
    #[must_use]
    pub fn version(&self) -> u32 {
        self.layout.version
    }

    /// The encoded arguments.
    ///
    /// ```
    /// # let bytes = [1, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, b'f', 0x05, 2, 0, 0, 0, 0, 0, 0, 0, 0x00];
    /// # let key = cacheado::key::Key::from_bytes(&bytes).unwrap();
    /// assert_eq!(key.args(), cacheado::key::encode(&()));
    /// ```
    #[must_use]
    pub fn args(&self) -> &[u8] {
        &self.bytes[self.layout.args..]
    }
}

/// The scope at the front of a key, and what follows it.
fn split_scope(bytes: &[u8]) -> Option<(Scope, &[u8])> {
    split_levels(bytes.strip_prefix(&[FORMAT])?)
}

/// The scope that [`Scope::write_levels`] has written, and what follows it.
pub(crate) fn split_levels(mut rest: &[u8]) -> Option<(Scope, &[u8])> {
    let Token::Sequence(depth) = Token::next(&mut rest)? else {
        return None;
    };
    let mut levels = Vec::new();
    for _ in 0..depth {
        let (Token::Text(level), Token::Text(value)) = (Token::next(&mut rest)?, Token::next(&mut rest)?)
        else {
            return None;
        };
        levels.push((level, value));
    }
    Some((Scope::from_texts(levels)?, rest))
}

/// `organization:o1/user:u7 my_crate::profile@1("o1", "u7", 3)`, and without a name and version where the key
/// was set by hand.
impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.scope())?;
        write_title(self.function(), self.version(), out)?;
        write_args(self.args(), out).map(drop)
    }
}

/// Writes what stands between the scope and the arguments in a key's text.
pub(crate) fn write_title(function: &str, version: u32, out: &mut impl Write) -> fmt::Result {
    out.write_char(' ')?;
    if !function.is_empty() {
        write!(out, "{function}@{version}")?;
    }
    Ok(())
}

/// Writes encoded arguments in brackets. Whether they are one value: no other one has the same text.
pub(crate) fn write_args(args: &[u8], out: &mut impl Write) -> Result<bool, fmt::Error> {
    // A tuple, as the arguments of a function are, has brackets of its own.
    let is_bracketed = matches!(Token::next(&mut &*args), Some(Token::Unit | Token::Tuple(_)));
    if !is_bracketed {
        out.write_char('(')?;
    }
    let values = Render(args).write(out)?;
    if !is_bracketed {
        out.write_char(')')?;
    }
    Ok(values == Some(1))
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Key({self})")
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
