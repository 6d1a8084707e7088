//! Types as they are spelled.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;

/// The type without parentheses, and without the invisible group that a `macro_rules` variable puts around it.
pub(crate) fn bare(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return ty,
        };
    }
}

/// The same type, for use one module deeper than where the user wrote it.
pub(crate) fn in_child_module(ty: Type) -> Type {
    syn::parse2(deeper(ty.to_token_stream())).unwrap_or(ty)
}

/// The tokens with each path that begins with `super` or `self` begun one module higher.
fn deeper(tokens: TokenStream) -> TokenStream {
    let mut deeper_tokens = TokenStream::new();
    // How many colons have just been: one of its own separates no path.
    let mut colons = 0;
    for token in tokens {
        let is_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        let is_in_path = colons == 2;
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), deeper(group.stream()));
                inner.set_span(group.span());
                deeper_tokens.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Ident(ident) if !is_in_path && (ident == "super" || ident == "self") => {
                let span = ident.span();
                let parent = Ident::new("super", span);
                let rest = (ident == "super").then(|| quote_spanned!(span=> :: #parent));
                deeper_tokens.extend(quote_spanned!(span=> #parent #rest));
            }
            other => deeper_tokens.extend([other]),
        }
        colons = if is_colon { colons + 1 } else { 0 };
    }
    deeper_tokens
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::in_child_module;

    #[test]
    fn paths_are_begun_one_module_higher() {
        for (ty, expected) in [
            ("super::Id", "super::super::Id"),
            ("super::super::Id", "super::super::super::Id"),
            ("self::Id<self::ids::Id>", "super::Id<super::ids::Id>"),
            ("self::super::Id", "super::super::Id"),
            ("(super::Id, [self::Id; { super::N }])", "(super::super::Id, [super::Id; { super::super::N }])"),
            ("<super::Id as self::Of>::Id", "<super::super::Id as super::Of>::Id"),
            ("crate::ids::Id<&'static str>", "crate::ids::Id<&'static str>"),
            ("::ids::Id", "::ids::Id"),
            ("Box<dyn Of<Id: super::Bound>>", "Box<dyn Of<Id: super::super::Bound>>"),
        ] {
            let [ty, expected] =
                [ty, expected].map(|text| syn::parse_str::<syn::Type>(text).expect("a type"));
            assert_eq!(
                in_child_module(ty).to_token_stream().to_string(),
                expected.to_token_stream().to_string()
            );
        }
    }
}
