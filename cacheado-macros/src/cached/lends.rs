//! What a parameter borrows, which a body that goes on without its caller must not.

use syn::{GenericArgument, PathArguments, Receiver, ReceiverKind, Type};

use super::params::borrows_mutably;
use crate::types::bare;

/// What a body has to do with a parameter that goes on without its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lends {
    /// It is moved.
    Nothing,
    /// `&T`: it is copied, and lent again.
    Shared,
    /// `&mut T`: it cannot be copied, as the caller wants to see what becomes of it.
    Mutably,
    /// `Option<&T>`, `&&T`: what is inside cannot be copied without knowing the type.
    Inside,
}

impl Lends {
    pub(super) fn of(ty: &Type) -> Self {
        match bare(ty) {
            _ if borrows_mutably(ty) => Self::Mutably,
            Type::Reference(reference) if is_static(reference.lifetime.as_ref()) => Self::Nothing,
            Type::Reference(reference) if borrows(&reference.elem) => Self::Inside,
            Type::Reference(_) => Self::Shared,
            _ if borrows(ty) => Self::Inside,
            _ => Self::Nothing,
        }
    }

    pub(super) fn of_receiver(receiver: &Receiver) -> Self {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) if mutability.is_some() => Self::Mutably,
            ReceiverKind::Reference(..) => Self::Shared,
            ReceiverKind::Typed(_, ty) => Self::of(ty),
            _ => Self::Nothing,
        }
    }
}

fn is_static(lifetime: Option<&syn::Lifetime>) -> bool {
    lifetime.is_some_and(|lifetime| lifetime.ident == "static")
}

/// Whether the type, as it is spelled, holds a reference or a lifetime that ends. Those of `Fn(&str)` are its
/// own.
fn borrows(ty: &Type) -> bool {
    match bare(ty) {
        Type::Reference(reference) => !is_static(reference.lifetime.as_ref()) || borrows(&reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(borrows),
        Type::Array(array) => borrows(&array.elem),
        Type::Slice(slice) => borrows(&slice.elem),
        Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().any(|argument| match argument {
                    GenericArgument::Lifetime(lifetime) => !is_static(Some(lifetime)),
                    GenericArgument::Type(inner) => borrows(inner),
                    GenericArgument::AssocType(inner) => borrows(&inner.ty),
                    _ => false,
                })
            }
            _ => false,
        }),
        _ => false,
    }
}
