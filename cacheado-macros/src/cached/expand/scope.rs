//! The scope of a call. Its chain is known only to the macro that `scopes!` made, so the work is handed on:
//! `scopes::__scope!` adds the chain to our payload and calls `scope_call!`, which is this crate again.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::Call;
use crate::cached::params::{ParamKind, text};
use crate::krate::{generated, private};

/// The scope: an expression for `Option<Scope>`, where the call has one.
pub(super) fn expand(call: &Call, loud: bool) -> Option<TokenStream> {
    if call.options.is_ambient() {
        let private = private();
        return Some(quote_spanned!(generated()=> #private::AmbientScope::now().scope()));
    }
    hand_on(call, "path", loud, &[])
}

/// The key of a call that has a scope: these parts, and after them the scope values that they do not hold.
pub(super) fn key(call: &Call, parts: &[TokenStream]) -> Option<TokenStream> {
    if call.options.is_ambient() {
        let private = private();
        let scope = quote_spanned!(generated()=> #private::AmbientScope::now());
        let parts: Vec<_> = parts.iter().cloned().chain([scope]).collect();
        return Some(super::tuple(&parts));
    }
    // Always quiet: the path of the same call reports the same mistakes.
    hand_on(call, "key", false, parts)
}

fn hand_on(call: &Call, mode: &str, loud: bool, parts: &[TokenStream]) -> Option<TokenStream> {
    let scope = call.options.level()?;
    let (module, level) = (&scope.module, scope.level.unraw());
    let private = private();
    let mode = Ident::new(mode, generated());
    let loud = Ident::new(if loud { "loud" } else { "quiet" }, generated());
    let function = call.function.name();
    let parameters = parameters(call);
    let given = call.options.scope_args.iter().flat_map(|arguments| &arguments.value).map(|(name, value)| {
        let value = crate::krate::borrowed(value);
        quote!(#name = [#value],)
    });
    Some(quote_spanned!(generated()=>
        #module::__scope! {
            [#private::scope_call]
            #level
            { #mode #loud #function [#private] [#module] #level [#parameters] { #(#given)* } { #([#parts])* } }
        }
    ))
}

/// `org_id: held, page: free,`: what the values can come from, and whether the key holds it already.
fn parameters(call: &Call) -> TokenStream {
    let mut tokens = TokenStream::new();
    for param in &call.params.0 {
        let names = match &param.kind {
            ParamKind::Receiver => continue,
            ParamKind::Named => std::slice::from_ref(&param.ident),
            ParamKind::Pattern { names, .. } => names,
        };
        for name in names {
            let state = if call.key.contains(&text(name)) { "held" } else { "free" };
            let state = Ident::new(state, generated());
            tokens.extend(quote_spanned!(generated()=> #name: #state,));
        }
    }
    tokens
}
