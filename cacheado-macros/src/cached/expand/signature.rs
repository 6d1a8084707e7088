//! The signatures of the function and its siblings.

use std::collections::HashSet;

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    FnArg, GenericParam, Generics, Pat, PatIdent, PatType, Receiver, ReturnType, Signature, Token, Type,
};

use super::detached::Way;
use super::{Call, attributes};
use crate::cached::captures;
use crate::cached::lends::Lends;
use crate::cached::params::{Param, ParamKind};
use crate::krate::generated;

/// The user's signature, with hidden names for patterns.
pub(super) fn of_function(call: &Call) -> Signature {
    let mut signature = call.function.signature.clone();
    for (input, param) in signature.inputs.iter_mut().zip(&call.params.0) {
        let (FnArg::Receiver(Receiver { attrs, .. }) | FnArg::Typed(PatType { attrs, .. })) = input;
        *attrs = attributes::kept(attrs);
        // The body has a copy of its own of what is lent to it, with the `mut`.
        if call.way() == Way::Detached && param.lends == Lends::Shared {
            immutable(input);
        }
        if let (FnArg::Typed(typed), ParamKind::Pattern { .. }) = (input, &param.kind) {
            *typed.pat = plain(&param.ident);
        }
    }
    signature
}

/// The parameter without `mut`, which stands where the body names its own.
pub(super) fn immutable(input: &mut FnArg) {
    if let FnArg::Typed(typed) = input
        && let Pat::Ident(pat) = &mut *typed.pat
    {
        pat.mutability = None;
    }
}

fn plain(ident: &Ident) -> Pat {
    Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: ident.clone(),
        subpat: None,
    })
}

fn returning(tokens: TokenStream) -> ReturnType {
    ReturnType::Type(Token![->](generated()), Box::new(Type::Verbatim(tokens)))
}

/// The same arguments, a plain `fn`, another return type.
pub(super) fn of_entry(call: &Call, returned: TokenStream) -> Signature {
    Signature {
        asyncness: None,
        // What is wrong with the sibling as such, as in a trait's `impl`, is shown at the attribute.
        fn_token: Token![fn](generated()),
        ident: call.function.sibling("entry"),
        output: returning(returned),
        ..of_function(call)
    }
}

/// The parameters that the expression for the cache mentions.
pub(super) fn needs(call: &Call) -> Vec<&Param> {
    let Some(expression) = &call.options.cache else { return Vec::new() };
    let tokens = expression.to_token_stream();
    let mut mentioned = HashSet::new();
    variables(tokens.clone(), &mut mentioned);
    let is_mentioned = |name: &String| mentioned.contains(name) || captures::may_name(tokens.clone(), name);
    let is_needed = |param: &&Param| param.bound().iter().any(is_mentioned);
    call.params.0.iter().filter(is_needed).collect()
}

/// Only the parameters in `needs`, and the generics that they, and the expression for the cache, need.
pub(super) fn of_function_cache(call: &Call, needs: &[&Param], returned: TokenStream) -> Signature {
    let function = of_function(call);
    let inputs: Punctuated<FnArg, Token![,]> = function
        .inputs
        .iter()
        .zip(&call.params.0)
        .filter(|(_, param)| needs.iter().any(|needed| needed.ident == param.ident))
        .map(|(input, _)| input.clone())
        .collect();
    let mut mentioned = HashSet::new();
    mentions(inputs.to_token_stream(), &mut mentioned);
    mentions(call.options.cache.to_token_stream(), &mut mentioned);
    Signature {
        asyncness: None,
        fn_token: Token![fn](generated()),
        ident: call.function.sibling("cache"),
        generics: reduced(&function.generics, mentioned),
        inputs,
        output: returning(returned),
        ..function
    }
}

/// The generic parameters in `mentioned`, those that their bounds mention in turn, and the predicates that
/// are about these alone.
fn reduced(generics: &Generics, mut mentioned: HashSet<String>) -> Generics {
    let names: HashSet<String> = generics.params.iter().map(name).collect();
    loop {
        let before = mentioned.len();
        for param in
            generics.params.iter().filter(|param| mentioned.contains(&name(param))).collect::<Vec<_>>()
        {
            mentions(param.to_token_stream(), &mut mentioned);
        }
        if mentioned.len() == before {
            break;
        }
    }
    let mut reduced = generics.clone();
    reduced.params =
        generics.params.iter().filter(|param| mentioned.contains(&name(param))).cloned().collect();
    if let Some(clause) = &mut reduced.where_clause {
        clause.predicates = clause
            .predicates
            .iter()
            .filter(|predicate| {
                let mut of_predicate = HashSet::new();
                mentions(predicate.to_token_stream(), &mut of_predicate);
                of_predicate.iter().all(|name| !names.contains(name) || mentioned.contains(name))
            })
            .cloned()
            .collect();
    }
    reduced
}

fn name(param: &GenericParam) -> String {
    match param {
        GenericParam::Lifetime(param) => format!("'{}", param.lifetime.ident),
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
    }
}

/// Every name in an expression that may be that of a variable: no field, method, segment of a path or macro.
pub(in crate::cached) fn variables(tokens: TokenStream, found: &mut HashSet<String>) {
    let mut before = String::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) => {
                before.push(punct.as_char());
                continue;
            }
            TokenTree::Group(group) => variables(group.stream(), found),
            TokenTree::Ident(ident) if !is_member(&before) && !tokens.peek().is_some_and(ends_name) => {
                found.insert(ident.to_string().trim_start_matches("r#").to_owned());
            }
            _ => {}
        }
        before.clear();
    }
}

/// Whether what follows this punctuation is a field, a method, a segment of a path or a lifetime. `a..b` is a range.
fn is_member(before: &str) -> bool {
    (before.ends_with('.') && !before.ends_with("..")) || before.ends_with("::") || before.ends_with('\'')
}

/// Whether the name before this token is that of a module, a type, a macro, or a field that is given a value.
fn ends_name(token: &TokenTree) -> bool {
    let TokenTree::Punct(punct) = token else { return false };
    punct.as_char() == ':' || (punct.as_char() == '!' && punct.spacing() == Spacing::Alone)
}

/// Every identifier and lifetime in `tokens`.
fn mentions(tokens: TokenStream, found: &mut HashSet<String>) {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => mentions(group.stream(), found),
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string().trim_start_matches("r#").to_owned());
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                if let Some(TokenTree::Ident(ident)) = tokens.next() {
                    found.insert(format!("'{ident}"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::variables;

    #[test]
    fn variables_are_told_from_fields_paths_and_macros() {
        let expression = r"a.field || !b.method::<u8>(c) || (0..d).contains(&e[f]) || crate::path::NAME == Type::g
            || S { given: h, ..i }.x.0.y || matches!(j, Some(_)) && k != l && self.db && self::helper() && r#m
            && ::root::n == if let Some(o) = p { 'label: loop {} } else { q }";
        let mut found = HashSet::new();
        variables(expression.parse().expect("tokens"), &mut found);
        let is_letter = |name: &&str| matches!(name.as_bytes(), [b'a'..=b'z']);
        let mut letters: Vec<_> = found.iter().map(String::as_str).filter(is_letter).collect();
        letters.sort_unstable();
        assert_eq!(letters.concat(), "abcdefhijklmopq");
    }

    #[test]
    fn self_in_a_path_is_not_the_receiver() {
        for (expression, is_receiver) in [("self::CACHE", false), ("&self.cache", true), ("(self)", true)] {
            let mut found = HashSet::new();
            variables(expression.parse().expect("tokens"), &mut found);
            assert_eq!(found.contains("self"), is_receiver, "{expression}");
        }
    }
}
