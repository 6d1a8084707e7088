//! Rules over the whole forest. Every mistake is reported, at the name that makes it.

use syn::Ident;
use syn::ext::IdentExt;

use super::parse::{Level, ScopeModule};
use crate::errors::Errors;

pub(super) fn check(module: &ScopeModule) -> syn::Result<()> {
    let mut errors = Errors::default();
    let mut seen: Vec<&Ident> = Vec::new();
    for level in &module.levels {
        walk(level, &mut Vec::new(), &mut seen, &mut errors);
    }
    errors.finish(())
}

fn walk<'a>(level: &'a Level, chain: &mut Vec<&'a Level>, seen: &mut Vec<&'a Ident>, errors: &mut Errors) {
    let name = level.name.unraw().to_string();
    // `r#type` is a name; `type` alone is not.
    let keyword = syn::parse_str::<Ident>(&level.name.to_string()).is_err();
    if let Some(why) = reserved(&name).or_else(|| keyword.then_some("it is a keyword")) {
        errors.at(level.name.span(), format!("`{name}` cannot name a level: {why}; choose another name"));
    }
    if seen.iter().any(|earlier| earlier.unraw() == level.name.unraw()) {
        errors.at(
            level.name.span(),
            format!(
                "duplicate level `{name}`: a name stands for one level of all trees; choose another name"
            ),
        );
    }
    seen.push(&level.name);
    let param = level.param.name.unraw();
    if let Some(ancestor) = chain.iter().find(|ancestor| ancestor.param.name.unraw() == param) {
        errors.at(
            level.param.name.span(),
            format!(
                "`{param}` is already the parameter of `{}` above; each level of a chain needs its own",
                ancestor.name
            ),
        );
    } else if param.to_string().starts_with("__") {
        errors.at(level.param.name.span(), "names that begin with `__` are kept for generated code");
    }
    if let Some(place) = level.param.borrowed() {
        errors.at(
            place,
            format!(
                "`{param}` is borrowed from nothing that has a name here: write the owned type, such as `String` for a \
                 text, or leave the type out, so that any scope value is taken"
            ),
        );
    }
    chain.push(level);
    for child in &level.children {
        walk(child, chain, seen, errors);
    }
    chain.pop();
}

fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "global" => Some("it is the root of all trees"),
        "ambient" => Some("`scope = ambient` means the scope of the caller"),
        "tree" => Some("`tree()` is the function that gives the whole tree"),
        "self" | "super" | "crate" | "Self" | "_" => Some("it is a keyword"),
        name if name.starts_with("__") => Some("names that begin with `__` are kept for generated code"),
        _ => None,
    }
}
