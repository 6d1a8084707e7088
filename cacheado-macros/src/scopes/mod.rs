//! `scopes!`, in stages: [`parse`] → [`validate`] → [`expand`]; and [`call`], the hidden macro by which
//! `#[cached]` asks a scope module for the chain of a level.

pub(crate) mod call;
mod expand;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

/// The module that `scopes! { … }` stands for, or all errors and a module that keeps what names it from being errors
/// too. `unique` tells invocations in one crate apart.
pub(crate) fn scopes(input: TokenStream, unique: &str) -> TokenStream {
    let parsed = syn::parse2::<parse::ScopeModule>(input.clone()).and_then(|module| {
        validate::check(&module)?;
        Ok(module)
    });
    match parsed {
        Ok(module) => expand::expand(&module, unique),
        Err(error) => {
            let mut tokens = error.to_compile_error();
            tokens.extend(parse::Head::of(input).map(|head| expand::mistaken(&head, unique)));
            tokens
        }
    }
}
