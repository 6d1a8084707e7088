//! The generated code. By now everything is checked, so nothing here can fail.
//!
//! Each of the three functions is complete in itself, with a `static` site of its own: the macro cannot know
//! whether it stands in an `impl`, so none of them can call another by name. The runtime takes sites with the
//! same identity for one.

mod attributes;
mod body;
mod entry;
mod function;
mod function_cache;
mod key;
mod options;
mod scope;
mod signature;
mod site;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::ReturnType;

use super::Call;
use crate::krate::{generated, generated_at};

/// The annotated function, and its siblings unless `companions = false`.
pub(super) fn expand(call: &Call) -> TokenStream {
    let mut tokens = function::expand(call);
    if call.options.companions {
        tokens.extend(entry::expand(call));
        tokens.extend(function_cache::expand(call));
    }
    tokens
}

impl Call {
    /// The return type.
    fn output(&self) -> TokenStream {
        match &self.function.signature.output {
            ReturnType::Default => quote_spanned!(generated()=> ()),
            ReturnType::Type(_, ty) => quote_spanned!(generated()=> #ty),
        }
    }

    /// Patterns in parameters, bound by reference for what the attribute may mention.
    fn borrowed_patterns(&self) -> TokenStream {
        self.params.borrowed_patterns()
    }

    /// `let kind = …`: what the runtime can do with values of the return type, found by autoref specialisation.
    fn kind(&self) -> TokenStream {
        let (private, output) = (self.options.krate.private(), self.output());
        let method = if self.options.cache_err.is_some() { "kind_err" } else { "kind" };
        let method = proc_macro2::Ident::new(method, generated());
        let span = super::returns::span(&self.function.signature.output, generated());
        let at_output = self.options.krate.private_at(span);
        let probe = quote_spanned!(generated_at(span)=> #at_output::probe::Probe::<#output>::new());
        let remote = self.options.remote.map(|remote| {
            let private = self.options.krate.private_at(remote);
            quote_spanned!(generated_at(remote)=> #private::assert_remote(&__cacheado_kind);)
        });
        quote_spanned!(generated()=>
            let __cacheado_probe = #probe;
            let __cacheado_kind = {
                #[allow(unused_imports)]
                use #private::probe::*;
                (&&&&&&&&__cacheado_probe).#method()
            };
            #remote
        )
    }

    /// The cache of this call: an expression.
    fn cache(&self) -> TokenStream {
        let krate = &self.options.krate;
        match &self.options.cache {
            None => {
                let private = krate.private();
                quote_spanned!(generated()=> #private::ambient())
            }
            Some(expression) => {
                let borrowed = crate::krate::borrowed(expression);
                let place = super::args::span_of(expression);
                let private = krate.private_at(place);
                quote_spanned!(generated_at(place)=> #private::explicit(#borrowed))
            }
        }
    }
}
