//! `scope_call!`: the second half of `#[cached(scope = …)]`. Its input is made by `cached/expand/scope.rs`
//! (the payload) and by the `__scope!` of a scope module (the chain), never by hand:
//!
//! ```text
//! known { organization(org_id) user(user_id) } { path loud "profile" [P] [scopes] user [org_id: held,] { } { } }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Token, braced, bracketed, parenthesized};

use crate::errors::Errors;
use crate::krate::generated;
use crate::suggest;

/// The expression that the call stands for, or the errors at the user's tokens.
pub(crate) fn scope_call(input: TokenStream) -> TokenStream {
    match syn::parse2::<Question>(input) {
        Ok(question) => question.answer(),
        Err(error) => error.to_compile_error(),
    }
}

struct Question {
    /// Whether the level exists.
    known: bool,
    /// The chain of a known level, root first; for an unknown one, the levels that there are.
    chain: Vec<(Ident, Option<Ident>)>,
    /// `path`: the scope. Else `key`: the key, with the values that its other parts do not hold.
    path: bool,
    /// Report errors. A quiet copy of the same question leaves that to the loud one.
    loud: bool,
    function: LitStr,
    private: TokenStream,
    module: TokenStream,
    level: Ident,
    /// Names in the signature, and whether the key holds their values.
    parameters: Vec<(Ident, bool)>,
    /// `scope_args`: already borrowed.
    given: Vec<(Ident, TokenStream)>,
    /// The other parts of the key.
    parts: Vec<TokenStream>,
}

impl Parse for Question {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let known = input.call(Ident::parse_any)? == "known";
        let content;
        braced!(content in input);
        let mut chain = Vec::new();
        while !content.is_empty() {
            let name = content.call(Ident::parse_any)?;
            let parameter = if content.peek(syn::token::Paren) {
                let inner;
                parenthesized!(inner in content);
                Some(inner.call(Ident::parse_any)?)
            } else {
                None
            };
            chain.push((name, parameter));
        }
        let payload;
        braced!(payload in input);
        let path = payload.call(Ident::parse_any)? == "path";
        let loud = payload.call(Ident::parse_any)? == "loud";
        let function = payload.parse()?;
        let private = in_brackets(&payload)?;
        let module = in_brackets(&payload)?;
        let level = payload.call(Ident::parse_any)?;
        let parameters;
        bracketed!(parameters in payload);
        let parameters =
            Punctuated::<(Ident, bool), Token![,]>::parse_terminated_with(&parameters, |input| {
                let name = input.call(Ident::parse_any)?;
                input.parse::<Token![:]>()?;
                Ok((name, input.call(Ident::parse_any)? == "held"))
            })?;
        let given;
        braced!(given in payload);
        let given = Punctuated::<(Ident, TokenStream), Token![,]>::parse_terminated_with(&given, |input| {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            Ok((name, in_brackets(input)?))
        })?;
        let content;
        braced!(content in payload);
        let mut parts = Vec::new();
        while !content.is_empty() {
            parts.push(in_brackets(&content)?);
        }
        Ok(Self {
            known,
            chain,
            path,
            loud,
            function,
            private,
            module,
            level,
            parameters: parameters.into_iter().collect(),
            given: given.into_iter().collect(),
            parts,
        })
    }
}

fn in_brackets(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let content;
    bracketed!(content in input);
    content.parse()
}

impl Question {
    fn answer(&self) -> TokenStream {
        match self.values() {
            Ok(values) if self.path => {
                let (module, name) = (&self.module, super::expand::hidden_name(&self.level));
                let values = values.iter().map(|value| &value.tokens);
                quote_spanned!(generated()=> #module::#name(#(#values),*))
            }
            Ok(values) => {
                let private = &self.private;
                let parts = values.iter().filter(|value| !value.held).map(|value| {
                    let (tokens, span) = (&value.tokens, crate::krate::generated_at(value.span));
                    quote_spanned!(span=> #private::Part(#tokens).checked())
                });
                let parts: Vec<_> = self.parts.iter().cloned().chain(parts).collect();
                crate::cached::tuple(&parts)
            }
            Err(error) if self.loud => {
                let errors = error.to_compile_error();
                quote_spanned!(generated()=> { #errors ::core::option::Option::None })
            }
            Err(_) if self.path => quote_spanned!(generated()=> ::core::option::Option::None),
            Err(_) => quote_spanned!(generated()=> ()),
        }
    }

    /// The value of each level of the chain.
    fn values(&self) -> syn::Result<Vec<Value>> {
        if !self.known {
            return Err(self.unknown_level());
        }
        let mut errors = Errors::default();
        // Each is most likely meant for one of those that are missing, which then are no mistakes of their own.
        let mut misnamed = 0_usize;
        for (name, _) in &self.given {
            let is_known = self.chain.iter().any(|(_, parameter)| {
                parameter.as_ref().is_some_and(|parameter| parameter.unraw() == name.unraw())
            });
            if !is_known {
                errors.at(name.span(), self.unknown_value(name));
                misnamed += 1;
            }
        }
        let mut values = Vec::new();
        for (level, parameter) in &self.chain {
            let Some(parameter) = parameter else { continue };
            if let Some((name, tokens)) =
                self.given.iter().find(|(name, _)| name.unraw() == parameter.unraw())
            {
                values.push(Value { tokens: tokens.clone(), held: false, span: name.span() });
            } else if let Some((name, held)) =
                self.parameters.iter().find(|(name, _)| name.unraw() == parameter.unraw())
            {
                values.push(Value {
                    tokens: quote_spanned!(name.span()=> &#name),
                    held: *held,
                    span: name.span(),
                });
            } else if misnamed > 0 {
                misnamed -= 1;
            } else {
                errors.at(self.level.span(), self.missing(level, parameter));
            }
        }
        errors.finish(values)
    }

    /// `organization(org_id) > user(user_id)`
    fn chain_text(&self) -> String {
        let levels: Vec<_> = self
            .chain
            .iter()
            .map(|(level, parameter)| match parameter {
                Some(parameter) => format!("{}({})", level.unraw(), parameter.unraw()),
                None => level.unraw().to_string(),
            })
            .collect();
        levels.join(" > ")
    }

    fn unknown_level(&self) -> syn::Error {
        let levels: Vec<String> = self.chain.iter().map(|(level, _)| level.unraw().to_string()).collect();
        let name = self.level.unraw().to_string();
        let hint = suggest::did_you_mean(&name, levels.iter().map(String::as_str));
        let module: String = self.module.clone().into_iter().map(|token| token.to_string()).collect();
        let message = format!(
            "no scope level is named `{name}` in `{module}`{hint}\nthe levels are {}",
            suggest::list(levels.iter().map(String::as_str)),
        );
        syn::Error::new(self.level.span(), message)
    }

    fn unknown_value(&self, name: &Ident) -> String {
        let parameters: Vec<String> =
            self.chain.iter().filter_map(|(_, name)| Some(name.as_ref()?.unraw().to_string())).collect();
        let names = || parameters.iter().map(String::as_str);
        let hint = suggest::did_you_mean(&name.unraw().to_string(), names());
        format!(
            "scope `{}` has no value `{name}`{hint}\nits chain is {}, so `scope_args` may name {}",
            self.level.unraw(),
            self.chain_text(),
            suggest::list(names()),
        )
    }

    fn missing(&self, level: &Ident, parameter: &Ident) -> String {
        let (scope, parameter) = (self.level.unraw(), parameter.unraw());
        let of = if level.unraw() == scope { String::new() } else { format!(" (of its ancestor `{level}`)") };
        format!(
            "scope `{scope}` needs `{parameter}`{of}, and `{function}` has no parameter of that name\n\
             the chain is {chain}\n\
             add a parameter `{parameter}`, or say where the value comes from: `scope_args({parameter} = …)`",
            function = self.function.value(),
            chain = self.chain_text(),
        )
    }
}

/// One value of the path.
struct Value {
    /// A reference to it.
    tokens: TokenStream,
    /// Whether the key holds it already.
    held: bool,
    span: Span,
}
