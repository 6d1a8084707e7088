//! Where generated code finds the runtime: `::cacheado`, or what `crate = path` says.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Path;

/// The span of generated tokens: locals are hygienic, and nothing looks hand-written to a lint.
pub(crate) fn generated() -> Span {
    Span::mixed_site()
}

/// A generated token's span that errors show at `place`.
pub(crate) fn generated_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The name of `<crate>::__private`, the part of the runtime that only generated code uses, where
/// [`Krate::import`] stands before.
pub(crate) fn private() -> Ident {
    private_at(Span::call_site())
}

/// The same, with errors about it shown at `place`.
pub(crate) fn private_at(place: Span) -> Ident {
    Ident::new("__cacheado", generated_at(place))
}

/// The path of the runtime crate.
#[derive(Clone)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    pub(crate) fn new(path: Option<Path>) -> Self {
        Self(path)
    }

    /// Makes [`private`] known in a block or module. The runtime's part of the bargain is in its `private.rs`.
    pub(crate) fn import(&self) -> TokenStream {
        let version: String = env!("CARGO_PKG_VERSION")
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
            .collect();
        let same_version =
            format_ident!("cacheado_and_cacheado_macros_must_both_be_{version}", span = generated());
        let private = private();
        quote_spanned!(generated()=> use #self::__private::#same_version as #private;)
    }

    /// The same path, for use one module deeper than where the user wrote it.
    pub(crate) fn in_child_module(&self) -> Self {
        let Some(path) = &self.0 else { return self.clone() };
        let first = path.segments.first().map(|segment| segment.ident.to_string());
        let span = path.segments.first().map_or_else(Span::call_site, |segment| segment.ident.span());
        let parent = match (path.leading_colon, first.as_deref()) {
            (None, Some("self")) => {
                let rest = path.segments.iter().skip(1);
                quote_spanned!(span=> super #(:: #rest)*)
            }
            (None, Some("super")) => quote_spanned!(span=> super::#path),
            _ => return self.clone(),
        };
        Self(syn::parse2(parent).ok().or_else(|| self.0.clone()))
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote_spanned!(generated()=> ::cacheado)),
        }
    }
}

/// `&expression`, in parentheses only where precedence asks for them.
///
/// The `&` stands where the expression does, as if it were written there: a wrong type is then shown at it.
pub(crate) fn borrowed(expression: &syn::Expr) -> TokenStream {
    use syn::Expr::{Array, Call, Field, Index, Lit, Macro, MethodCall, Paren, Path, Reference, Tuple};
    match expression {
        Array(_) | Call(_) | Field(_) | Index(_) | Lit(_) | Macro(_) | MethodCall(_) | Paren(_) | Path(_)
        | Reference(_) | Tuple(_) => {
            let start = expression.to_token_stream().into_iter().next().map(|token| token.span());
            quote_spanned!(start.unwrap_or_else(generated)=> &#expression)
        }
        _ => quote_spanned!(generated()=> &(#expression)),
    }
}
