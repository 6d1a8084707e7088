//! `<fn>_entry(args…)`: the entry that a call with these arguments uses.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::detached::Way;
use super::{Call, attributes, body, function, instance, key, options, signature, site};
use crate::krate::{generated, private};

pub(super) fn expand(call: &Call) -> TokenStream {
    let name = call.function.name();
    let documentation = format!(
        "The cache entry of `{name}` for these arguments: read it, refresh it, replace it or evict it."
    );
    let attributes = attributes::of_sibling(&call.function.attrs, &documentation);
    let (krate, output) = (&call.options.krate, call.output());
    let is_detached = call.way() == Way::Detached;
    let lasting = is_detached.then(|| quote_spanned!(generated()=> + 'static));
    let kind = quote_spanned!(generated()=> impl #krate::__private::Kind<Return = #output> #lasting);
    let (returned, finish) = if call.function.is_async() {
        let (body, made) = wrapped(
            call,
            &quote_spanned!(generated()=> ::core::future::Future<Output = #output>),
            body::future(call),
        );
        (
            quote_spanned!(generated()=>
                #krate::AsyncEntry<#kind, #body>
            ),
            quote_spanned!(generated()=> .future(#made)),
        )
    } else {
        let (body, made) = wrapped(
            call,
            &quote_spanned!(generated()=> ::core::ops::FnOnce() -> #output),
            body::closure(call),
        );
        (
            quote_spanned!(generated()=>
                #krate::Entry<#kind, #body>
            ),
            quote_spanned!(generated()=> .sync(#made)),
        )
    };
    let (vis, signature) = (&call.function.vis, signature::of_entry(call, returned));
    let block = block(call, &finish);
    quote!(#attributes #vis #signature #block)
}

/// What makes the entry: the call, and what `finish` makes of it.
pub(super) fn block(call: &Call, finish: &TokenStream) -> TokenStream {
    let (site, kind, cache) = (site::expand(call), call.kind(), call.cache());
    let key::Key { statements, expression } = key::expand(call);
    let mut options = options::chain(call, false);
    // Of a batch, an entry runs no body.
    if let Some(refresh) = function::refresh(call).filter(|_| call.options.batch.is_none()) {
        options.extend(quote_spanned!(generated()=> .refresh_if(#refresh)));
    }
    let owning = call.owning();
    let (private, instance) = (private(), instance::expand(call));
    let entry = quote_spanned!(generated()=>
        #private::entry(
            &__CACHEADO,
            &#cache,
            __cacheado_shape,
            #instance,
            &#expression,
        )
        #options
    );
    let entry = call.with_scope_values(call.in_block(&statements, entry));
    body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            #kind
            let __cacheado_entry = #entry;
            #owning
            __cacheado_entry #finish
        ),
    )
}

/// The type of the body, which implements `bound`, and the body itself, marked by how it is run.
fn wrapped(call: &Call, bound: &TokenStream, body: TokenStream) -> (TokenStream, TokenStream) {
    let (krate, private) = (&call.options.krate, private());
    match call.way() {
        Way::Plain => (quote_spanned!(generated()=> impl #bound), body),
        Way::Guarded => (
            quote_spanned!(generated()=> #krate::__private::Guarded<impl #bound>),
            quote_spanned!(generated()=> #private::Guarded(#body)),
        ),
        Way::Detached => (
            // What the body returns may end with bounds of its own.
            quote_spanned!(generated()=>
                #krate::__private::Detached<impl ::core::marker::Send + 'static + #bound>
            ),
            quote_spanned!(generated()=> #private::Detached(#body)),
        ),
    }
}
