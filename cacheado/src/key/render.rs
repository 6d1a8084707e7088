//! Encoded bytes as text for people: `"o1", 3, None, [1, 2], {"a": 1}`. Distinct values give distinct text.

use std::fmt::{self, Write};

use super::replay::Token;

/// Words that already mean something, so that a variant of that name is written `#"name"`.
const RESERVED: [&str; 10] =
    ["None", "Some", "true", "false", "struct", "b", "NaN", "inf", "NaNf32", "inff32"];

/// Displays a run of encoded values, separated by commas.
#[derive(Clone, Copy)]
pub(crate) struct Render<'a>(pub(crate) &'a [u8]);

/// A collection whose end has not been reached.
struct Open {
    /// How many values it has, and how many of them are written.
    len: u128,
    done: u128,
    is_map: bool,
    close: &'static str,
}

impl fmt::Display for Render<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out).map(drop)
    }
}

impl Render<'_> {
    /// Writes the text; how many values it is of, if it is of any number of whole ones.
    pub(crate) fn write(self, out: &mut impl Write) -> Result<Option<usize>, fmt::Error> {
        let mut rest = self.0;
        let mut open = Nesting::default();
        let mut values = 0;
        while !rest.is_empty() {
            if open.is_empty() {
                if values > 0 {
                    out.write_str(", ")?;
                }
                values += 1;
            }
            let before = rest;
            let Some(token) = Token::next(&mut rest) else {
                write!(out, "<malformed \"{}\">", before.escape_ascii())?;
                return Ok(None);
            };
            match begin(token, out)? {
                Some(collection) => open.push(collection),
                None => finish(&mut open, out)?,
            }
        }
        if open.is_empty() {
            return Ok(Some(values));
        }
        out.write_str("<cut>")?;
        Ok(None)
    }
}

/// The collections whose end has not been reached, innermost last. Most keys have one: it takes no memory.
#[derive(Default)]
struct Nesting {
    last: Option<Open>,
    outer: Vec<Open>,
}

impl Nesting {
    fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    fn push(&mut self, collection: Open) {
        self.outer.extend(self.last.replace(collection));
    }

    fn pop(&mut self) {
        self.last = self.outer.pop();
    }
}

/// Writes a token, and says what has to be closed later.
fn begin(token: Token<'_>, out: &mut impl Write) -> Result<Option<Open>, fmt::Error> {
    let close = match token {
        Token::Some => opened(out, "Some(", ")")?,
        Token::Sequence(_) => opened(out, "[", "]")?,
        Token::Map(0) => opened(out, "{:", "}")?,
        Token::Set(_) | Token::Map(_) => opened(out, "{", "}")?,
        Token::Tuple(0 | 1) => opened(out, "(", ",)")?,
        Token::Tuple(_) => opened(out, "(", ")")?,
        Token::Structure(_) => opened(out, "struct(", ")")?,
        Token::Variant(name, 0) => {
            write_name(name, out)?;
            ""
        }
        Token::Variant(name, _) => {
            write_name(name, out)?;
            opened(out, "(", ")")?
        }
        atom => {
            write_atom(atom, out)?;
            ""
        }
    };
    if token.children() == 0 {
        out.write_str(close)?;
        return Ok(None);
    }
    Ok(Some(Open { len: token.children(), done: 0, is_map: matches!(token, Token::Map(_)), close }))
}

fn opened(out: &mut impl Write, start: &str, close: &'static str) -> Result<&'static str, fmt::Error> {
    out.write_str(start)?;
    Ok(close)
}

/// After a complete value: a separator, or the ends of all that it was the last value of.
fn finish(open: &mut Nesting, out: &mut impl Write) -> fmt::Result {
    while let Some(collection) = &mut open.last {
        collection.done += 1;
        if collection.done < collection.len {
            let between_pair = collection.is_map && collection.done % 2 == 1;
            return out.write_str(if between_pair { ": " } else { ", " });
        }
        out.write_str(collection.close)?;
        open.pop();
    }
    Ok(())
}

fn write_atom(token: Token<'_>, out: &mut impl Write) -> fmt::Result {
    match token {
        Token::Unit => out.write_str("()"),
        Token::None => out.write_str("None"),
        Token::Boolean(value) => write!(out, "{value}"),
        Token::Unsigned(value) => out.write_str(itoa::Buffer::new().format(value)),
        Token::Negative(value) => out.write_str(itoa::Buffer::new().format(value)),
        Token::Wide(value) => write!(out, "{value}"),
        Token::WideNegative(value) => write!(out, "{value}"),
        Token::Character(value) => write_quoted(value.encode_utf8(&mut [0; 4]), '\'', out),
        Token::Float64(bits) => write!(out, "{:?}", f64::from_bits(bits)),
        Token::Float32(bits) => write!(out, "{:?}f32", f32::from_bits(bits)),
        Token::Text(value) => write_text(value, out),
        Token::Bytes(value) => write!(out, "b\"{}\"", value.escape_ascii()),
        // The collections: `begin` has written them.
        _ => Ok(()),
    }
}

fn write_text(text: &str, out: &mut impl Write) -> fmt::Result {
    let stands_for_itself = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(stands_for_itself) {
        // As most do.
        out.write_char('"')?;
        out.write_str(text)?;
        out.write_char('"')
    } else {
        write_quoted(text, '"', out)
    }
}

/// Writes a text between quotes. `Debug` would do the same, by tables of characters that are not those of every compiler.
fn write_quoted(text: &str, quote: char, out: &mut impl Write) -> fmt::Result {
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\0' => out.write_str("\\0")?,
            '\t' => out.write_str("\\t")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\\' => out.write_str("\\\\")?,
            _ if character == quote => write!(out, "\\{quote}")?,
            _ if is_unseen(character) => write!(out, "{}", character.escape_unicode())?,
            _ => out.write_char(character)?,
        }
    }
    out.write_char(quote)
}

/// Control characters, and others that a person does not see, or that change the order of what is seen. These, and no
/// others, in all releases.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1F'
            | '\x7F'..='\u{9F}'
            | '\u{AD}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    )
}

fn write_name(name: &str, out: &mut impl Write) -> fmt::Result {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name);
    if plain {
        out.write_str(name)
    } else {
        out.write_char('#')?;
        write_quoted(name, '"', out)
    }
}
