//! Tokens → spanned raw arguments. A mistake costs its own argument only: the parser goes on after the
//! next comma, so that all mistakes are reported together.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token, token};

use super::names;
use crate::errors::Errors;

/// One argument, as it was written.
pub(super) struct RawArg {
    pub name: Ident,
    pub value: RawValue,
}

/// What follows an argument's name.
pub(super) enum RawValue {
    /// `local`
    Flag,
    /// `ttl = 300`
    Assigned(Box<Expr>),
    /// `tags("user")`: what is between the parentheses.
    List(Group),
}

impl RawArg {
    /// The name as text.
    pub(super) fn key(&self) -> String {
        self.name.unraw().to_string()
    }

    /// Where to say that the value is wrong.
    pub(super) fn value_span(&self) -> Span {
        match &self.value {
            RawValue::Flag => self.name.span(),
            RawValue::Assigned(expression) => span_of(expression),
            RawValue::List(group) => group.span(),
        }
    }
}

/// The span of a whole expression, as far as the compiler can join it.
pub(super) fn span_of(tokens: impl quote::ToTokens) -> Span {
    syn::Error::new_spanned(tokens, "").span()
}

/// The arguments of the attribute that can be read. What is wrong with the others is in `errors`, and their names, as far
/// as there are any, in `unread`.
pub(super) fn parse(tokens: TokenStream, unread: &mut Vec<String>, errors: &mut Errors) -> Vec<RawArg> {
    let mut arguments = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let begin = input.fork();
            match argument(input) {
                Ok(argument) => arguments.push(argument),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input);
                    unread.extend(words_to_comma(&begin));
                }
            }
            if input.parse::<Option<Token![,]>>()?.is_none() && !input.is_empty() {
                errors.push(input.error("expected `,` between two arguments"));
                unread.extend(words_to_comma(&input.fork()));
                skip_to_comma(input);
                input.parse::<Option<Token![,]>>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = Parser::parse2(parser, tokens) {
        errors.push(error);
    }
    arguments
}

fn argument(input: ParseStream<'_>) -> syn::Result<RawArg> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected the name of an argument; valid are {}", names::list())));
    }
    let name = Ident::parse_any(input)?;
    let value = if input.peek(Token![=]) && !input.peek(Token![==]) {
        let equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(
                equals.span,
                format!("`{name}` has no value: {}", names::usage(&name)),
            ));
        }
        let ahead = input.fork();
        let expression = ahead.parse().map_err(|error| {
            // After the last token there is no place to show.
            let place = if ahead.is_empty() { equals.span } else { error.span() };
            syn::Error::new(place, format!("{error}, in the value of `{name}`: {}", names::usage(&name)))
        })?;
        input.advance_to(&ahead);
        RawValue::Assigned(Box::new(expression))
    } else if input.peek(token::Paren) {
        RawValue::List(input.call(group)?)
    } else if input.is_empty() || input.peek(Token![,]) {
        RawValue::Flag
    } else {
        return Err(input.error(format!("expected `=`, `(` or `,` after `{name}`: {}", names::usage(&name))));
    };
    Ok(RawArg { name, value })
}

fn group(input: ParseStream<'_>) -> syn::Result<Group> {
    let group: Group = input.parse()?;
    debug_assert_eq!(group.delimiter(), Delimiter::Parenthesis);
    Ok(group)
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn words_to_comma(input: ParseStream<'_>) -> Vec<String> {
    let mut words = Vec::new();
    while !input.peek(Token![,]) {
        match input.parse() {
            Ok(TokenTree::Ident(word)) => words.push(word.unraw().to_string()),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    words
}
