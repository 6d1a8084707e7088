//! `batch(ids)`: the function looks each element up under the name of the parameter, which there is one id, and runs
//! the body with those that are missing.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, ReturnType, Signature, Token, Type};

use super::{Call, attributes, body, entry, function, options, signature, site};
use crate::cached::batch::Batch;
use crate::cached::params::ParamKind;
use crate::cached::returns;
use crate::krate::{generated, generated_at, private};
use crate::types::bare;

/// The annotated function.
pub(super) fn function(call: &Call, batch: &Batch) -> TokenStream {
    let attributes = attributes::kept(&call.function.attrs);
    let (vis, mut signature) = (&call.function.vis, signature::of_function(call));
    signature.inputs.iter_mut().for_each(signature::immutable);
    let private = private();
    let (site, kind) = (site::expand(call), call.kind());
    let (silent, lints) = (attributes::of_binding(), attributes::of_lookup(&call.params));
    let ids = &batch.ident;
    let question = function::question(call);
    let options = options::chain(call, true);
    let miss = call.in_block(&TokenStream::new(), quote_spanned!(generated()=> __cacheado_miss #options));
    let mut found = quote_spanned!(generated()=>
        match #question {
            #private::Lookup::Hit(__cacheado_value) => #private::Lookup::Hit(__cacheado_value),
            #private::Lookup::Miss(__cacheado_miss) => #private::Lookup::Miss(#miss),
        }
    );
    if call.has_scope_values() {
        found = call.with_scope_values(found);
    }
    let run = run(call, batch);
    let block = body::braced(
        call,
        quote_spanned!(generated()=>
            #site
            #kind
            let mut __cacheado_batch = #private::Batch::new(__cacheado_shape);
            #lints
            for __cacheado_id in &#ids[..] {
                let __cacheado_found = {
                    #silent
                    let #ids = __cacheado_id;
                    #found
                };
                #private::Batch::add(&mut __cacheado_batch, __cacheado_found);
            }
            #run
        ),
    );
    quote!(#(#attributes)* #vis #signature #block)
}

/// What follows the lookups. What is owned moves, as it does in the function that the user wrote.
fn run(call: &Call, batch: &Batch) -> TokenStream {
    let (ids, output) = (&batch.ident, call.output());
    let given = given(call, batch);
    let (silent, lints) = (attributes::of_binding(), attributes::of_lookup(&call.params));
    let of_the_ids = {
        let pattern = pattern(call, batch);
        let missing = if batch.is_owned {
            quote_spanned!(generated()=> __cacheado_ids)
        } else {
            quote_spanned!(generated()=> &__cacheado_ids[..])
        };
        quote_spanned!(generated()=> #silent let #pattern = #missing;)
    };
    // What is wrong with the return type is shown at it.
    let place = generated_at(returns::span(&call.function.signature.output, generated()));
    if call.function.is_async() {
        let method = Ident::new("run_async", place);
        let future = body::future_after(call, of_the_ids);
        quote_spanned!(generated()=>
            #lints
            let __cacheado_all = #ids;
            __cacheado_batch.#method(&__cacheado_all[..], move |__cacheado_ids| { #given #future }).await
        )
    } else {
        let method = Ident::new("run", place);
        let block = body::block_after(call, of_the_ids);
        quote_spanned!(generated()=>
            #lints
            let __cacheado_all = #ids;
            __cacheado_batch.#method(&__cacheado_all[..], move |__cacheado_ids| -> #output { #given #block })
        )
    }
}

/// The parameter as the body is to see it, with `mut` if it has one.
fn pattern(call: &Call, batch: &Batch) -> TokenStream {
    let inputs = call.function.signature.inputs.iter().zip(&call.params.0);
    let mut named = inputs.filter(|(_, param)| param.ident == batch.ident);
    match named.next() {
        Some((FnArg::Typed(typed), _)) => typed.pat.to_token_stream(),
        _ => batch.ident.to_token_stream(),
    }
}

/// The other arguments for one run of the body: what is owned is cloned, so that there can be another run.
fn given(call: &Call, batch: &Batch) -> TokenStream {
    let inputs = call.function.signature.inputs.iter().zip(&call.params.0);
    let (silent, lints) = (attributes::of_binding(), attributes::of_lookup(&call.params));
    inputs
        .filter_map(|(input, param)| {
            let FnArg::Typed(typed) = input else { return None };
            if param.ident == batch.ident || matches!(bare(&typed.ty), Type::Reference(_)) {
                return None;
            }
            let (ident, cfgs) = (&param.ident, &param.cfgs);
            let pattern = match &param.kind {
                ParamKind::Pattern { .. } => ident.to_token_stream(),
                _ => typed.pat.to_token_stream(),
            };
            Some(quote_spanned!(generated()=>
                #(#cfgs)*
                #silent
                #lints
                let #pattern = ::core::clone::Clone::clone(&#ident);
            ))
        })
        .collect()
}

/// `&Id`; several bounds are in parentheses there.
fn borrowed(id: &Type) -> TokenStream {
    match id {
        Type::ImplTrait(ty) if ty.bounds.len() > 1 => quote_spanned!(generated()=> &(#id)),
        _ => quote_spanned!(generated()=> &#id),
    }
}

/// `<fn>_entry(id, args…)`: one element's entry, which has no body of its own.
pub(super) fn entry(call: &Call, batch: &Batch) -> TokenStream {
    let name = call.function.name();
    let documentation =
        format!("The cache entry of one element of `{name}`: read it, replace it or evict it.");
    let attributes = attributes::of_sibling(&call.function.attrs, &documentation);
    let krate = &call.options.krate;
    let element = call.cached_type(&quote_spanned!(generated()=> #krate::__private));
    let entry = if call.function.is_async() { "AsyncEntry" } else { "Entry" };
    let entry = Ident::new(entry, generated());
    let finish = if call.function.is_async() {
        quote_spanned!(generated()=> .element_async())
    } else {
        quote_spanned!(generated()=> .element())
    };
    let returned =
        quote_spanned!(generated()=> #krate::#entry<impl #krate::__private::Kind<Return = #element>, ()>);
    let mut signature = Signature {
        asyncness: None,
        fn_token: Token![fn](generated()),
        ident: call.function.sibling("entry"),
        output: ReturnType::Type(Token![->](generated()), Box::new(Type::Verbatim(returned))),
        ..signature::of_function(call)
    };
    signature.inputs.iter_mut().for_each(signature::immutable);
    for (input, param) in signature.inputs.iter_mut().zip(&call.params.0) {
        if let FnArg::Typed(typed) = input
            && param.ident == batch.ident
        {
            *typed.ty = Type::Verbatim(borrowed(&batch.id));
        }
    }
    let (vis, block) = (&call.function.vis, entry::block(call, &finish));
    quote!(#attributes #vis #signature #block)
}
