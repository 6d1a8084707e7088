//! The scope of a call. Its chain is known only to the macro that `scopes!` made, so the work is handed on:
//! `scopes::__scope!` adds the chain to our payload and calls `scope_call!`, which is this crate again.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt;

use super::{Call, after};
use crate::cached::params::{ParamKind, text};
use crate::krate::{generated, generated_at, private};

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
    let given = call.scope_values().map(|value| {
        let ScopeValue { name, variable, .. } = value;
        quote!(#name = [#variable],)
    });
    Some(quote_spanned!(generated()=>
        #module::__scope! {
            [#private::scope_call]
            #level
            { #mode #loud #function [#private] [#module] #level [#parameters] { #(#given)* } { #([#parts])* } }
        }
    ))
}

/// What `scope_args` says of one value.
struct ScopeValue<'c> {
    name: &'c Ident,
    expression: &'c Expr,
    /// A reference to what the expression gives.
    variable: Ident,
}

impl Call {
    fn scope_values(&self) -> impl Iterator<Item = ScopeValue<'_>> {
        let arguments = self.options.scope_args.iter().flat_map(|arguments| &arguments.value);
        arguments.enumerate().map(|(index, (name, expression))| {
            let place = generated_at(crate::cached::args::span_of(expression));
            let variable = format_ident!("__cacheado_scope{index}", span = place);
            ScopeValue { name, expression, variable }
        })
    }

    pub(super) fn has_scope_values(&self) -> bool {
        self.scope_values().next().is_some()
    }

    /// `expression`, in which the key and the scope have the values of `scope_args`: whatever they cost, they are asked
    /// for once, and the two cannot differ. A `match` keeps what they borrow from until the end of the expression.
    pub(super) fn with_scope_values(&self, expression: TokenStream) -> TokenStream {
        if !self.has_scope_values() {
            return expression;
        }
        let values = self.scope_values().map(|value| crate::krate::borrowed(value.expression));
        let variables = self.scope_values().map(|value| value.variable);
        let patterns = self.params.borrowed_patterns();
        let whole = quote_spanned!(generated()=> match (#(#values,)*) { (#(#variables,)*) => #expression });
        after(&patterns, &TokenStream::new(), whole)
    }
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
