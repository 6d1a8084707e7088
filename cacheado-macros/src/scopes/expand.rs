//! The module: one public function a level, the tree, and what `#[cached]` uses.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::ext::IdentExt;

use super::parse::{Head, Level, ScopeModule};
use crate::krate::{Krate, generated, generated_at, private};

/// A level under its ancestors, the root first, itself last.
struct Chain<'a>(Vec<&'a Level>);

impl<'a> Chain<'a> {
    /// The chains of all levels, ancestors before descendants.
    fn all(levels: &'a [Level]) -> Vec<Self> {
        let mut chains = Vec::new();
        collect(levels, &[], &mut chains);
        chains
    }

    fn level(&self) -> Option<&'a Level> {
        self.0.last().copied()
    }

    fn parent(&self) -> Option<&'a Level> {
        self.0.iter().rev().nth(1).copied()
    }

    /// `organization(org_id) > user(user_id)`
    fn text(&self) -> String {
        let levels: Vec<_> = self
            .0
            .iter()
            .map(|level| format!("{}({})", text(&level.name), text(&level.param.name)))
            .collect();
        levels.join(" > ")
    }
}

fn collect<'a>(levels: &'a [Level], above: &[&'a Level], chains: &mut Vec<Chain<'a>>) {
    for level in levels {
        let mut chain = above.to_vec();
        chain.push(level);
        chains.push(Chain(chain.clone()));
        collect(&level.children, &chain, chains);
    }
}

fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

pub(super) fn expand(module: &ScopeModule, unique: &str) -> TokenStream {
    let ScopeModule { head, levels } = module;
    let Head { attrs, vis, name, .. } = head;
    let krate = head.krate.in_child_module();
    let import = krate.import();
    let chains = Chain::all(levels);
    let functions: TokenStream = chains.iter().map(|chain| function(chain, &krate)).collect();
    let hidden: TokenStream = chains.iter().map(|chain| hidden(chain, &krate)).collect();
    let tree = tree(&chains, &krate);
    let asks = asks(&chains, head, unique);
    let documented = attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
    let documentation = (!documented).then(|| {
        let lines: Vec<String> = chains.iter().map(|chain| format!("- `{}`", chain.text())).collect();
        let text = format!("The scopes that values are cached in:\n\n{}", lines.join("\n"));
        quote!(#[doc = #text])
    });
    quote_spanned!(generated()=>
        #documentation
        #(#attrs)*
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications, unreachable_pub)]
        #[allow(dead_code, non_local_definitions, clippy::impl_trait_in_params)]
        #vis mod #name {
            #[allow(unused_imports)]
            use super::*;
            #import
            #functions
            #tree
            #hidden
            #asks
        }
    )
}

/// `pub fn user(org_id: impl Borrow<OrgId>, user_id: impl ScopeValue) -> Scope`
fn function(chain: &Chain<'_>, krate: &Krate) -> TokenStream {
    let Some(level) = chain.level() else { return TokenStream::new() };
    let (name, private) = (&level.name, private());
    let parameters = chain.0.iter().map(|level| {
        let parameter = &level.param.name;
        if level.param.is_text() {
            quote_spanned!(generated()=> #parameter: impl #private::ScopeText)
        } else if let Some(ty) = &level.param.ty {
            quote_spanned!(generated()=> #parameter: impl ::core::borrow::Borrow<#ty>)
        } else {
            quote_spanned!(generated()=> #parameter: impl #krate::ScopeValue)
        }
    });
    let steps = chain.0.iter().map(|level| {
        let (name, parameter) = (text(&level.name), &level.param.name);
        let ty = level.param.ty.as_ref().filter(|_| !level.param.is_text());
        let value = if let Some(ty) = ty {
            let span = generated_at(ty_span(ty));
            quote_spanned!(span=> #private::scope_value(::core::borrow::Borrow::<#ty>::borrow(&#parameter)))
        } else {
            quote_spanned!(generated()=> #private::scope_value(&#parameter))
        };
        quote_spanned!(generated()=> (#name, #value))
    });
    let docs = &level.docs;
    let documentation = format!("The scope `{}`.", chain.text());
    // After what the user says of the level, as a paragraph of its own.
    let gap = (!docs.is_empty()).then(|| quote_spanned!(generated()=> #[doc = ""]));
    quote_spanned!(generated()=>
        #(#docs)*
        #gap
        #[doc = #documentation]
        #[must_use]
        pub fn #name(#(#parameters),*) -> #krate::Scope {
            #private::scope(&[#(#steps),*])
        }
    )
}

fn ty_span(ty: &syn::Type) -> proc_macro2::Span {
    syn::Error::new_spanned(ty, "").span()
}

/// What `#[cached]` calls: values by reference, any of which may be missing.
fn hidden(chain: &Chain<'_>, krate: &Krate) -> TokenStream {
    let Some(level) = chain.level() else { return TokenStream::new() };
    let (name, private) = (hidden_name(&level.name), private());
    let parameters = chain.0.iter().map(|level| {
        let parameter = &level.param.name;
        if level.param.is_text() {
            quote_spanned!(generated()=> #parameter: &impl #private::ScopeText)
        } else if let Some(ty) = &level.param.ty {
            quote_spanned!(generated()=> #parameter: &#ty)
        } else {
            quote_spanned!(generated()=> #parameter: &impl #private::ScopeSource)
        }
    });
    let steps = chain.0.iter().map(|level| {
        let (name, parameter) = (text(&level.name), &level.param.name);
        let value = if level.param.is_text() {
            quote_spanned!(generated()=> ::core::option::Option::Some(#private::scope_value(#parameter)))
        } else if let Some(ty) = &level.param.ty {
            let span = generated_at(ty_span(ty));
            let value = quote_spanned!(span=> ::core::borrow::Borrow::<#ty>::borrow(#parameter));
            quote_spanned!(span=> ::core::option::Option::Some(#private::scope_value(#value)))
        } else {
            quote_spanned!(generated()=> #private::ScopeSource::scope_source(#parameter))
        };
        quote_spanned!(generated()=> (#name, #value))
    });
    quote_spanned!(generated()=>
        #[doc(hidden)]
        #[must_use]
        pub fn #name(#(#parameters),*) -> ::core::option::Option<#krate::Scope> {
            #private::scope_path(&[#(#steps),*])
        }
    )
}

/// The name of a level's hidden function.
pub(super) fn hidden_name(level: &Ident) -> Ident {
    format_ident!("__level_{}", level.unraw(), span = level.span())
}

/// `pub fn tree() -> &'static ScopeTree`
fn tree(chains: &[Chain<'_>], krate: &Krate) -> TokenStream {
    let private = private();
    let rows = chains.iter().filter_map(|chain| {
        let level = chain.level()?;
        let (name, parameter) = (text(&level.name), text(&level.param.name));
        let parent = if let Some(parent) = chain.parent() {
            let parent = text(&parent.name);
            quote_spanned!(generated()=> ::core::option::Option::Some(#parent))
        } else {
            quote_spanned!(generated()=> ::core::option::Option::None)
        };
        Some(quote_spanned!(generated()=> (#name, #parameter, #parent)))
    });
    quote_spanned!(generated()=>
        /// The levels of this module, for what is known only at run time.
        #[must_use]
        pub fn tree() -> &'static #krate::ScopeTree {
            static __CACHEADO_TREE: ::std::sync::LazyLock<#krate::ScopeTree> =
                ::std::sync::LazyLock::new(|| #private::tree(&[#(#rows),*]));
            &__CACHEADO_TREE
        }
    )
}

/// `__scope!`: adds a level's chain to the payload of `#[cached]` and hands both to `scope_call!`.
fn asks(chains: &[Chain<'_>], head: &Head, unique: &str) -> TokenStream {
    let arms = chains.iter().filter_map(|chain| {
        // `#[cached]` asks for it unraw, too.
        let level = chain.level()?.name.unraw();
        let steps = chain.0.iter().map(|level| {
            let (name, parameter) = (&level.name, &level.param.name);
            quote!(#name(#parameter))
        });
        Some(quote! {
            ([$($callback:tt)*] #level $payload:tt) => {
                $($callback)*! { known { #(#steps)* } $payload }
            };
        })
    });
    let levels = chains.iter().filter_map(|chain| Some(chain.level()?.name.to_token_stream()));
    let arms = quote! {
        #(#arms)*
        ([$($callback:tt)*] $level:ident $payload:tt) => {
            $($callback)*! { unknown { #(#levels)* } $payload }
        };
    };
    hidden_macro(&arms, head, unique)
}

/// The macro of these arms, as `__scope!`.
fn hidden_macro(arms: &TokenStream, head: &Head, unique: &str) -> TokenStream {
    let name = format_ident!("__cacheado_scope_{unique}");
    let exported = matches!(head.vis, Visibility::Public(_));
    let export = exported.then(|| quote!(#[macro_export]));
    let vis = if exported { quote!(pub) } else { quote!(pub(crate)) };
    quote! {
        #[doc(hidden)]
        #export
        macro_rules! #name {
            #arms
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #name as __scope;
    }
}

/// The module beside the errors of a tree: a function may have any of its levels, and no scope.
pub(super) fn mistaken(head: &Head, unique: &str) -> TokenStream {
    let Head { attrs, vis, name, .. } = head;
    let arms = quote! {
        ([$($callback:tt)*] $level:ident { path $($rest:tt)* }) => { ::core::option::Option::None };
        ([$($callback:tt)*] $level:ident { key $($rest:tt)* }) => { () };
    };
    let hidden_macro = hidden_macro(&arms, head, unique);
    quote_spanned!(generated()=> #(#attrs)* #vis mod #name { #hidden_macro })
}
