//! Patterns in parameters: which names they bind, and the same pattern on a reference.

use proc_macro2::Ident;
use syn::Pat;

/// The names that `pattern` binds.
pub(super) fn names(pattern: &Pat) -> Vec<Ident> {
    let mut found = Vec::new();
    let mut copy = pattern.clone();
    walk(&mut copy, &mut |pattern| {
        if let Pat::Ident(binding) = pattern {
            found.push(binding.ident.clone());
        }
    });
    found
}

/// The pattern, made to match a reference to the value: no `mut`, `ref` or `&`, so that every name binds by
/// reference in every edition.
pub(super) fn by_reference(pattern: &Pat) -> Pat {
    let mut copy = pattern.clone();
    walk(&mut copy, &mut |pattern| {
        while let Pat::Reference(reference) = pattern {
            *pattern = (*reference.pat).clone();
        }
        if let Pat::Ident(binding) = pattern {
            binding.by_ref = None;
            binding.mutability = None;
        }
    });
    copy
}

/// Visits `pattern` and then what is in it.
fn walk(pattern: &mut Pat, visit: &mut impl FnMut(&mut Pat)) {
    visit(pattern);
    match pattern {
        Pat::Ident(binding) => {
            if let Some((_, inner)) = &mut binding.subpat {
                walk(inner, visit);
            }
        }
        Pat::Paren(paren) => walk(&mut paren.pat, visit),
        Pat::Reference(reference) => walk(&mut reference.pat, visit),
        Pat::Type(typed) => walk(&mut typed.pat, visit),
        Pat::Tuple(tuple) => tuple.elems.iter_mut().for_each(|inner| walk(inner, visit)),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().for_each(|inner| walk(inner, visit)),
        Pat::Slice(slice) => slice.elems.iter_mut().for_each(|inner| walk(inner, visit)),
        Pat::Struct(fields) => fields.fields.iter_mut().for_each(|field| walk(&mut field.pat, visit)),
        // Only the first case: all of them bind the same names.
        Pat::Or(or) => or.cases.iter_mut().for_each(|inner| walk(inner, visit)),
        _ => {}
    }
}
