//! What a return type says by its spelling alone: what cannot be cached, and what is no `Option` or `Result`.

use proc_macro2::Span;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

use super::args::span_of;
use crate::errors::Errors;
use crate::types::bare;

const OWNED: &str = "a cached value outlives the call, so it must be owned: return `String` for `&str`, `Vec<T>` \
                     for `&[T]`, `Arc<T>` for `&T` (a `&'static` reference is fine)";

/// Reports a return type that cannot be cached.
pub(super) fn check(output: &ReturnType, errors: &mut Errors) {
    if let ReturnType::Type(_, ty) = output {
        if is_boxed_future(ty) {
            errors.over(
                ty,
                "`#[cached]` cannot cache a boxed future: write `async fn`. Under `#[async_trait]`, put `#[cached]` \
                 on an inherent `async fn` and call that from the trait's method",
            );
        } else {
            owned(ty, errors);
        }
    }
}

fn owned(ty: &Type, errors: &mut Errors) {
    match bare(ty) {
        Type::Reference(reference) => {
            if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static") {
                owned(&reference.elem, errors);
            } else {
                errors.over(ty, OWNED);
            }
        }
        Type::ImplTrait(opaque) => {
            let future = opaque.bounds.iter().any(|bound| bound_is(bound, "Future"));
            let message = if future {
                "write `async fn` instead of `-> impl Future`: `#[cached]` has to see the awaited type"
            } else {
                "`impl Trait` has no name under which it can be stored: return a concrete type"
            };
            errors.at(opaque.impl_token.span, message);
        }
        Type::Never(never) => {
            errors.at(never.bang_token.span, "a function that never returns has nothing to cache");
        }
        Type::Path(path) => {
            let last = path.path.segments.iter();
            last.for_each(|segment| arguments(&segment.arguments, errors));
        }
        Type::TraitObject(object) => {
            for bound in &object.bounds {
                match bound {
                    TypeParamBound::Lifetime(lifetime) if lifetime.ident != "static" => {
                        errors.at(lifetime.span(), OWNED);
                    }
                    TypeParamBound::Trait(bound) => {
                        bound.path.segments.iter().for_each(|segment| arguments(&segment.arguments, errors));
                    }
                    _ => {}
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|inner| owned(inner, errors)),
        Type::Array(array) => owned(&array.elem, errors),
        Type::Slice(slice) => owned(&slice.elem, errors),
        _ => {}
    }
}

/// Arguments between `<` and `>`. Those of `Fn(&str) -> &str` have lifetimes of their own.
fn arguments(arguments: &PathArguments, errors: &mut Errors) {
    let PathArguments::AngleBracketed(bracketed) = arguments else { return };
    for argument in &bracketed.args {
        match argument {
            GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => {
                errors.at(lifetime.span(), OWNED);
            }
            GenericArgument::Type(inner) => owned(inner, errors),
            GenericArgument::AssocType(inner) => owned(&inner.ty, errors),
            _ => {}
        }
    }
}

fn bound_is(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound)
        if bound.path.segments.last().is_some_and(|segment| segment.ident == name))
}

/// `Pin<Box<dyn Future<..>>>`
fn is_boxed_future(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let PathArguments::AngleBracketed(inner) = &segment.arguments else { return false };
            (segment.ident == "Pin" || segment.ident == "Box")
                && inner.args.iter().any(|argument| {
                    let GenericArgument::Type(inner) = argument else { return false };
                    match bare(inner) {
                        Type::TraitObject(object) => {
                            object.bounds.iter().any(|bound| bound_is(bound, "Future"))
                        }
                        inner => is_boxed_future(inner),
                    }
                })
        }),
        _ => false,
    }
}

/// Types of the standard library that are neither `Option` nor `Result`, and no alias of either.
const PLAIN: &[&str] = &[
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    "bool", "char", "String", "Vec", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque",
];

/// The type as it is spelled, where it plainly is neither an `Option` nor a `Result`.
pub(super) fn plain(output: &ReturnType) -> Option<String> {
    let ReturnType::Type(_, ty) = output else { return Some("nothing".to_owned()) };
    match bare(ty) {
        Type::Path(path) => path
            .path
            .get_ident()
            .or_else(|| path.path.segments.last().map(|segment| &segment.ident))
            .map(ToString::to_string)
            .filter(|name| PLAIN.contains(&name.as_str()))
            .map(|name| format!("`{name}`")),
        Type::Tuple(_) => Some("a tuple".to_owned()),
        Type::Array(_) => Some("an array".to_owned()),
        Type::Reference(_) => Some("a reference".to_owned()),
        _ => None,
    }
}

/// Whether the return type is spelled `Option<..>`, which stores no errors.
pub(super) fn is_option(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(bare(ty), Type::Path(path)
        if path.path.segments.last().is_some_and(|segment| segment.ident == "Option")))
}

/// Where the return type stands.
pub(super) fn span(output: &ReturnType, otherwise: Span) -> Span {
    match output {
        ReturnType::Default => otherwise,
        ReturnType::Type(_, ty) => span_of(ty),
    }
}
