//! Placeholders in tags: `"user:{user_id}"`.

use syn::{LitStr, ext::IdentExt, parse::Parser};

use super::model::Tag;

/// The tag that `literal` spells, with the names it mentions.
pub(super) fn tag(literal: &LitStr) -> syn::Result<Tag> {
    let text = literal.value();
    let wrong = |message: String| Err(syn::Error::new(literal.span(), message));
    if text.is_empty() {
        return wrong("the tag is empty: write it like \"user:{user_id}\"".to_owned());
    }
    let mut names = Vec::new();
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(position) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(position);
        plain.push_str(before);
        if let Some(tail) = after.strip_prefix("{{") {
            plain.push('{');
            rest = tail;
        } else if let Some(tail) = after.strip_prefix("}}") {
            plain.push('}');
            rest = tail;
        } else if let Some((inside, tail)) = after.strip_prefix('{').and_then(|tail| tail.split_once('}')) {
            let name = inside.split(':').next().unwrap_or_default().trim();
            if name.is_empty() {
                let message = "a placeholder has no name: it names a parameter, as in \"user:{user_id}\"; for braces, write `{{` \
                               and `}}`";
                return wrong(message.to_owned());
            }
            if syn::Ident::parse_any.parse_str(name).is_err() {
                return wrong(format!(
                    "`{{{name}}}` is no plain name: it names a parameter, as in \"user:{{user_id}}\", or what the pattern of one \
                     binds, as in `User {{ id, .. }}: &User`"
                ));
            }
            names.push(name.trim_start_matches("r#").to_owned());
            rest = tail;
        } else {
            return wrong("a brace without its partner: for a brace itself, write `{{` or `}}`".to_owned());
        }
    }
    plain.push_str(rest);
    let plain = names.is_empty().then_some(plain);
    Ok(Tag { literal: literal.clone(), names, plain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    fn parse(text: &str) -> syn::Result<Tag> {
        tag(&LitStr::new(text, Span::call_site()))
    }

    #[test]
    fn names_are_found() {
        let tag = parse("org:{org_id}:{page:04}").expect("valid");
        assert_eq!(tag.names, ["org_id", "page"]);
        assert!(tag.plain.is_none());
    }

    #[test]
    fn escapes_are_plain() {
        assert_eq!(parse("a{{b}}").expect("valid").plain.as_deref(), Some("a{b}"));
    }

    #[test]
    fn the_rest_is_refused() {
        for text in ["", "{}", "{:?}", "{0}", "{a.b}", "{a", "a}", "{a+b}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
