//! `#[derive(KeyPart)]`.

mod attributes;
mod bounds;
mod fields;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, Generics, Ident};

use crate::errors::Errors;
use crate::krate::{Krate, generated};
use fields::KeyField;

/// The implementation of `KeyPart`, and of `ScopeValue` for a newtype; or all errors, beside an implementation that
/// keeps the uses of the type from being errors too.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let runtime = errors.take(attributes::krate(&input.attrs));
    let is_known = runtime.is_some();
    let krate = Krate::new(runtime.flatten());
    let is_packed = attributes::is_packed(&input.attrs);
    let (body, used) = parts(&input.data, is_packed, &krate, &mut errors);
    match errors.finish(()) {
        Ok(()) => {
            let implementation = implementation(&input, &krate, &body, &used);
            let scope_value = scope_value(&input, is_packed, &krate, &used);
            quote!(#implementation #scope_value)
        }
        Err(error) => {
            let errors = error.to_compile_error();
            let stub = is_known.then(|| implementation(&input, &krate, &TokenStream::new(), &[]));
            quote!(#errors #stub)
        }
    }
}

/// The statements that encode a value, and the fields in it.
fn parts(data: &Data, is_packed: bool, krate: &Krate, errors: &mut Errors) -> (TokenStream, Vec<KeyField>) {
    match data {
        Data::Struct(data) => structure(&data.fields, is_packed, krate, errors),
        Data::Enum(data) => enumeration(data, krate, errors),
        Data::Union(data) => {
            errors.at(
                data.union_token.span,
                "a union does not know which of its fields is set, so it is no part of a key",
            );
            (TokenStream::new(), Vec::new())
        }
    }
}

fn implementation(input: &DeriveInput, krate: &Krate, body: &TokenStream, used: &[KeyField]) -> TokenStream {
    let (name, bound) = (&input.ident, quote_spanned!(generated()=> #krate::KeyPart));
    let generics = bounds::with(&input.generics, used, &bound);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote_spanned!(generated()=>
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
    )
}

/// The statements that encode a struct, and the fields in it.
fn structure(
    all: &Fields,
    is_packed: bool,
    krate: &Krate,
    errors: &mut Errors,
) -> (TokenStream, Vec<KeyField>) {
    let fields = fields::of(all, errors);
    let values = fields.iter().map(|field| field.encode(krate, &field.borrowed(is_packed)));
    let head = match (all, fields.len()) {
        // A newtype is encoded as what it wraps.
        (Fields::Unnamed(_), 1) => TokenStream::new(),
        (_, count) => {
            quote_spanned!(generated()=> #krate::key::KeySink::structure(__cacheado_sink, #count);)
        }
    };
    let body = quote_spanned!(generated()=> #head #(#values)*);
    (body, fields)
}

fn enumeration(data: &DataEnum, krate: &Krate, errors: &mut Errors) -> (TokenStream, Vec<KeyField>) {
    let mut used = Vec::new();
    let mut arms = TokenStream::new();
    for variant in &data.variants {
        attributes::none(&variant.attrs, errors);
        let fields = fields::of(&variant.fields, errors);
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
    (body, used)
}

/// A newtype is a `ScopeValue` where what it wraps is one.
fn scope_value(
    input: &DeriveInput,
    is_packed: bool,
    krate: &Krate,
    used: &[KeyField],
) -> Option<TokenStream> {
    let Data::Struct(DataStruct { fields: Fields::Unnamed(_), .. }) = &input.data else { return None };
    let [field] = used else { return None };
    let (name, value, ty) = (&input.ident, field.borrowed(is_packed), &field.ty);
    let generics = guarded(&input.generics, ty, krate);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Some(quote_spanned!(generated()=>
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, deprecated, unused_qualifications)]
        impl #impl_generics #krate::ScopeValue for #name #ty_generics #where_clause {
            fn write_scope(&self, __cacheado_out: &mut dyn ::core::fmt::Write) -> ::core::fmt::Result {
                #krate::ScopeValue::write_scope(#value, __cacheado_out)
            }
        }
    ))
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
