//! The tree, as it is written: `pub mod scopes { organization(org_id: OrgId) { user(user_id) } }`.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, Ident, Path, PathSegment, Token, Type, TypePath, Visibility, braced, parenthesized, token,
};

use crate::errors::Errors;
use crate::krate::Krate;
use crate::types::{bare, in_child_module};

/// The whole input.
pub(super) struct ScopeModule {
    pub head: Head,
    pub levels: Vec<Level>,
}

/// What stands before the braces.
pub(super) struct Head {
    pub krate: Krate,
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
}

/// One level, with what is below it.
pub(super) struct Level {
    /// Doc comments.
    pub docs: Vec<Attribute>,
    pub name: Ident,
    pub param: Param,
    pub children: Vec<Level>,
}

/// A level's parameter.
pub(super) struct Param {
    pub name: Ident,
    pub ty: Option<Type>,
}

impl Param {
    /// Where the type borrows, other than for ever, and other than a text.
    pub(super) fn borrowed(&self) -> Option<Span> {
        let ty = self.ty.as_ref().filter(|_| !self.is_text())?;
        borrowed(ty.to_token_stream())
    }

    /// Whether the type is a text: owned or borrowed, it is the same value.
    pub(super) fn is_text(&self) -> bool {
        match self.ty.as_ref().map(bare) {
            Some(Type::Reference(reference)) => {
                let is_plain = reference.lifetime.is_none() && reference.mutability.is_none();
                is_plain && is_path_to(&reference.elem, &["str"])
            }
            Some(ty) => {
                let owned: [&[&str]; 3] =
                    [&["String"], &["std", "string", "String"], &["alloc", "string", "String"]];
                is_path_to(ty, &["str"]) || owned.iter().any(|path| is_path_to(ty, path))
            }
            None => false,
        }
    }
}

/// A lifetime that is not `'static`, or a `&` without any.
fn borrowed(tokens: TokenStream) -> Option<Span> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if names_its_own(&token) {
            return None;
        }
        let next = tokens.peek();
        let is_at_fault = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                !matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == '\'')
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                !matches!(next, Some(TokenTree::Ident(name)) if name == "static")
            }
            // Behind it stands the length of an array.
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            // In braces stands the value of a const parameter.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                if let Some(place) = borrowed(group.stream()) {
                    return Some(place);
                }
                false
            }
            _ => false,
        };
        if is_at_fault {
            return Some(token.span());
        }
    }
    None
}

/// Whether what follows can have lifetimes that it names itself: `fn(&u8)`, `dyn for<'a> Fn(&'a u8)`. rustc checks those.
fn names_its_own(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if ["fn", "for", "Fn", "FnMut", "FnOnce"].iter().any(|it| word == it))
}

fn is_path_to(ty: &Type, names: &[&str]) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = bare(ty) else { return false };
    let is_named =
        |(segment, name): (&PathSegment, &&str)| segment.arguments.is_none() && segment.ident == *name;
    path.segments.len() == names.len() && path.segments.iter().zip(names).all(is_named)
}

impl Parse for ScopeModule {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let head: Head = input.parse()?;
        let content;
        let brace = braced!(content in input);
        let levels = levels(&content)?;
        if levels.is_empty() {
            return Err(syn::Error::new(
                brace.span.join(),
                format!("`{}` has no level: write at least one, as in `organization(org_id)`", head.name),
            ));
        }
        if !input.is_empty() {
            return Err(input.error("one `scopes!` makes one module; several trees go into the same braces"));
        }
        Ok(Self { head, levels })
    }
}

impl Head {
    /// The head of an input, whatever follows.
    pub(super) fn of(input: TokenStream) -> syn::Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let head = input.parse()?;
            input.parse::<TokenStream>()?;
            Ok(head)
        };
        parser.parse2(input)
    }
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            let wrong = |_| input.error("expected a path: write `crate = path::to::cacheado;`");
            let path = input.call(Path::parse_mod_style).map_err(wrong)?;
            input.parse::<Token![;]>()?;
            Some(path)
        } else {
            None
        };
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !input.peek(Token![mod]) {
            return Err(
                input.error("expected a module: `pub mod scopes { organization(org_id) { user(user_id) } }`")
            );
        }
        input.parse::<Token![mod]>()?;
        Ok(Self { krate: Krate::new(krate), attrs, vis, name: input.parse()? })
    }
}

fn levels(input: ParseStream<'_>) -> syn::Result<Vec<Level>> {
    let mut levels = Vec::new();
    while !input.is_empty() {
        levels.push(input.parse()?);
        // A comma or semicolon between levels is harmless.
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        }
    }
    Ok(levels)
}

impl Parse for Level {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let docs = input.call(Attribute::parse_outer)?;
        let mut errors = Errors::default();
        for other in docs.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
            errors.over(other, "a level takes doc comments, and no other attribute");
        }
        errors.finish(())?;
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected a level: `user(user_id)` or `user(user_id: UserId)`"));
        }
        let name = Ident::parse_any(input)?;
        if !input.peek(token::Paren) {
            return Err(syn::Error::new(name.span(), missing(&name)));
        }
        let content;
        let paren = parenthesized!(content in input);
        if content.is_empty() {
            return Err(syn::Error::new(paren.span.join(), missing(&name)));
        }
        let param = Param {
            name: content.parse()?,
            ty: if content.peek(Token![:]) {
                content.parse::<Token![:]>()?;
                // It stands in the module that is made, and was written beside it.
                Some(in_child_module(content.parse()?))
            } else {
                None
            },
        };
        content.parse::<Option<Token![,]>>()?;
        if !content.is_empty() {
            return Err(content
                .error(format!("a level has one parameter; put the next level inside `{name}`'s braces")));
        }
        let children = if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            levels(&content)?
        } else {
            Vec::new()
        };
        Ok(Self { docs, name, param, children })
    }
}

fn missing(name: &Ident) -> String {
    format!("level `{name}` has no parameter: write `{name}({name}_id)` or `{name}({name}_id: Type)`")
}
