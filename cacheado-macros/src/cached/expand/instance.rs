//! Which instance of a generic function, or of a method's type, a call is in.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{FnArg, GenericParam};

use super::Call;
use crate::krate::{generated, private};

/// The instance, by a closure that stands in the function and, where there are any, by the types that its name does
/// not tell from all others: those can be told in a sibling, too, which has another closure.
pub(super) fn expand(call: &Call) -> TokenStream {
    let private = private();
    let types = types(call);
    let of = (!types.is_empty()).then(|| quote_spanned!(generated()=> .of((#(#types,)*))));
    quote_spanned!(generated()=> #private::instance(|| ()) #of)
}

/// `Self` of a method, the generic parameters, and what stands for `impl Trait`. Nothing tells that an associated
/// function without a receiver has a `Self`.
fn types(call: &Call) -> Vec<TokenStream> {
    let private = private();
    let signature = &call.function.signature;
    let receiver = call.params.receiver().map(|_| {
        let this = Ident::new("Self", generated());
        quote_spanned!(generated()=> ::core::marker::PhantomData::<#this>)
    });
    let parameters = signature.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) if parameter.attrs.is_empty() => {
            let name = &parameter.ident;
            Some(quote_spanned!(generated()=> ::core::marker::PhantomData::<#name>))
        }
        _ => None,
    });
    let arguments = signature.inputs.iter().zip(&call.params.0).filter_map(|(input, param)| {
        let FnArg::Typed(typed) = input else { return None };
        let is_batch = call.options.batch.as_ref().is_some_and(|ids| *ids == param.ident);
        let name = &param.ident;
        (!is_batch && param.cfgs.is_empty() && has_impl(typed.ty.to_token_stream()))
            .then(|| quote_spanned!(generated()=> #private::type_of(&#name)))
    });
    receiver.into_iter().chain(parameters).chain(arguments).collect()
}

/// Whether there is an `impl Trait` in the type.
fn has_impl(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => has_impl(group.stream()),
        _ => false,
    })
}
