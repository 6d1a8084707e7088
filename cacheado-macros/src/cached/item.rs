//! The annotated function. Only its head is parsed; the body stays the tokens that the user wrote.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Ident, Signature, Token, Visibility, token};

/// A function item with an unparsed body.
pub(super) struct Function {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub signature: Signature,
    /// Always in braces, without inner attributes: those are in `attrs`.
    pub body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let ahead = input.fork();
        if !is_function(&ahead) {
            return Err(
                input.error("`#[cached]` stands on a function: `fn` or `async fn`, free or in an `impl`")
            );
        }
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(syn::Error::new(
                signature.ident.span(),
                "`#[cached]` needs a function with a body; put it on the method in the `impl`",
            ));
        }
        let body = body(input)?;
        let mut function = Self { attrs, vis, signature, body };
        function.hoist_inner_attributes()?;
        Ok(function)
    }
}

/// The braces, which a macro by example that was given a `block` hands on within a group without delimiters.
fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    if !input.peek(token::Brace) {
        return Err(input.error("expected the body of the function"));
    }
    match input.parse()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => body.parse2(group.stream()),
        TokenTree::Group(group) => Ok(group),
        other => Err(syn::Error::new(other.span(), "expected the body of the function")),
    }
}

/// Whether a function's head begins here: qualifiers, then `fn`.
fn is_function(input: ParseStream<'_>) -> bool {
    while !input.is_empty() {
        if input.peek(Token![fn]) {
            return true;
        }
        let qualifier = input.peek(Token![const])
            || input.peek(Token![async])
            || input.peek(Token![unsafe])
            || input.peek(Token![extern])
            || input.peek(syn::LitStr);
        if !qualifier || input.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    false
}

impl Function {
    /// `#![…]` at the head of the body becomes `#[…]` on the function, which means the same.
    fn hoist_inner_attributes(&mut self) -> syn::Result<()> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_inner)?;
            Ok((attributes, input.parse::<TokenStream>()?))
        };
        let (inner, rest) = Parser::parse2(parser, self.body.stream())?;
        if inner.is_empty() {
            return Ok(());
        }
        for mut attribute in inner {
            attribute.style = syn::AttrStyle::Outer;
            self.attrs.push(attribute);
        }
        let mut body = Group::new(Delimiter::Brace, rest);
        body.set_span(self.body.span());
        self.body = body;
        Ok(())
    }

    /// The function's name without `r#`.
    pub(super) fn name(&self) -> String {
        self.signature.ident.unraw().to_string()
    }

    /// The name of a sibling, where errors about the function are shown.
    pub(super) fn sibling(&self, suffix: &str) -> Ident {
        Ident::new(&format!("{}_{suffix}", self.name()), self.signature.ident.span())
    }

    pub(super) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }
}
