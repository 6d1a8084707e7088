//! `#[key(crate = path)]` on a type and `#[key(skip)]` on a field.

use proc_macro2::TokenTree;
use syn::{Attribute, Path};

use crate::errors::Errors;

fn keys(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("key"))
}

/// The renamed runtime crate, if any.
pub(super) fn krate(attributes: &[Attribute]) -> syn::Result<Option<Path>> {
    let mut errors = Errors::default();
    let mut path = None;
    for attribute in keys(attributes) {
        if is_empty(attribute) {
            errors.over(attribute, "`#[key()]` says nothing; on a type, it takes `crate = path`");
        }
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") && path.is_none() {
                let value = meta.value()?;
                let wrong = |_| value.error("expected a path: write `#[key(crate = path::to::cacheado)]`");
                path = Some(value.call(Path::parse_mod_style).map_err(wrong)?);
                return Ok(());
            }
            let message = if meta.path.is_ident("crate") {
                "`crate` is given twice; keep one of them"
            } else {
                "on a type, `#[key(..)]` takes `crate = path`; `skip` goes on a field"
            };
            Err(meta.error(message))
        });
        errors.take(parsed);
    }
    errors.finish(path)
}

/// Whether a field is left out of the key.
pub(super) fn skip(attributes: &[Attribute]) -> syn::Result<bool> {
    let mut skip = false;
    for attribute in keys(attributes) {
        if is_empty(attribute) {
            let problem = "`#[key()]` says nothing; write `#[key(skip)]` to leave the field out of the key, or remove it";
            return Err(syn::Error::new_spanned(attribute, problem));
        }
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("skip") && meta.input.is_empty() {
                skip = true;
                return Ok(());
            }
            Err(meta.error("on a field, `#[key(..)]` takes `skip` alone"))
        })?;
    }
    Ok(skip)
}

/// `#[key()]`, which looks as if it did something.
fn is_empty(attribute: &Attribute) -> bool {
    attribute.meta.require_list().is_ok_and(|list| list.tokens.is_empty())
}

/// Whether the type is `#[repr(packed)]`, or `packed(..)`.
pub(super) fn is_packed(attributes: &[Attribute]) -> bool {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("repr"));
    let mut words = lists.filter_map(|list| Some(list.meta.require_list().ok()?.tokens.clone())).flatten();
    words.any(|word| matches!(word, TokenTree::Ident(word) if word == "packed"))
}

/// Variants take no `#[key(..)]`.
pub(super) fn none(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in keys(attributes) {
        errors.over(attribute, "`#[key(skip)]` goes on a field, not on a variant");
    }
}
