//! Attributes: all of the user's stay on the function; siblings get those that decide whether they exist, whether they
//! are shown in the documentation, and which lints are silent.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use crate::cached::params::Params;
use crate::krate::generated;

/// Lints about how a function uses its parameters and its tail. The expansion uses every key parameter and
/// moves the body into a closure, so an `#[expect]` of one of these would no longer be fulfilled.
const CHANGED_BY_EXPANSION: &[&str] = &[
    "unused",
    "unused_variables",
    "unused_mut",
    "clippy::all",
    "clippy::pedantic",
    "clippy::nursery",
    "clippy::extra_unused_type_parameters",
    "clippy::missing_const_for_fn",
    "clippy::missing_panics_doc",
    "clippy::needless_pass_by_ref_mut",
    "clippy::needless_pass_by_value",
    "clippy::needless_return",
    "clippy::only_used_in_recursion",
    "clippy::ptr_arg",
    "clippy::too_many_lines",
    "clippy::unnecessary_wraps",
    "clippy::unused_async",
    "clippy::unused_self",
];

/// The attributes of the function itself, or of one of its parameters.
pub(super) fn kept(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .flat_map(|attribute| split_expect(attribute).unwrap_or_else(|| vec![attribute.clone()]))
        .collect()
}

/// `#[expect(a, b)]` as `#[expect(a)] #[allow(b)]`, where the expansion changes whether `b` is found.
fn split_expect(attribute: &Attribute) -> Option<Vec<Attribute>> {
    if !attribute.path().is_ident("expect") {
        return None;
    }
    let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let (reason, lints): (Vec<_>, Vec<_>) =
        metas.into_iter().partition(|meta| meta.path().is_ident("reason"));
    let (changed, kept): (Vec<_>, Vec<_>) = lints.into_iter().partition(is_changed);
    if changed.is_empty() {
        return None;
    }
    let path = attribute.path();
    let kept = (!kept.is_empty()).then(|| quote!(#[#path(#(#kept,)* #(#reason)*)]));
    let split = quote_spanned!(generated()=> #kept #[allow(#(#changed,)* #(#reason)*)]);
    Attribute::parse_outer.parse2(split).ok()
}

fn is_changed(lint: &Meta) -> bool {
    let name: String = lint.path().to_token_stream().into_iter().map(|token| token.to_string()).collect();
    CHANGED_BY_EXPANSION.contains(&name.as_str())
}

/// Silences the one lint that finds fault with how the lookup uses parameters: `_name` in a key is no mistake.
pub(super) fn of_lookup(params: &Params) -> Option<TokenStream> {
    let underscored = params.names().iter().any(|name| name.starts_with('_'));
    underscored.then(|| quote_spanned!(generated()=> #[allow(clippy::used_underscore_binding)]))
}

/// Silences what finds fault with a parameter's second binding, which has the name that the body uses for it: the body
/// may not use it, and the first binding has been used by the lookup.
pub(super) fn of_binding() -> TokenStream {
    quote_spanned!(generated()=>
        #[allow(unused_variables, unused_mut, clippy::no_effect_underscore_binding)]
        #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
    )
}

/// The attributes of a sibling, with its documentation. It is `#[inline]` so that a library whose users may call it does
/// not compile it where nobody does.
pub(super) fn of_sibling(attributes: &[Attribute], documentation: &str) -> TokenStream {
    let kept: TokenStream = attributes.iter().filter_map(for_sibling).collect();
    quote_spanned!(generated()=>
        #[doc = #documentation]
        #kept
        #[inline]
        #[allow(warnings, unused, clippy::all, clippy::pedantic, clippy::nursery)]
    )
}

fn for_sibling(attribute: &Attribute) -> Option<TokenStream> {
    let path = attribute.path();
    if path.is_ident("cfg") || path.is_ident("allow") {
        return Some(quote!(#attribute));
    }
    if is_hidden(attribute) {
        return Some(quote_spanned!(generated()=> #[doc(hidden)]));
    }
    if path.is_ident("expect") {
        let lints = attribute.meta.require_list().ok()?.tokens.clone();
        return Some(quote_spanned!(generated()=> #[allow(#lints)]));
    }
    None
}

/// Whether it is `#[doc(hidden)]`, alone or in a list.
fn is_hidden(attribute: &Attribute) -> bool {
    let listed = || attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
    attribute.path().is_ident("doc")
        && listed().is_some_and(|metas| metas.iter().any(|meta| meta.path().is_ident("hidden")))
}
