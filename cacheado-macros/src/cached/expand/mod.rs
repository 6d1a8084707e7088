//! The generated code. By now everything is checked, so nothing here can fail.
//!
//! Each of the three functions is complete in itself, with a `static` site of its own: the macro cannot know
//! whether it stands in an `impl`, so none of them can call another by name. The runtime takes sites with the
//! same identity for one.

mod attributes;
mod batch;
mod body;
mod detached;
mod entry;
mod function;
mod function_cache;
mod instance;
mod key;
mod options;
mod scope;
mod signature;
mod site;

pub(crate) use key::tuple;
pub(super) use signature::variables;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ReturnType;

use super::Call;
use crate::krate::{generated, generated_at, private, private_at};

/// The annotated function, and its siblings unless `companions = false`.
pub(super) fn expand(call: &Call) -> TokenStream {
    let mut tokens = match &call.batch {
        Some(batch) => batch::function(call, batch),
        None => function::expand(call),
    };
    if call.options.companions {
        tokens.extend(match &call.batch {
            Some(batch) => batch::entry(call, batch),
            None => entry::expand(call),
        });
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

    /// What one call of the cache returns: what the function does, or one element of it. `private` is the path of
    /// the runtime's private part.
    fn cached_type(&self, private: &TokenStream) -> TokenStream {
        let output = self.output();
        if self.batch.is_none() {
            return output;
        }
        let place = super::returns::span(&self.function.signature.output, generated());
        quote_spanned!(generated_at(place)=> <#output as #private::Batched>::Element)
    }

    /// `expression`, where the names in patterns and in `statements` are known. What it borrows ends with it. Where there
    /// are `scope_args`, it stands inside of [those](Self::with_scope_values), and so do the names.
    fn in_block(&self, statements: &TokenStream, expression: TokenStream) -> TokenStream {
        let is_inside = self.has_scope_values();
        let patterns = if is_inside { TokenStream::new() } else { self.params.borrowed_patterns() };
        after(&patterns, statements, expression)
    }

    /// `let shape = …`: how the return type is stored, and what the runtime can do with values of it, found by which methods it
    /// has. A `local` value is not asked how it leaves the process.
    fn kind(&self) -> TokenStream {
        let output = self.cached_type(&private().into_token_stream());
        let method = if self.options.cache_err.is_some() { "kind_err_" } else { "kind_" };
        let place = super::returns::span(&self.function.signature.output, generated());
        let (private, at_output) = (private(), private_at(place));
        let probe = quote_spanned!(generated_at(place)=> #at_output::Probe::<#output>::new());
        // What cannot be stored is said where it is returned.
        let method = Ident::new(method, generated_at(place));
        let kind =
            quote_spanned!(generated_at(place)=> __cacheado_probe.outer_().inner_().#method().checked());
        let assertions = [
            ("assert_remote", self.options.remote.or(self.options.single_flight.distributed())),
            ("assert_fallible", self.options.cache_err.as_ref().map(|keep| keep.span)),
            ("assert_optional", self.options.cache_none.as_ref().map(|keep| keep.span)),
        ];
        let assertions = assertions.into_iter().filter_map(|(name, place)| {
            let (place, private) = (generated_at(place?), private_at(place?));
            let assertion = Ident::new(name, place);
            Some(quote_spanned!(place=> #private::#assertion(&__cacheado_kind);))
        });
        let kept = quote_spanned!(generated()=> #private::stored(__cacheado_kind).kept_());
        let shape = if self.options.local.is_none() {
            quote_spanned!(generated()=> #kept.codec_())
        } else {
            quote_spanned!(generated()=> #kept.local_())
        };
        quote_spanned!(generated()=>
            let __cacheado_shape = {
                use #private::choose::*;
                let __cacheado_probe = #probe;
                let __cacheado_kind = #kind;
                #(#assertions)*
                #shape
            };
        )
    }

    /// The cache of this call: an expression.
    fn cache(&self) -> TokenStream {
        match &self.options.cache {
            None => {
                let private = private();
                quote_spanned!(generated()=> #private::ambient())
            }
            Some(expression) => {
                let borrowed = crate::krate::borrowed(expression);
                let place = super::args::span_of(expression);
                let private = private_at(place);
                quote_spanned!(generated_at(place)=> #private::explicit(#borrowed))
            }
        }
    }
}

/// `expression` after all that it needs to know, in a block of its own.
fn after(patterns: &TokenStream, statements: &TokenStream, expression: TokenStream) -> TokenStream {
    if patterns.is_empty() && statements.is_empty() {
        return expression;
    }
    quote_spanned!(generated()=> {
        #patterns
        #statements
        let __cacheado_value = #expression;
        __cacheado_value
    })
}
