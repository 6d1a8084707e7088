//! `<fn>_entry(args…)`: the entry that a call with these arguments uses.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Call, attributes, body, key, options, signature, site};
use crate::krate::{generated, private};

pub(super) fn expand(call: &Call) -> TokenStream {
    let name = call.function.name();
    let documentation = format!(
        "The cache entry of `{name}` for these arguments: read it, refresh it, replace it or evict it."
    );
    let attributes = attributes::of_sibling(&call.function.attrs, &documentation);
    let (krate, output) = (&call.options.krate, call.output());
    let (returned, finish) = if call.function.is_async() {
        let future = body::future(call);
        (
            quote_spanned!(generated()=>
                #krate::AsyncEntry<
                    impl #krate::__private::Kind<Return = #output>,
                    impl ::core::future::Future<Output = #output>,
                >
            ),
            quote_spanned!(generated()=> .future(#future)),
        )
    } else {
        let closure = body::closure(call);
        (
            quote_spanned!(generated()=>
                #krate::Entry<impl #krate::__private::Kind<Return = #output>, impl ::core::ops::FnOnce() -> #output>
            ),
            quote_spanned!(generated()=> .sync(#closure)),
        )
    };
    let (vis, signature) = (&call.function.vis, signature::of_entry(call, returned));
    let site = site::expand(call);
    let kind = call.kind();
    let cache = call.cache();
    let key::Key { statements, expression } = key::expand(call);
    let options = options::chain(call, false);
    let private = private();
    let entry = call.in_block(
        &statements,
        quote_spanned!(generated()=>
            #private::entry(
                &__CACHEADO,
                &#cache,
                __cacheado_shape,
                #private::entry_instance(|| ()),
                &#expression,
            )
            #options
        ),
    );
    let block = body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            #kind
            let __cacheado_entry = #entry;
            __cacheado_entry #finish
        ),
    );
    quote!(#attributes #vis #signature #block)
}
