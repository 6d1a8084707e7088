//! `key = "user:{user_id}"`, `key = "user_id"`: a key is no format string, so that all calls would have the same one.

use syn::{Expr, ExprLit, Lit, LitStr};

use super::model::{KeyChoice, Options, Spanned};
use super::params::Params;
use super::placeholders;
use crate::errors::Errors;

/// Refuses a literal that means to name parameters, in braces or as it is. Another literal is one key for all calls on purpose.
pub(super) fn check(options: &Options, params: &Params, errors: &mut Errors) {
    let Some(Spanned { value: KeyChoice::Whole(expression), .. }) = &options.key else { return };
    let Some(literal) = literal(expression) else { return };
    let Ok(tag) = placeholders::tag(literal) else { return };
    let (known, text) = (params.names(), literal.value());
    if known.contains(&text) {
        errors.at(
            literal.span(),
            format!("this is the text {text:?}, the same key for all calls: write `key({text})`, or `key = {text}`"),
        );
        return;
    }
    let names: Vec<_> = tag.names.into_iter().filter(|name| known.contains(name)).collect();
    if names.is_empty() {
        return;
    }
    let names = names.join(", ");
    errors.at(
        literal.span(),
        format!(
            "`{{…}}` is not formatted in a key: all calls would share the one entry {text:?}\n\
             write `key({names})`, or the parts as a tuple, such as `key = (\"user\", {names})`"
        ),
    );
}

/// The string literal that an expression is, perhaps in parentheses or borrowed.
fn literal(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Paren(paren) => literal(&paren.expr),
        Expr::Group(group) => literal(&group.expr),
        Expr::Reference(reference) => literal(&reference.expr),
        _ => None,
    }
}
