//! What a miss needs to know beyond the static site: a chain of calls on it.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::Path;

use super::{Call, scope};
use crate::cached::model::{Spanned, Ttl};
use crate::krate::{generated, generated_at, private_at};

/// `.scope(..).ttl(..).tag(..).ttl_with(..).cache_if(..).on_backend_error(..).on_timeout(..)`, of these what the attribute asks for.
pub(super) fn chain(call: &Call, loud: bool) -> TokenStream {
    let mut tokens = TokenStream::new();
    let options = &call.options;
    if let Some(scope) = scope::expand(call, loud) {
        tokens.extend(quote_spanned!(generated()=> .scope(#scope)));
    }
    if let Some(Spanned { value: Ttl::Computed(expression), .. }) = &options.ttl {
        let place = crate::cached::args::span_of(expression);
        let private = private_at(place);
        let lifetime = quote_spanned!(generated_at(place)=> #private::lifetime(#expression));
        tokens.extend(quote_spanned!(generated()=> .ttl(#lifetime)));
    }
    for tag in &options.tags {
        let literal = &tag.literal;
        let text = if let Some(plain) = &tag.plain {
            quote_spanned!(generated()=> #plain)
        } else {
            quote_spanned!(generated()=> ::std::format!(#literal))
        };
        tokens.extend(quote_spanned!(generated()=> .tag(#text)));
    }
    if let Some(function) = &options.ttl_with {
        let function = applied("ttl_with", function);
        tokens.extend(quote_spanned!(generated()=> .ttl_with(#function)));
    }
    if let Some(function) = &options.cache_if {
        let function = applied("cache_if", function);
        tokens.extend(quote_spanned!(generated()=> .cache_if(#function)));
    }
    if let Some(place) = options.on_backend_error {
        let private = private_at(place);
        let returned = quote_spanned!(generated_at(place)=> #private::backend_error);
        tokens.extend(quote_spanned!(generated()=> .on_backend_error(#returned)));
    }
    if let Some(timeout) = &options.timeout {
        let private = private_at(timeout.span);
        let returned = quote_spanned!(generated_at(timeout.span)=> #private::timed_out);
        tokens.extend(quote_spanned!(generated()=> .on_timeout(#returned)));
    }
    tokens
}

/// A closure around the function that `argument` names, so that a `&str` is good enough for a `&String`. The runtime's
/// function of the argument's name says what is expected.
fn applied(argument: &str, function: &Path) -> TokenStream {
    let place = crate::cached::args::span_of(function);
    let (private, argument) = (private_at(place), Ident::new(argument, generated_at(place)));
    quote_spanned!(generated_at(place)=> |__cacheado_value| #private::#argument(#function, __cacheado_value))
}
