//! The value of one argument: its type, or an error at the value that says what is valid.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitBool, LitInt, LitStr, Path, Token, parenthesized};

use super::args::{RawArg, RawValue, span_of};
use super::model::{Keep, KeyChoice, ScopeChoice, ScopeLevel, SingleFlight, Spanned, Tag, Ttl};
use super::{names, placeholders};
use crate::duration;

fn wrong(argument: &RawArg, what: &str) -> syn::Error {
    let usage = names::usage(&argument.name);
    syn::Error::new(argument.value_span(), format!("{what}: {usage}"))
}

/// The same, where `message` says how it is written.
fn said(argument: &RawArg, message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new(argument.value_span(), message)
}

fn assigned(argument: &RawArg) -> syn::Result<&Expr> {
    match &argument.value {
        RawValue::Assigned(expression) => Ok(ungrouped(expression)),
        RawValue::Flag => Err(wrong(argument, &format!("`{}` needs a value", argument.name))),
        RawValue::List(_) => Err(wrong(argument, &format!("`{}` takes no list", argument.name))),
    }
}

/// The expression without the invisible group that a `macro_rules` variable puts around it.
fn ungrouped(mut expression: &Expr) -> &Expr {
    while let Expr::Group(group) = expression {
        expression = &group.expr;
    }
    expression
}

/// What `item` reads, with commas between, in the parentheses of the argument. A list that ends too early is
/// shown at its end.
fn listed<T>(
    argument: &RawArg,
    item: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Punctuated<T, Token![,]>> {
    let RawValue::List(group) = &argument.value else {
        return Err(wrong(argument, &format!("`{}` needs a list in parentheses", argument.name)));
    };
    let parser = |input: ParseStream<'_>| {
        let content;
        parenthesized!(content in input);
        Punctuated::parse_terminated_with(&content, item)
    };
    parser
        .parse2(group.to_token_stream())
        .map_err(|error| syn::Error::new(error.span(), format!("{error}: {}", names::usage(&argument.name))))
}

fn literal(expression: &Expr) -> Option<&Lit> {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

pub(super) fn flag(argument: &RawArg) -> syn::Result<Span> {
    match argument.value {
        RawValue::Flag => Ok(argument.name.span()),
        _ => Err(wrong(argument, &format!("`{}` takes no value", argument.name))),
    }
}

pub(super) fn boolean(argument: &RawArg) -> syn::Result<bool> {
    match literal(assigned(argument)?) {
        Some(Lit::Bool(literal)) => Ok(literal.value),
        _ => Err(wrong(argument, "expected `true` or `false`")),
    }
}

pub(super) fn expression(argument: &RawArg) -> syn::Result<Expr> {
    assigned(argument).cloned()
}

pub(super) fn function(argument: &RawArg) -> syn::Result<Path> {
    match assigned(argument)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        _ => Err(wrong(argument, "expected a path")),
    }
}

fn seconds_or_human(literal: &Lit) -> Option<syn::Result<Duration>> {
    match literal {
        Lit::Int(seconds) => Some(seconds_of(seconds)),
        Lit::Str(text) => {
            Some(duration::parse(&text.value()).map_err(|message| syn::Error::new(text.span(), message)))
        }
        _ => None,
    }
}

/// A suffix is that of an integer type: `30m` would be thirty seconds.
fn seconds_of(literal: &LitInt) -> syn::Result<Duration> {
    if !is_suffix_of_integers(literal.suffix()) {
        let message = format!("an integer counts seconds; with a unit, write it as text: `\"{literal}\"`");
        return Err(syn::Error::new(literal.span(), message));
    }
    literal.base10_parse().map(Duration::from_secs)
}

fn is_suffix_of_integers(suffix: &str) -> bool {
    let integers = ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
    suffix.is_empty() || integers.contains(&suffix)
}

pub(super) fn ttl(argument: &RawArg) -> syn::Result<Spanned<Ttl>> {
    let expression = assigned(argument)?;
    let negative = matches!(expression, Expr::Unary(unary)
        if matches!(unary.op, syn::UnOp::Neg(_)) && literal(&unary.expr).is_some());
    if negative {
        return Err(wrong(argument, "a time to live is not negative"));
    }
    let value = match literal(expression) {
        None => Ttl::Computed(Box::new(expression.clone())),
        Some(Lit::Float(_)) => {
            return Err(said(argument, "seconds are an integer; for parts of one, write `ttl = \"1500ms\"`"));
        }
        Some(literal) => match seconds_or_human(literal) {
            Some(duration) => Ttl::Fixed(duration?),
            None => return Err(wrong(argument, "this is no duration")),
        },
    };
    Ok(Spanned { value, span: argument.value_span() })
}

/// A literal time of more than zero.
pub(super) fn time(argument: &RawArg) -> syn::Result<Spanned<Duration>> {
    let value = match literal(assigned(argument)?) {
        Some(literal) => match seconds_or_human(literal) {
            Some(duration) => duration?,
            None => return Err(wrong(argument, "this is no duration")),
        },
        None => return Err(wrong(argument, "expected a literal duration")),
    };
    if value.is_zero() {
        return Err(said(argument, format!("a time of zero has no effect, remove `{}`", argument.name)));
    }
    Ok(Spanned { value, span: argument.name.span() })
}

fn number(argument: &RawArg) -> syn::Result<f64> {
    let parsed = match literal(assigned(argument)?) {
        Some(Lit::Float(number)) if matches!(number.suffix(), "" | "f32" | "f64") => number.base10_parse(),
        Some(Lit::Int(number)) if matches!(number.suffix(), "" | "f32" | "f64") => number.base10_parse(),
        _ => return Err(wrong(argument, "expected a literal number")),
    };
    parsed.map_err(|_| wrong(argument, "expected a literal number"))
}

pub(super) fn beta(argument: &RawArg) -> syn::Result<Spanned<f64>> {
    let value = number(argument)?;
    if value <= 0.0 || !value.is_finite() {
        return Err(wrong(argument, "a beta is more than 0"));
    }
    Ok(Spanned { value, span: argument.name.span() })
}

pub(super) fn fraction(argument: &RawArg) -> syn::Result<f64> {
    let value = number(argument)?;
    if !(0.0..=1.0).contains(&value) {
        return Err(said(argument, "a part of a lifetime is from 0 to 1, as in `jitter = 0.1`"));
    }
    Ok(value)
}

pub(super) fn keep(argument: &RawArg) -> syn::Result<Option<Spanned<Keep>>> {
    let span = argument.name.span();
    if let RawValue::Flag = argument.value {
        return Ok(Some(Spanned { value: Keep::AsValue, span }));
    }
    let value = match literal(assigned(argument)?) {
        Some(Lit::Bool(literal)) if literal.value => Keep::AsValue,
        Some(Lit::Bool(_)) => return Ok(None),
        Some(literal) => match seconds_or_human(literal) {
            Some(duration) => Keep::For(duration?),
            None => return Err(wrong(argument, "this is no duration")),
        },
        None => return Err(wrong(argument, "expected a literal duration")),
    };
    Ok(Some(Spanned { value, span }))
}

pub(super) fn scope(argument: &RawArg) -> syn::Result<Spanned<ScopeChoice>> {
    let span = argument.value_span();
    let value = match assigned(argument)? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "ambient" => {
            let message = "no level is named \"ambient\": for the scope that surrounds the call, write \
                           `scope = ambient`";
            return Err(syn::Error::new(text.span(), message));
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "global" => {
            return Err(syn::Error::new(text.span(), GLOBAL));
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let level = text.parse::<Ident>().ok().or_else(|| keyword(text)).ok_or_else(|| {
                let message =
                    format!("\"{}\" is no name of a scope level: {}", text.value(), usage_of_scope());
                syn::Error::new(text.span(), message)
            })?;
            let module = Ident::new("scopes", text.span());
            ScopeChoice::Level(ScopeLevel { module: module.into(), level })
        }
        Expr::Path(path) if path.qself.is_none() => scope_path(&path.path)?,
        Expr::Call(call) if !call.args.is_empty() => {
            return Err(wrong(
                argument,
                "a level's values come from the parameters of their names, or from `scope_args`",
            ));
        }
        _ => return Err(wrong(argument, "expected the name of a scope level")),
    };
    Ok(Spanned { value, span })
}

/// The level `r#type` for `"type"`.
fn keyword(name: &LitStr) -> Option<Ident> {
    let mut raw = syn::parse_str::<Ident>(&format!("r#{}", name.value())).ok()?;
    raw.set_span(name.span());
    Some(raw)
}

/// No module has such a level, so that no list of its levels would help.
const GLOBAL: &str =
    "`global` is the root of all scopes, in which a function without `scope` is cached: leave `scope` out";

fn usage_of_scope() -> &'static str {
    names::find("scope").map_or("", |spec| spec.usage)
}

fn scope_path(path: &Path) -> syn::Result<ScopeChoice> {
    let wrong = |message: String| Err(syn::Error::new_spanned(path, message));
    if let Some(level) = super::options::single(path) {
        if level == "ambient" {
            return Ok(ScopeChoice::Ambient);
        }
        if level == "global" {
            return wrong(GLOBAL.to_owned());
        }
        return wrong(format!("write `scope = \"{level}\"`, or the path of a level with its module"));
    }
    let mut module = path.clone();
    let last = module.segments.pop();
    module.segments.pop_punct();
    match last {
        Some(segment) if segment.ident == "global" => wrong(GLOBAL.to_owned()),
        Some(segment) if segment.arguments.is_none() && !module.segments.is_empty() => {
            Ok(ScopeChoice::Level(ScopeLevel { module, level: segment.ident }))
        }
        _ => wrong(format!("expected the path of a scope level: {}", usage_of_scope())),
    }
}

pub(super) fn scope_args(argument: &RawArg) -> syn::Result<Spanned<Vec<(Ident, Expr)>>> {
    let parsed = listed(argument, |input| {
        let name = input.parse::<Ident>()?;
        input.parse::<Token![=]>()?;
        Ok((name, input.parse::<Expr>()?))
    })?;
    let value: Vec<_> = parsed.into_iter().collect();
    for (index, (name, _)) in value.iter().enumerate() {
        if value.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(syn::Error::new(name.span(), format!("`{name}` is given twice in `scope_args`")));
        }
    }
    if value.is_empty() {
        return Err(wrong(argument, "`scope_args` is empty"));
    }
    Ok(Spanned { value, span: argument.name.span() })
}

const NO_KEY: &str = "`key()` names no parameter: name those that make the key, as in `key(a, b)`, or leave them all \
                      out with `skip(a, b)`, if all calls are to share one entry";

pub(super) fn key(argument: &RawArg) -> syn::Result<Spanned<KeyChoice>> {
    let span = argument.name.span();
    let value = match &argument.value {
        RawValue::Assigned(expression) => KeyChoice::Whole(expression.clone()),
        RawValue::List(group) if group.stream().is_empty() => return Err(said(argument, NO_KEY)),
        RawValue::List(_) => KeyChoice::Parts(parameters(argument)?),
        RawValue::Flag => return Err(wrong(argument, "`key` needs parameters or an expression")),
    };
    Ok(Spanned { value, span })
}

pub(super) fn skip(argument: &RawArg) -> syn::Result<Vec<Ident>> {
    let skipped = parameters(argument)?;
    if skipped.is_empty() {
        return Err(wrong(argument, "`skip` is empty"));
    }
    Ok(skipped)
}

/// Names of parameters, `self` among them; the same name twice is an error.
pub(super) fn parameters(argument: &RawArg) -> syn::Result<Vec<Ident>> {
    let parsed = listed(argument, |input| {
        if input.peek(Token![_]) {
            return Ident::parse_any(input);
        }
        let name = if input.peek(Token![self]) {
            Ident::new("self", input.parse::<Token![self]>()?.span)
        } else {
            input.parse()?
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("a list holds the names of whole parameters"));
        }
        Ok(name)
    })?;
    let idents: Vec<Ident> = parsed.into_iter().collect();
    if let Some(nameless) = idents.iter().find(|ident| *ident == "_") {
        let message = "give the parameter a name (`_name`), then name it here";
        return Err(syn::Error::new(nameless.span(), message));
    }
    for (index, ident) in idents.iter().enumerate() {
        if idents.iter().take(index).any(|earlier| earlier == ident) {
            let message = format!("`{ident}` is given twice in `{}`", argument.name);
            return Err(syn::Error::new(ident.span(), message));
        }
    }
    Ok(idents)
}

/// The one parameter that holds the ids.
pub(super) fn batch(argument: &RawArg) -> syn::Result<Ident> {
    let mut named = parameters(argument)?.into_iter();
    match (named.next(), named.next()) {
        (Some(ident), None) => Ok(ident),
        _ => Err(wrong(argument, "`batch` names one parameter")),
    }
}

pub(super) fn tags(argument: &RawArg) -> syn::Result<Vec<Tag>> {
    let parsed = listed(argument, Expr::parse)?;
    if parsed.is_empty() {
        return Err(wrong(argument, "`tags` is empty"));
    }
    parsed
        .iter()
        .map(|expression| match ungrouped(expression) {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => placeholders::tag(literal),
            other => Err(syn::Error::new(
                span_of(other),
                "a tag is a string literal; values go into it by name, as in \"user:{user_id}\"",
            )),
        })
        .collect()
}

pub(super) fn name(argument: &RawArg) -> syn::Result<LitStr> {
    match literal(assigned(argument)?) {
        Some(Lit::Str(text)) if text.value().trim().is_empty() => Err(wrong(argument, "the name is empty")),
        Some(Lit::Str(text)) => Ok(text.clone()),
        _ => Err(wrong(argument, "expected a string literal")),
    }
}

pub(super) fn version(argument: &RawArg) -> syn::Result<u32> {
    match literal(assigned(argument)?) {
        Some(Lit::Int(number)) if is_suffix_of_integers(number.suffix()) => {
            number.base10_parse().map_err(|_| wrong(argument, "a version is a `u32`, from 0 to 4294967295"))
        }
        _ => Err(wrong(argument, "a version is an integer literal that fits a `u32`")),
    }
}

pub(super) fn single_flight(argument: &RawArg) -> syn::Result<SingleFlight> {
    match literal(assigned(argument)?) {
        Some(Lit::Bool(LitBool { value: true, .. })) => Ok(SingleFlight::Local),
        Some(Lit::Bool(LitBool { value: false, .. })) => Ok(SingleFlight::Off),
        Some(Lit::Str(text)) if text.value() == "distributed" => Ok(SingleFlight::Distributed(text.span())),
        _ => Err(wrong(argument, "expected `true`, `false` or \"distributed\"")),
    }
}

/// Where it says `"error"`; `None` for `"compute"`, which is the default.
pub(super) fn on_backend_error(argument: &RawArg) -> syn::Result<Option<Span>> {
    match literal(assigned(argument)?) {
        Some(Lit::Str(text)) if text.value() == "compute" => Ok(None),
        Some(Lit::Str(text)) if text.value() == "error" => Ok(Some(text.span())),
        _ => Err(wrong(argument, "expected \"compute\" or \"error\"")),
    }
}
