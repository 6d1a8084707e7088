//! The annotated function itself: a lookup, and on a miss one call with the body.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Call, attributes, body, key, options, signature, site};
use crate::krate::generated;

pub(super) fn expand(call: &Call) -> TokenStream {
    let attributes = attributes::of_function(&call.function.attrs);
    let (vis, signature) = (&call.function.vis, signature::of_function(call));
    let private = call.options.krate.private();
    let site = site::expand(call);
    let lookup = lookup(call);
    let patterns = call.borrowed_patterns();
    let options = options::chain(call, true);
    let lints = attributes::of_borrows();
    let run = if call.function.is_async() {
        let future = body::future(call);
        quote_spanned!(generated()=> __cacheado_miss.run_async(#future).await)
    } else {
        let closure = body::closure(call);
        quote_spanned!(generated()=> __cacheado_miss.run(#closure))
    };
    let block = body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            #lookup
            match __cacheado_lookup {
                #private::Lookup::Hit(__cacheado_value) => __cacheado_value,
                #private::Lookup::Miss(__cacheado_miss) => {
                    #lints
                    let __cacheado_miss = {
                        #patterns
                        __cacheado_miss #options
                    };
                    #run
                }
            }
        ),
    );
    quote!(#attributes #vis #signature #block)
}

/// `let __cacheado_lookup = …`. What it borrows ends with it, so that the body can move the arguments.
fn lookup(call: &Call) -> TokenStream {
    let private = call.options.krate.private();
    let patterns = call.borrowed_patterns();
    let lints = attributes::of_borrows();
    let kind = call.kind();
    let cache = call.cache();
    let key::Key { statements, expression } = key::expand(call, true);
    let refresh = match &call.options.refresh_if {
        None => quote_spanned!(generated()=> false),
        Some(expression) => quote!(#expression),
    };
    quote_spanned!(generated()=>
        #lints
        let __cacheado_lookup = {
            #patterns
            #kind
            #statements
            let __cacheado_lookup = #private::lookup(
                &__CACHEADO_SITE,
                &#cache,
                __cacheado_kind,
                #private::instance(|| ()),
                &#expression,
                #refresh,
            );
            __cacheado_lookup
        };
    )
}
