//! Which parameters make the key.

use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr};

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
    /// The names whose values are in the key with it.
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
                let flag = options.refresh_if.as_ref().and_then(flag_in);
                let skipped: Vec<String> = options.skip.iter().chain(flag).map(text).collect();
                Self::Parts(params.0.iter().flat_map(|param| Part::unless(&skipped, param)).collect())
            }
        }
    }

    /// Whether the value of this name is in the key.
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Parts(parts) => parts.iter().any(|part| part.names.iter().any(|known| known == name)),
        }
    }
}

/// The parameter that `refresh_if` consists of: a call that refreshes writes the entry that others read, so
/// the flag is no part of the key unless `key(..)` names it.
fn flag_in(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Unary(unary) => flag_in(&unary.expr),
        Expr::Paren(paren) => flag_in(&paren.expr),
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
