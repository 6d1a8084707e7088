//! Types as they are spelled.

use syn::Type;

/// The type without parentheses, and without the invisible group that a `macro_rules` variable puts around it.
pub(crate) fn bare(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return ty,
        };
    }
}
