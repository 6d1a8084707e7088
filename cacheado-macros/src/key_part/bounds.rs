//! The bounds of the implementation: `T: KeyPart` for every type parameter in a field of the key, and
//! `T::Item: KeyPart` for an associated type that is a field's type.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{GenericParam, Generics, Ident, Type};

use super::fields::KeyField;
use crate::krate::generated;

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
        if is_projection(&field.ty, &parameters) {
            bounds.push(field.ty.to_token_stream());
        } else {
            let mentioned =
                parameters.iter().filter(|parameter| mentions(field.ty.to_token_stream(), parameter));
            bounds.extend(mentioned.map(ToTokens::to_token_stream));
        }
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

/// `T::Item`, of a type parameter `T`.
fn is_projection(ty: &Type, parameters: &[Ident]) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_some() => true,
        Type::Path(path) => {
            path.path.segments.len() > 1
                && path.path.segments.first().is_some_and(|segment| parameters.contains(&segment.ident))
        }
        _ => false,
    }
}

fn mentions(tokens: TokenStream, parameter: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *parameter,
        TokenTree::Group(group) => mentions(group.stream(), parameter),
        _ => false,
    })
}
