//! `#[derive(KeyPart)]`.

mod attributes;
mod bounds;
mod fields;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, Generics, Ident};

use crate::krate::{Krate, generated};
use fields::KeyField;

/// The implementation of `KeyPart`, and of `ScopeValue` for a newtype; or the errors.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    syn::parse2(input).and_then(|input| expand(&input)).unwrap_or_else(|error| error.to_compile_error())
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let krate = Krate::new(attributes::krate(&input.attrs)?);
    let (body, used) = match &input.data {
        Data::Struct(data) => structure(&data.fields, &krate)?,
        Data::Enum(data) => enumeration(data, &krate)?,
        Data::Union(data) => {
            return Err(syn::Error::new(
                data.union_token.span,
                "a union does not know which of its fields is set, so it is no part of a key",
            ));
        }
    };
    let (name, bound) = (&input.ident, quote_spanned!(generated()=> #krate::KeyPart));
    let generics = bounds::with(&input.generics, &used, &bound);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let implementation = quote_spanned!(generated()=>
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, deprecated, unused_qualifications)]
        impl #impl_generics #krate::KeyPart for #name #ty_generics #where_clause {
            fn encode<__CacheadoSink: #krate::key::KeySink + ?::core::marker::Sized>(
                &self,
                __cacheado_sink: &mut __CacheadoSink,
            ) {
                #body
            }
        }
    );
    let scope_value = scope_value(input, &krate)?;
    Ok(quote!(#implementation #scope_value))
}

/// The statements that encode a struct, and the fields in it.
fn structure(all: &Fields, krate: &Krate) -> syn::Result<(TokenStream, Vec<KeyField>)> {
    let fields = fields::of(all)?;
    let values = fields.iter().map(|field| {
        let member = &field.member;
        field.encode(krate, &quote_spanned!(generated()=> &self.#member))
    });
    let head = match (all, fields.len()) {
        // A newtype is encoded as what it wraps.
        (Fields::Unnamed(_), 1) => TokenStream::new(),
        (_, count) => {
            quote_spanned!(generated()=> #krate::key::KeySink::structure(__cacheado_sink, #count);)
        }
    };
    let body = quote_spanned!(generated()=> #head #(#values)*);
    Ok((body, fields))
}

fn enumeration(data: &syn::DataEnum, krate: &Krate) -> syn::Result<(TokenStream, Vec<KeyField>)> {
    let mut used = Vec::new();
    let mut arms = TokenStream::new();
    for variant in &data.variants {
        attributes::none(&variant.attrs)?;
        let fields = fields::of(&variant.fields)?;
        let (name, text, count) =
            (&variant.ident, syn::ext::IdentExt::unraw(&variant.ident).to_string(), fields.len());
        let bindings = fields.iter().map(|field| {
            let (member, binding) = (&field.member, &field.binding);
            quote_spanned!(generated()=> #member: #binding)
        });
        let values = fields.iter().map(|field| {
            let binding = &field.binding;
            field.encode(krate, &quote!(#binding))
        });
        arms.extend(quote_spanned!(generated()=>
            Self::#name { #(#bindings,)* .. } => {
                #krate::key::KeySink::variant(__cacheado_sink, #text, #count);
                #(#values)*
            }
        ));
        used.extend(fields);
    }
    let body = if data.variants.is_empty() {
        quote_spanned!(generated()=> match *self {})
    } else {
        quote_spanned!(generated()=> match self { #arms })
    };
    Ok((body, used))
}

/// A newtype is a `ScopeValue` where what it wraps is one.
fn scope_value(input: &DeriveInput, krate: &Krate) -> syn::Result<Option<TokenStream>> {
    let Data::Struct(data) = &input.data else { return Ok(None) };
    let Fields::Unnamed(_) = &data.fields else { return Ok(None) };
    let fields = fields::of(&data.fields)?;
    let [field] = fields.as_slice() else { return Ok(None) };
    let (name, member, ty) = (&input.ident, &field.member, &field.ty);
    let generics = guarded(&input.generics, ty, krate);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Ok(Some(quote_spanned!(generated()=>
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, deprecated, unused_qualifications)]
        impl #impl_generics #krate::ScopeValue for #name #ty_generics #where_clause {
            fn write_scope(&self, __cacheado_out: &mut dyn ::core::fmt::Write) -> ::core::fmt::Result {
                #krate::ScopeValue::write_scope(&self.#member, __cacheado_out)
            }
        }
    )))
}

/// `where for<'a> Inner: ScopeValue`. The unused lifetime keeps the compiler from refusing a bound that is
/// plainly false: the implementation is then there for no one.
fn guarded(generics: &Generics, ty: &syn::Type, krate: &Krate) -> Generics {
    let ty_params = bounds::without_defaults(generics);
    let lifetime = syn::Lifetime::new("'__cacheado", Span::mixed_site());
    let mut generics = ty_params;
    let clause = generics.make_where_clause();
    let predicate = quote_spanned!(generated()=> for<#lifetime> #ty: #krate::ScopeValue);
    if let Ok(predicate) = syn::parse2(predicate) {
        clause.predicates.push(predicate);
    }
    generics
}

/// The name of the `index`th binding.
fn binding(index: usize) -> Ident {
    quote::format_ident!("__cacheado_field{index}", span = generated())
}
