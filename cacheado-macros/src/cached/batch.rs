//! `batch(ids)`: which parameter holds the elements, and what that asks of the others.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, GenericArgument, PathArguments, ReceiverKind, ReturnType, Type};

use super::args::span_of;
use super::item::Function;
use super::model::{KeyChoice, Options};
use super::params::{ParamKind, Params, text};
use super::{captures, expand, returns};
use crate::errors::Errors;
use crate::suggest;
use crate::types::bare;

/// A batch function, decided.
pub(super) struct Batch {
    /// The parameter that holds the ids.
    pub ident: Ident,
    /// The type of one id.
    pub id: Type,
    /// `Vec<Id>`; else `&[Id]`.
    pub is_owned: bool,
}

impl Batch {
    /// What `batch(..)` names, if it is given. What is wrong goes to `errors`.
    pub(super) fn of(
        options: &Options,
        function: &Function,
        params: &Params,
        errors: &mut Errors,
    ) -> Option<Self> {
        let named = options.batch.as_ref()?;
        others(function, named, errors);
        outcome(options, function, errors);
        let name = text(named);
        let Some(param) = params.binding(&name) else {
            let there_are = params.names();
            let known = || there_are.iter().map(String::as_str);
            let hint = suggest::did_you_mean(&name, known());
            errors.at(
                named.span(),
                format!(
                    "no parameter is named `{name}`{hint}\n`batch` names the one that holds the ids: a `&[Id]` or a \
                     `Vec<Id>`"
                ),
            );
            return None;
        };
        key(options, named, errors);
        let ty = function.signature.inputs.iter().zip(&params.0).find_map(|(input, other)| match input {
            FnArg::Typed(typed) if other.ident == param.ident => Some(&*typed.ty),
            _ => None,
        });
        let found = ty.and_then(elements).filter(|_| matches!(param.kind, ParamKind::Named));
        let Some((id, is_owned)) = found else {
            errors.at(
                ty.map_or(named.span(), span_of),
                format!("`batch({name})` needs `{name}` to be a `&[Id]` or a `Vec<Id>`, spelled so"),
            );
            return None;
        };
        Some(Self { ident: param.ident.clone(), id: id.clone(), is_owned })
    }
}

/// The type of the elements, and whether they are owned.
fn elements(ty: &Type) -> Option<(&Type, bool)> {
    match bare(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => match bare(&reference.elem) {
            Type::Slice(slice) => Some((&slice.elem, false)),
            _ => None,
        },
        Type::Path(path) => {
            let last = path.path.segments.last().filter(|segment| segment.ident == "Vec")?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            match arguments.args.first()? {
                GenericArgument::Type(id) if arguments.args.len() == 1 => Some((id, true)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The body may have to run twice, so it cannot use up what it is given.
fn others(function: &Function, named: &Ident, errors: &mut Errors) {
    for input in &function.signature.inputs {
        let problem = match input {
            FnArg::Receiver(receiver) => match &receiver.kind {
                ReceiverKind::Reference(_, _, None) => None,
                _ => Some((receiver.self_token.span, "take `&self`")),
            },
            FnArg::Typed(typed) => match bare(&typed.ty) {
                Type::Reference(reference) if reference.mutability.is_some() => {
                    Some((span_of(&typed.ty), "take a `&` reference"))
                }
                _ => None,
            },
        };
        if let Some((place, instead)) = problem {
            errors.at(
                place,
                format!(
                    "the body of a batch runs once more where another's computation of an element fails, so with \
                     `batch({named})`, {instead}"
                ),
            );
        }
    }
}

fn outcome(options: &Options, function: &Function, errors: &mut Errors) {
    if let Some(keep) = &options.cache_err {
        errors.at(
            keep.span,
            "`cache_err` has no meaning with `batch`: an error is of all elements at once, and is stored for none; \
             remove it",
        );
    }
    let alone = [
        ("stale", options.stale.as_ref().map(|time| time.span)),
        ("stale_if_error", options.stale_if_error.as_ref().map(|time| time.span)),
        ("early", options.early.as_ref().map(|beta| beta.span)),
        ("timeout", options.timeout.as_ref().map(|time| time.span)),
    ];
    for (name, place) in alone.into_iter().filter_map(|(name, place)| Some((name, place?))) {
        let message = "is for a function that computes one value, not for a batch, whose body is run for several; remove it";
        errors.at(place, format!("`{name}` {message}"));
    }
    let output = &function.signature.output;
    let wrong = match output {
        ReturnType::Default => Some("nothing".to_owned()),
        ReturnType::Type(..) if returns::is_option(output) => Some("an `Option`".to_owned()),
        ReturnType::Type(..) => returns::plain(output).filter(|name| name != "`Vec`" && name != "`HashMap`"),
    };
    if let Some(wrong) = wrong {
        errors.at(
            returns::span(output, function.signature.ident.span()),
            format!(
                "a function with `batch` returns a `Vec<T>`, a `HashMap<Id, T>`, or a `Result` of either; this one \
                 returns {wrong}"
            ),
        );
    }
}

/// Each element has a key of its own, which is that of its id.
fn key(options: &Options, named: &Ident, errors: &mut Errors) {
    let name = text(named);
    if let Some(skipped) = options.skip.iter().find(|skipped| text(skipped) == name) {
        errors
            .at(skipped.span(), format!("`{name}` is what `batch` tells elements apart by; do not skip it"));
    }
    if let Some(key) = &options.key
        && !depends_on(&key.value, &name)
    {
        errors.at(
            key.span,
            format!("`{name}` is what `batch` tells elements apart by; name it in `key`, where it is one id"),
        );
    }
}

/// Whether the key can differ with the parameter of this name.
fn depends_on(key: &KeyChoice, name: &str) -> bool {
    match key {
        KeyChoice::Parts(parts) => parts.iter().any(|part| text(part) == name),
        KeyChoice::Whole(expression) => {
            let tokens = expression.to_token_stream();
            let mut mentioned = HashSet::new();
            expand::variables(tokens.clone(), &mut mentioned);
            mentioned.contains(name) || captures::may_name(tokens, name)
        }
    }
}
