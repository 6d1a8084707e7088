//! The key of a call: a tuple of borrowed parts.

use proc_macro2::TokenStream;
use quote::{format_ident, quote_spanned};

use super::{Call, scope};
use crate::cached::key::{KeyPlan, Part};
use crate::krate::{borrowed, generated, generated_at, private_at};

/// Longer keys nest: tuples of more than sixteen parts have no `KeyPart`.
const WIDEST: usize = 16;

/// The key, as statements that stand before the call and the expression in it.
pub(super) struct Key {
    pub statements: TokenStream,
    pub expression: TokenStream,
}

/// The key of this call.
pub(super) fn expand(call: &Call) -> Key {
    let mut statements = TokenStream::new();
    let parts = match &call.key {
        KeyPlan::Whole(expression) => {
            let borrowed = borrowed(expression);
            let place = crate::cached::args::span_of(expression);
            let private = private_at(place);
            vec![quote_spanned!(generated_at(place)=> #private::Part(#borrowed).checked())]
        }
        KeyPlan::Parts(parts) => {
            parts.iter().enumerate().map(|(index, part)| one(index, part, &mut statements)).collect()
        }
    };
    let expression = scope::key(call, &parts).unwrap_or_else(|| tuple(&parts));
    Key { statements, expression }
}

fn one(index: usize, part: &Part, statements: &mut TokenStream) -> TokenStream {
    let private = private_at(part.span);
    let Part { ident, cfgs, .. } = part;
    let borrowed = quote_spanned!(generated_at(part.span)=> #private::Part(&#ident).checked());
    if cfgs.is_empty() {
        return borrowed;
    }
    // An attribute cannot remove an element of a tuple, so a parameter under `#[cfg]` goes through a variable.
    let conditions: Vec<_> =
        cfgs.iter().filter_map(|cfg| Some(cfg.meta.require_list().ok()?.tokens.clone())).collect();
    let variable = format_ident!("__cacheado_part{index}", span = generated());
    statements.extend(quote_spanned!(generated()=>
        #[cfg(all(#(#conditions),*))]
        let #variable = #borrowed;
        #[cfg(not(all(#(#conditions),*)))]
        let #variable = &();
    ));
    quote_spanned!(generated()=> #variable)
}

/// The parts as one key.
pub(crate) fn tuple(parts: &[TokenStream]) -> TokenStream {
    if parts.len() <= WIDEST {
        return quote_spanned!(generated()=> (#(#parts,)*));
    }
    let nested: Vec<_> = parts.chunks(WIDEST).map(tuple).collect();
    tuple(&nested)
}
