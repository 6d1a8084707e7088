//! `{self}` in a format string: a use of `self` that no token shows.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The macros whose first string is a format string for certain.
const FORMATS: &[&str] =
    &["format", "format_args", "print", "println", "eprint", "eprintln", "write", "writeln", "panic"];

/// Where a format string in `tokens` names `self`. Items within the body have a `self` of their own, which cannot be
/// told apart from here: none is looked for where the body has any.
pub(super) fn of_self(tokens: TokenStream) -> Option<Span> {
    if has_items(tokens.clone()) { None } else { find(tokens) }
}

fn has_items(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_items(group.stream()),
        token => is_any(&token, &["impl", "trait"]),
    })
}

fn find(tokens: TokenStream) -> Option<Span> {
    let mut tokens = tokens.into_iter().peekable();
    let mut is_format = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let found = if is_format && group.delimiter() != Delimiter::None {
                    captured(group.stream())
                } else {
                    None
                };
                if let Some(place) = found.or_else(|| find(group.stream())) {
                    return Some(place);
                }
                is_format = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == '!' => {}
            token => {
                let is_call =
                    matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
                is_format = is_call && is_any(&token, FORMATS);
            }
        }
    }
    None
}

fn is_any(token: &TokenTree, names: &[&str]) -> bool {
    matches!(token, TokenTree::Ident(ident) if names.iter().any(|name| ident == name))
}

/// The first string among the arguments, if it names `self`.
fn captured(arguments: TokenStream) -> Option<Span> {
    let mut literals = arguments.into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => Some((literal.to_string(), literal.span())),
        _ => None,
    });
    let (text, place) = literals.find(|(text, _)| text.ends_with(['"', '#']))?;
    names(&text, "self").then_some(place)
}

/// Whether a format string has a placeholder for the variable.
fn names(text: &str, variable: &str) -> bool {
    text.match_indices(&format!("{{{variable}")).any(|(at, name)| {
        let before = text[..at].bytes().rev().take_while(|byte| *byte == b'{').count();
        let is_name = text[at + name.len()..].starts_with(['}', ':']);
        is_name && before % 2 == 0
    })
}

/// Whether a literal in `tokens` would have a placeholder for the variable, if it were a format string.
pub(super) fn may_name(tokens: TokenStream, variable: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => may_name(group.stream(), variable),
        TokenTree::Literal(literal) => names(&literal.to_string(), variable),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::of_self;

    fn finds(body: &str) -> bool {
        of_self(body.parse().expect("tokens")).is_some()
    }

    #[test]
    fn self_is_found_in_format_strings_and_nowhere_else() {
        assert!(finds(r#"let a = format!("{self:?} of {id}"); a"#));
        assert!(finds(r##"if x { println!(r#"{}{self}"#, y) }"##));
        assert!(finds(r#"write!(f, "{{{self}}}")"#));
        assert!(!finds(r#"format!("{{self}}")"#));
        assert!(!finds(r#"format!("{}{selfish}", "{self}")"#));
        assert!(!finds(r#"json("{self}"); template!("{self}"); !x"#));
        assert!(!finds(r#"impl Display for X { fn fmt(&self) { write!(f, "{self:?}") } }"#));
    }
}
