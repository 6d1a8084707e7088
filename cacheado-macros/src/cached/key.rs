//! Which parameters make the key.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Attribute, Expr};

use super::expand;
use super::model::{KeyChoice, Options};
use super::params::{Param, ParamKind, Params, text};

/// The key, decided.
pub(super) enum KeyPlan {
    /// `key = EXPR`
    Whole(Box<Expr>),
    Parts(Vec<Part>),
}

/// One part of the key: a parameter, or a name that its pattern binds.
pub(super) struct Part {
    pub ident: Ident,
    /// Where a missing `KeyPart` is reported.
    pub span: Span,
    pub cfgs: Vec<Attribute>,
    /// The names by which the attribute can mention it.
    pub names: Vec<String>,
    /// `&mut` without being skipped: an error.
    pub mutable_borrow: bool,
}

impl KeyPlan {
    pub(super) fn of(options: &Options, params: &Params) -> Self {
        match options.key.as_ref().map(|key| &key.value) {
            Some(KeyChoice::Whole(expression)) => Self::Whole(expression.clone()),
            Some(KeyChoice::Parts(names)) => Self::Parts(
                names.iter().filter_map(|name| Part::named(params.binding(&text(name))?, name)).collect(),
            ),
            None => {
                let flags = flags(options.refresh_if.as_ref(), params);
                let skipped: Vec<String> = options.skip.iter().chain(flags).map(text).collect();
                Self::Parts(params.0.iter().flat_map(|param| Part::unless(&skipped, param)).collect())
            }
        }
    }

    /// Whether the value of this name is a part of the key. One inside a pattern that is a part as a whole is not: what
    /// of it is in the key, its type decides.
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Parts(parts) => parts.iter().any(|part| text(&part.ident) == name),
        }
    }
}

/// The names that only say whether to refresh: the one that `refresh_if` consists of, of a parameter or inside its
/// pattern, and each `bool` parameter in it. A call that refreshes writes the entry that others read, so they are no
/// part of the key unless `key(..)` names them.
fn flags<'p>(refresh_if: Option<&Expr>, params: &'p Params) -> Vec<&'p Ident> {
    let Some(expression) = refresh_if else { return Vec::new() };
    let whole = whole(expression).map(text);
    let mut mentioned = HashSet::new();
    expand::variables(expression.to_token_stream(), &mut mentioned);
    let names = params.0.iter().flat_map(|param| match &param.kind {
        ParamKind::Receiver => Vec::new(),
        ParamKind::Named => vec![(&param.ident, param.is_bool)],
        // The types in a pattern are not known.
        ParamKind::Pattern { names, .. } => names.iter().map(|name| (name, false)).collect(),
    });
    let is_flag = |name: &Ident, is_bool| {
        let name = text(name);
        whole.as_ref() == Some(&name) || (is_bool && mentioned.contains(&name))
    };
    names.filter(|(name, is_bool)| is_flag(name, *is_bool)).map(|(name, _)| name).collect()
}

/// The name that an expression consists of, perhaps negated or dereferenced.
fn whole(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Unary(unary) => whole(&unary.expr),
        Expr::Paren(paren) => whole(&paren.expr),
        _ => None,
    }
}

impl Part {
    /// The whole parameter.
    fn whole(param: &Param) -> Self {
        Self {
            ident: param.ident.clone(),
            span: param.span,
            cfgs: param.cfgs.clone(),
            names: param.bound(),
            mutable_borrow: param.mutable_borrow,
        }
    }

    /// A name that the parameter's pattern binds.
    fn inside(param: &Param, ident: &Ident) -> Self {
        Self {
            ident: ident.clone(),
            span: ident.span(),
            cfgs: param.cfgs.clone(),
            names: vec![text(ident)],
            mutable_borrow: false,
        }
    }

    fn named(param: &Param, name: &Ident) -> Option<Self> {
        match &param.kind {
            ParamKind::Pattern { names, .. } => {
                let bound = names.iter().find(|bound| text(bound) == text(name))?;
                Some(Self::inside(param, bound))
            }
            _ => Some(Self::whole(param)),
        }
    }

    /// The parts that `param` gives where `skipped` is left out.
    fn unless(skipped: &[String], param: &Param) -> Vec<Self> {
        let is_skipped = |name: &String| skipped.contains(name);
        if !param.bound().iter().any(is_skipped) {
            return vec![Self::whole(param)];
        }
        match &param.kind {
            ParamKind::Pattern { names, .. } => names
                .iter()
                .filter(|name| !is_skipped(&text(name)))
                .map(|name| Self::inside(param, name))
                .collect(),
            _ => Vec::new(),
        }
    }
}
