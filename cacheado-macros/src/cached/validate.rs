//! Rules across arguments, and of arguments against the signature. Every broken rule is reported.

use syn::Safety;

use super::captures;
use super::constant;
use super::item::Function;
use super::key::KeyPlan;
use super::lends::Lends;
use super::model::{KeyChoice, Options, Spanned};
use super::params::{Param, ParamKind, Params, text};
use super::returns;
use crate::errors::Errors;
use crate::suggest;

/// Checks everything; what is wrong goes to `errors`.
pub(super) fn check(
    options: &Options,
    function: &Function,
    params: &Params,
    plan: &KeyPlan,
    errors: &mut Errors,
) {
    signature(function, errors);
    conflicts(options, errors);
    names(options, function, params, errors);
    key(options, function, params, plan, errors);
    constant::check(options, params, errors);
    outcomes(options, function, errors);
    detached(options, function, params, errors);
}

fn signature(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(token) = &signature.constness {
        errors.at(
            token.span,
            "a `const fn` cannot be cached: there is no cache at compile time; remove `const`",
        );
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(
            token.span,
            "an `unsafe fn` cannot be cached: wrap the unsafe code in a safe function and cache that",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.over(
            abi,
            "an `extern` function cannot be cached: cache a Rust function and call it from this one",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.over(variadic, "a variadic function cannot be cached: its arguments cannot be read");
    }
    for attribute in &function.attrs {
        if attribute.path().segments.last().is_some_and(|segment| segment.ident == "cached") {
            errors.over(attribute, "`#[cached]` stands twice on this function; keep one of them");
        }
    }
    returns::check(&signature.output, errors);
}

fn conflicts(options: &Options, errors: &mut Errors) {
    match &options.key {
        Some(Spanned { value: KeyChoice::Whole(_), .. }) => {
            for name in &options.skip {
                errors.at(
                    name.span(),
                    "`key = EXPRESSION` is the whole key, so there is nothing to skip; remove one of the two",
                );
            }
        }
        Some(Spanned { value: KeyChoice::Parts(parts), .. }) => {
            for name in options.skip.iter().filter(|name| parts.contains(name)) {
                errors.at(
                    name.span(),
                    format!("`{name}` is both in `key` and in `skip`; remove one of the two"),
                );
            }
        }
        None => {}
    }
    if let (Some(_), Some(remote)) = (options.local, options.remote) {
        errors.at(remote, "`local` and `remote` exclude each other; remove one of the two");
    }
    if let (Some(_), Some(place)) = (options.local, options.single_flight.distributed()) {
        errors.at(
            place,
            "the values of a `local` function stay in each process, so there is nothing to wait for in another; remove \
             `local`, or write `single_flight = true`",
        );
    }
    if let (Some(_), Some(place)) = (&options.batch, options.single_flight.distributed()) {
        errors.at(
            place,
            "a batch takes no leases: two processes could wait for each other's elements; write \
             `single_flight = true`, which holds within each process",
        );
    }
    if let (Some(arguments), true) = (&options.scope_args, options.is_ambient()) {
        errors.at(
            arguments.span,
            "`scope = ambient` takes its values from `in_scope`, not from arguments; remove `scope_args`",
        );
    }
    if let (Some(arguments), None, false) = (&options.scope_args, &options.scope, options.is_unread("scope"))
    {
        errors.at(
            arguments.span,
            "`scope_args` has no meaning without a `scope`; add `scope = \"…\"` or remove it",
        );
    }
}

/// Names of parameters in `key`, `skip` and tags.
fn names(options: &Options, function: &Function, params: &Params, errors: &mut Errors) {
    let known = params.names();
    let there_are = if known.is_empty() {
        format!("`{}` has no parameters", function.name())
    } else {
        format!("the parameters are {}", suggest::list(known.iter().map(String::as_str)))
    };
    let unknown = |name: &str| {
        let hint = suggest::did_you_mean(name, known.iter().map(String::as_str));
        format!("no parameter is named `{name}`{hint}\n{there_are}")
    };
    let lists = options.key_parts().unwrap_or_default().iter().chain(&options.skip);
    for name in lists.filter(|name| !known.contains(&text(name))) {
        errors.at(name.span(), unknown(&text(name)));
    }
    for tag in &options.tags {
        for name in tag.names.iter().filter(|name| !known.contains(name)) {
            errors.at(tag.literal.span(), unknown(name));
        }
    }
}

fn key(options: &Options, function: &Function, params: &Params, plan: &KeyPlan, errors: &mut Errors) {
    let KeyPlan::Parts(parts) = plan else { return };
    // What they say of `self`, and of what is borrowed mutably, is not known.
    if options.is_unread("key") || options.is_unread("skip") {
        return;
    }
    let named =
        options.key_parts().unwrap_or_default().iter().chain(&options.skip).any(|name| name == "self");
    if let (Some(receiver), false) = (params.receiver(), named) {
        errors.at(
            receiver.span,
            format!(
                "say whether `self` is part of the key of `{}`: `skip(self)` if the result does not depend on which \
                 object it is called on, or `key(self{})` if it does (its type then implements `KeyPart`)",
                function.name(),
                others(params),
            ),
        );
    }
    for part in parts.iter().filter(|part| part.mutable_borrow) {
        let is_receiver = part.ident == "self";
        if is_receiver && !named {
            continue;
        }
        errors.at(
            part.span,
            format!(
                "`{}` is borrowed mutably, and what can change under a key is no part of it: add `skip({0})`, or give \
                 the whole key with `key = EXPRESSION`",
                if part.names.is_empty() { "_".to_owned() } else { part.names.join(", ") },
            ),
        );
    }
}

/// `, a, b`: the other parameters, for advice.
fn others(params: &Params) -> String {
    let named = params.0.iter().filter(|param| !matches!(param.kind, ParamKind::Receiver));
    named.flat_map(Param::bound).fold(String::new(), |text, name| text + ", " + &name)
}

/// `cache_none`, `cache_err` and `on_backend_error = "error"` where the return type plainly has no such case.
fn outcomes(options: &Options, function: &Function, errors: &mut Errors) {
    let output = &function.signature.output;
    // What a batch returns is checked with it.
    let plain = if options.batch.is_some() { None } else { returns::plain(output) };
    if let (Some(keep), Some(ty)) = (&options.cache_none, &plain) {
        errors.at(
            keep.span,
            format!("`cache_none` needs a function that returns an `Option`; this one returns {ty}"),
        );
    }
    let no_error = if returns::is_option(output) { Some("an `Option`".to_owned()) } else { plain };
    if let (Some(keep), Some(ty)) = (&options.cache_err, &no_error) {
        errors.at(
            keep.span,
            format!("`cache_err` needs a function that returns a `Result`; this one returns {ty}"),
        );
    }
    if let (Some(place), Some(ty)) = (options.on_backend_error, &no_error) {
        errors.at(
            place,
            format!(
                "`on_backend_error = \"error\"` needs a function that returns a `Result`; this one returns {ty}"
            ),
        );
    }
}

/// What `stale`, `early` and `timeout` ask of the arguments, and `timeout` of the function.
fn detached(options: &Options, function: &Function, params: &Params, errors: &mut Errors) {
    if let Some(timeout) = &options.timeout {
        let output = &function.signature.output;
        let no_error =
            if returns::is_option(output) { Some("an `Option`".to_owned()) } else { returns::plain(output) };
        if !function.is_async() {
            errors.at(
                timeout.span,
                "`timeout` needs an `async fn`: a thread that waits for a function cannot leave it; remove \
                 `timeout`, or bound the time in the body",
            );
        } else if let Some(ty) = no_error {
            errors.at(
                timeout.span,
                format!(
                    "`timeout` needs a function that returns a `Result`, to say so when the time is over; this one \
                     returns {ty}"
                ),
            );
        }
    }
    let Some(argument) = options.detached() else { return };
    let lends_self = params.receiver().is_some_and(|receiver| receiver.lends == Lends::Shared);
    if lends_self && let Some(place) = captures::of_self(function.body.stream()) {
        errors.at(
            place,
            format!(
                "with `{argument}` the body works on a copy of `self`, which a format string cannot name: write `{{}}`, \
                 and `self` after the string"
            ),
        );
    }
    for param in &params.0 {
        let name = match &param.kind {
            ParamKind::Pattern { .. } => "this".to_owned(),
            _ => format!("`{}`", param.ident),
        };
        let problem = match param.lends {
            Lends::Nothing | Lends::Shared => continue,
            Lends::Mutably => format!(
                "with `{argument}` the body can go on without its caller, so it cannot borrow {name} mutably: take it \
                 by value, or what it changes in an `Arc`"
            ),
            Lends::Inside => format!(
                "with `{argument}` the body can go on without its caller, and {name} holds what is borrowed: take an \
                 owned value (`Option<String>` for `Option<&str>`), or one reference to it"
            ),
        };
        errors.at(param.span, problem);
    }
}
