//! The annotated function itself: a lookup, and on a miss one call with the body.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Call, attributes, body, instance, key, options, signature, site};
use crate::krate::{generated, generated_at, private, private_at};

pub(super) fn expand(call: &Call) -> TokenStream {
    let attributes = attributes::kept(&call.function.attrs);
    let (vis, signature) = (&call.function.vis, signature::of_function(call));
    let site = site::expand(call);
    let kind = call.kind();
    let lookup = lookup(call);
    let runner = call.runner();
    let run = if call.function.is_async() {
        let future = body::future(call);
        quote_spanned!(generated()=> .#runner(#future).await)
    } else {
        let closure = body::closure(call);
        quote_spanned!(generated()=> .#runner(#closure))
    };
    let options = if call.has_scope_values() { TokenStream::new() } else { options::chain(call, true) };
    let owning = call.owning();
    let run = if options.is_empty() {
        quote_spanned!(generated()=> #owning __cacheado_miss #run)
    } else {
        let lints = attributes::of_lookup(&call.params);
        let miss = call.in_block(&TokenStream::new(), quote_spanned!(generated()=> __cacheado_miss #options));
        quote_spanned!(generated()=> {
            #lints
            let __cacheado_miss = #miss;
            #owning
            __cacheado_miss #run
        })
    };
    let block = body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            #kind
            #lookup
            #run
        ),
    );
    quote!(#(#attributes)* #vis #signature #block)
}

/// `let __cacheado_miss = …`, unless the lookup is a hit, which ends the function. What the lookup borrows ends
/// with it, so that the body can move the arguments; and what it found is not held while the future of a miss
/// waits, as its type need not be one that can be sent to another thread.
///
/// Where there are `scope_args`, the miss has its options already: what they say is asked once for both.
fn lookup(call: &Call) -> TokenStream {
    let private = private();
    let lints = attributes::of_lookup(&call.params);
    let lookup = question(call);
    let mut miss = quote_spanned!(generated()=>
        match #lookup {
            #private::Lookup::Hit(__cacheado_value) => return __cacheado_value,
            #private::Lookup::Miss(__cacheado_miss) => __cacheado_miss,
        }
    );
    if call.has_scope_values() {
        let options = options::chain(call, true);
        let both = quote_spanned!(generated()=> {
            let __cacheado_miss = #miss;
            __cacheado_miss #options
        });
        miss = call.with_scope_values(both);
    }
    quote_spanned!(generated()=> #lints let __cacheado_miss = #miss;)
}

/// The lookup: an expression.
pub(super) fn question(call: &Call) -> TokenStream {
    let private = private();
    let cache = call.cache();
    let key::Key { statements, expression } = key::expand(call);
    let instance = instance::expand(call);
    let refresh = refresh(call).unwrap_or_else(|| quote_spanned!(generated()=> false));
    call.in_block(
        &statements,
        quote_spanned!(generated()=>
            #private::lookup(
                &__CACHEADO,
                &#cache,
                __cacheado_shape,
                #instance,
                &#expression,
                #refresh,
            )
        ),
    )
}

/// Whether the call is to compute and overwrite: an expression, where the attribute says so.
pub(super) fn refresh(call: &Call) -> Option<TokenStream> {
    let expression = call.options.refresh_if.as_ref()?;
    let place = crate::cached::args::span_of(expression);
    let private = private_at(place);
    Some(quote_spanned!(generated_at(place)=> #private::refresh_if(#expression)))
}
