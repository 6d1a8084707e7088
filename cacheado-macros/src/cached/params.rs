//! The parameters: what the key, the tags and the scope can name, and how the body gets them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Pat, ReceiverKind, Signature, Type};

use super::lends::Lends;
use super::patterns;
use crate::krate::generated;
use crate::types::bare;

/// One parameter.
pub(super) struct Param {
    /// How generated code names it: `self`, its own name, or a hidden one for a pattern.
    pub ident: Ident,
    pub kind: ParamKind,
    /// Where errors about it are shown.
    pub span: Span,
    /// `#[cfg(..)]` attributes of the parameter.
    pub cfgs: Vec<Attribute>,
    /// `&mut`, which can be no part of a key.
    pub mutable_borrow: bool,
    /// Whether its type is spelled `bool`.
    pub is_bool: bool,
    /// What a body has to do with it that goes on without its caller.
    pub lends: Lends,
    /// `mut name`.
    pub is_mut: bool,
}

pub(super) enum ParamKind {
    Receiver,
    /// A plain name.
    Named,
    /// `(a, b)`, `_` and the like: the pattern, and the names that it binds.
    Pattern {
        pattern: Box<Pat>,
        names: Vec<Ident>,
    },
}

/// All parameters, in order.
pub(super) struct Params(pub Vec<Param>);

impl Params {
    pub(super) fn of(signature: &Signature) -> Self {
        Self(signature.inputs.iter().enumerate().map(|(index, input)| Param::of(index, input)).collect())
    }

    /// Every name that an argument of the attribute may mention, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for param in &self.0 {
            match &param.kind {
                ParamKind::Pattern { names: bound, .. } => names.extend(bound.iter().map(text)),
                _ => names.push(text(&param.ident)),
            }
        }
        names
    }

    pub(super) fn receiver(&self) -> Option<&Param> {
        self.0.iter().find(|param| matches!(param.kind, ParamKind::Receiver))
    }

    /// The parameter that has this name or binds it in its pattern.
    pub(super) fn binding(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| match &param.kind {
            ParamKind::Pattern { names, .. } => names.iter().any(|ident| text(ident) == name),
            _ => text(&param.ident) == name,
        })
    }

    /// `let (a, b) = &hidden;` for every pattern with names: for expressions that run before the body.
    pub(super) fn borrowed_patterns(&self) -> TokenStream {
        self.0.iter().filter_map(Param::borrowed_pattern).collect()
    }

    /// `let (a, b) = hidden;` for every pattern: the first statements of the body.
    pub(super) fn owned_patterns(&self) -> TokenStream {
        self.0
            .iter()
            .filter_map(|param| match &param.kind {
                ParamKind::Pattern { pattern, .. } if !matches!(**pattern, Pat::Wild(_)) => {
                    let (ident, cfgs) = (&param.ident, &param.cfgs);
                    Some(quote_spanned!(generated()=> #(#cfgs)* let #pattern = #ident;))
                }
                _ => None,
            })
            .collect()
    }
}

impl Param {
    fn of(index: usize, input: &FnArg) -> Self {
        match input {
            FnArg::Receiver(receiver) => Self {
                ident: Ident::new("self", receiver.self_token.span),
                kind: ParamKind::Receiver,
                span: receiver.self_token.span,
                cfgs: cfgs(&receiver.attrs),
                mutable_borrow: match &receiver.kind {
                    ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
                    ReceiverKind::Typed(_, ty) => borrows_mutably(ty),
                    _ => false,
                },
                is_bool: false,
                lends: Lends::of_receiver(receiver),
                is_mut: false,
            },
            FnArg::Typed(typed) => {
                let (ident, kind) = match &*typed.pat {
                    Pat::Ident(plain) if plain.by_ref.is_none() && plain.subpat.is_none() => {
                        (plain.ident.clone(), ParamKind::Named)
                    }
                    pattern => {
                        let hidden = format_ident!("__cacheado_arg{index}", span = generated());
                        let names = patterns::names(pattern);
                        (hidden, ParamKind::Pattern { pattern: Box::new(pattern.clone()), names })
                    }
                };
                Self {
                    span: match &kind {
                        ParamKind::Named => ident.span(),
                        _ => super::args::span_of(&typed.pat),
                    },
                    ident,
                    kind,
                    cfgs: cfgs(&typed.attrs),
                    mutable_borrow: borrows_mutably(&typed.ty),
                    is_bool: matches!(bare(&typed.ty), Type::Path(path) if path.path.is_ident("bool")),
                    lends: Lends::of(&typed.ty),
                    is_mut: matches!(&*typed.pat, Pat::Ident(plain) if plain.mutability.is_some()),
                }
            }
        }
    }

    /// The names by which the attribute can mention this parameter.
    pub(super) fn bound(&self) -> Vec<String> {
        match &self.kind {
            ParamKind::Pattern { names, .. } => names.iter().map(text).collect(),
            _ => vec![text(&self.ident)],
        }
    }

    /// `let (a, b) = &hidden;`, if this is a pattern that binds something.
    pub(super) fn borrowed_pattern(&self) -> Option<TokenStream> {
        match &self.kind {
            ParamKind::Pattern { pattern, names } if !names.is_empty() => {
                let (ident, cfgs) = (&self.ident, &self.cfgs);
                let pattern = patterns::by_reference(pattern);
                Some(quote_spanned!(generated()=>
                    #(#cfgs)* #[allow(unused_variables, clippy::pattern_type_mismatch)] let #pattern = &#ident;
                ))
            }
            _ => None,
        }
    }
}

/// An identifier as text, without `r#`.
pub(super) fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// `&mut T` and `Pin<&mut T>`.
pub(super) fn borrows_mutably(ty: &Type) -> bool {
    match bare(ty) {
        Type::Reference(reference) => reference.mutability.is_some(),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            segment.ident == "Pin"
                && matches!(&segment.arguments, syn::PathArguments::AngleBracketed(arguments)
                if arguments.args.iter().any(|argument| {
                    matches!(argument, syn::GenericArgument::Type(inner) if borrows_mutably(inner))
                }))
        }),
        _ => false,
    }
}
