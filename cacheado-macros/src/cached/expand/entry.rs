//! `<fn>_entry(args…)`: the entry that a call with these arguments uses.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Call, attributes, body, key, options, signature, site};
use crate::krate::generated;

pub(super) fn expand(call: &Call) -> TokenStream {
    let name = call.function.name();
    let documentation = format!(
        "The cache entry of `{name}` for these arguments: read it, refresh it, replace it or evict it."
    );
    let attributes = attributes::of_sibling(&call.function.attrs, &documentation);
    let (krate, private, output) = (&call.options.krate, call.options.krate.private(), call.output());
    let (returned, finish) = if call.function.is_async() {
        let future = body::future(call);
        (
            quote_spanned!(generated()=>
                #krate::AsyncEntry<
                    impl #private::Kind<Return = #output>,
                    impl ::core::future::Future<Output = #output>,
                >
            ),
            quote_spanned!(generated()=> .future(#future)),
        )
    } else {
        let closure = body::closure(call);
        (
            quote_spanned!(generated()=>
                #krate::Entry<impl #private::Kind<Return = #output>, impl ::core::ops::FnOnce() -> #output>
            ),
            quote_spanned!(generated()=> .sync(#closure)),
        )
    };
    let (vis, signature) = (&call.function.vis, signature::of_entry(call, returned));
    let site = site::expand(call);
    let patterns = call.borrowed_patterns();
    let kind = call.kind();
    let cache = call.cache();
    let key::Key { statements, expression } = key::expand(call, false);
    let options = options::chain(call, false);
    let block = body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            let __cacheado_entry = {
                #patterns
                #kind
                #statements
                let __cacheado_entry = #private::entry(
                    &__CACHEADO_SITE,
                    &#cache,
                    __cacheado_kind,
                    #private::entry_instance(|| ()),
                    &#expression,
                ) #options;
                __cacheado_entry
            };
            __cacheado_entry #finish
        ),
    );
    quote!(#attributes #vis #signature #block)
}
