//! The bounds of the implementation: `T: KeyPart` for every type parameter in a field of the key, and
//! `T::Item: KeyPart` for an associated type in one, whose `T` then need not be a part itself.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{GenericArgument, GenericParam, Generics, Ident, PathArguments, Type, TypePath};

use super::fields::KeyField;
use crate::krate::generated;
use crate::types::bare;

/// `generics` without defaults, as an `impl` needs them.
pub(super) fn without_defaults(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => param.default = None,
            GenericParam::Const(param) => param.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics
}

/// `generics` with the bounds that the fields ask for.
pub(super) fn with(generics: &Generics, fields: &[KeyField], bound: &TokenStream) -> Generics {
    let mut bounded = without_defaults(generics);
    let parameters: Vec<Ident> = generics.type_params().map(|param| param.ident.clone()).collect();
    let mut bounds: Vec<TokenStream> = Vec::new();
    for field in fields {
        subjects(&field.ty, &parameters, &mut bounds);
    }
    let mut seen: Vec<String> = Vec::new();
    for subject in bounds {
        let text = subject.to_string();
        if seen.contains(&text) {
            continue;
        }
        seen.push(text);
        if let Ok(predicate) = syn::parse2(quote_spanned!(generated()=> #subject: #bound)) {
            bounded.make_where_clause().predicates.push(predicate);
        }
    }
    bounded
}

/// What has to be a part for `ty` to be one, as far as `parameters` decide on that.
fn subjects(ty: &Type, parameters: &[Ident], found: &mut Vec<TokenStream>) {
    match bare(ty) {
        Type::Path(path) if is_projection(path, parameters) => found.push(path.to_token_stream()),
        Type::Path(TypePath { qself: None, path, .. }) if path.get_ident().is_none() => {
            for argument in path.segments.iter().flat_map(|segment| arguments(&segment.arguments)) {
                subjects(argument, parameters, found);
            }
        }
        Type::Reference(reference) => subjects(&reference.elem, parameters, found),
        Type::Slice(slice) => subjects(&slice.elem, parameters, found),
        Type::Array(array) => subjects(&array.elem, parameters, found),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|inner| subjects(inner, parameters, found)),
        _ => {
            let mentioned = parameters.iter().filter(|parameter| mentions(ty.to_token_stream(), parameter));
            found.extend(mentioned.map(ToTokens::to_token_stream));
        }
    }
}

/// The types between `<` and `>`.
fn arguments(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let bracketed = match arguments {
        PathArguments::AngleBracketed(bracketed) => Some(&bracketed.args),
        _ => None,
    };
    bracketed.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// `T::Item` or `<T as Trait>::Item`, of a type parameter `T`.
fn is_projection(path: &TypePath, parameters: &[Ident]) -> bool {
    let segments = &path.path.segments;
    match &path.qself {
        Some(of) => parameters.iter().any(|parameter| mentions(of.ty.to_token_stream(), parameter)),
        None => segments.len() > 1 && segments.first().is_some_and(|first| parameters.contains(&first.ident)),
    }
}

fn mentions(tokens: TokenStream, parameter: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *parameter,
        TokenTree::Group(group) => mentions(group.stream(), parameter),
        _ => false,
    })
}
