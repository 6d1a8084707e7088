//! The fields that make the key.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::{Fields, Index, Member, PathArguments, Type, TypePath};

use super::attributes;
use crate::errors::Errors;
use crate::krate::{Krate, generated};
use crate::types::bare;

/// A field that is part of the key.
pub(super) struct KeyField {
    pub member: Member,
    /// Its name in a `match`.
    pub binding: Ident,
    pub ty: Type,
}

impl KeyField {
    /// A reference to its value in a struct. Nothing may point into a packed one, so there it is to a copy.
    pub(super) fn borrowed(&self, is_packed: bool) -> TokenStream {
        let member = &self.member;
        if is_packed {
            quote_spanned!(generated()=> &{ self.#member })
        } else {
            quote_spanned!(generated()=> &self.#member)
        }
    }

    /// `<Type as KeyPart>::encode(value, sink);`, where a missing implementation is shown at the field's type.
    pub(super) fn encode(&self, krate: &Krate, value: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        quote_spanned!(generated()=> <#ty as #krate::KeyPart>::encode(#value, __cacheado_sink);)
    }
}

/// The fields without those that are skipped, and without `PhantomData<…>`, which has no value.
pub(super) fn of(all: &Fields, errors: &mut Errors) -> Vec<KeyField> {
    let mut fields = Vec::new();
    for (index, field) in all.iter().enumerate() {
        let skipped = errors.take(attributes::skip(&field.attrs)).unwrap_or_default();
        if skipped || is_phantom(&field.ty) {
            continue;
        }
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        fields.push(KeyField { member, binding: super::binding(index), ty: field.ty.clone() });
    }
    fields
}

/// Whether it is the one of the standard library, as it is spelled there. Another type of that name is a part.
fn is_phantom(ty: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = bare(ty) else { return false };
    let Some(last) = path.segments.last() else { return false };
    let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let is_std = matches!(
        names.join("::").as_str(),
        "PhantomData" | "marker::PhantomData" | "std::marker::PhantomData" | "core::marker::PhantomData"
    );
    is_std && matches!(&last.arguments, PathArguments::AngleBracketed(_))
}
