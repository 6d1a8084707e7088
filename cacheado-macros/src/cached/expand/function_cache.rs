//! `<fn>_cache()`: the function's own part of the cache.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Call, attributes, body, signature, site};
use crate::krate::generated;

pub(super) fn expand(call: &Call) -> TokenStream {
    let name = call.function.name();
    let documentation =
        format!("The part of the cache that belongs to `{name}`: evict all of it, or read its statistics.");
    let attributes = attributes::of_sibling(&call.function.attrs, &documentation);
    let krate = &call.options.krate;
    let (returned, method) = if call.function.is_async() {
        (quote_spanned!(generated()=> #krate::AsyncFunctionCache), "async_cache")
    } else {
        (quote_spanned!(generated()=> #krate::FunctionCache), "cache")
    };
    let method = proc_macro2::Ident::new(method, generated());
    let needs = signature::needs(call);
    let patterns: TokenStream = needs.iter().filter_map(|param| param.borrowed_pattern()).collect();
    let (vis, signature) = (&call.function.vis, signature::of_function_cache(call, &needs, returned));
    let (import, site) = (site::import(call), site::of(call));
    let cache = call.cache();
    let handle = quote_spanned!(generated()=> #site.#method(&#cache, || ()));
    let handle = if patterns.is_empty() {
        handle
    } else {
        quote_spanned!(generated()=> #patterns let __cacheado_handle = #handle; __cacheado_handle)
    };
    let block = body::braced(call, quote_spanned!(generated()=> #import #handle));
    quote!(#attributes #vis #signature #block)
}
