//! The typed options of `#[cached]`. Each keeps the span at which a rule may find fault with it.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Expr, LitStr, Path};

use crate::krate::Krate;

/// A value and where it was written.
pub(super) struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// `ttl = …`
pub(super) enum Ttl {
    /// A literal: part of the static site.
    Fixed(Duration),
    /// An expression over the arguments, evaluated on a miss.
    Computed(Box<Expr>),
}

/// `cache_none`, `cache_err`: how long the outcome is kept.
#[derive(Clone, Copy)]
pub(super) enum Keep {
    AsValue,
    For(Duration),
}

/// `single_flight = …`.
#[derive(Clone, Copy)]
pub(super) enum SingleFlight {
    Off,
    Local,
    /// `"distributed"`, which stands here.
    Distributed(Span),
}

impl SingleFlight {
    /// Where it says `"distributed"`.
    pub(super) fn distributed(self) -> Option<Span> {
        match self {
            Self::Distributed(place) => Some(place),
            Self::Off | Self::Local => None,
        }
    }
}

/// `scope = …`
pub(super) enum ScopeChoice {
    /// `scope = "user"`
    Level(ScopeLevel),
    /// `scope = ambient`: that which surrounds the call.
    Ambient,
}

/// A level, and the module that `scopes!` made.
pub(super) struct ScopeLevel {
    /// `scopes` for `scope = "user"`.
    pub module: Path,
    pub level: Ident,
}

/// `key = EXPR` or `key(a, b)`.
pub(super) enum KeyChoice {
    Whole(Box<Expr>),
    Parts(Vec<Ident>),
}

/// One tag: its text and the names in its placeholders.
pub(super) struct Tag {
    pub literal: LitStr,
    pub names: Vec<String>,
    /// The text itself, where there is no placeholder.
    pub plain: Option<String>,
}

impl Options {
    /// The level of `scope = "…"`.
    pub(super) fn level(&self) -> Option<&ScopeLevel> {
        match &self.scope {
            Some(Spanned { value: ScopeChoice::Level(level), .. }) => Some(level),
            _ => None,
        }
    }

    pub(super) fn is_ambient(&self) -> bool {
        matches!(self.scope, Some(Spanned { value: ScopeChoice::Ambient, .. }))
    }
}

/// Everything that stands between the parentheses of the attribute.
pub(super) struct Options {
    pub krate: Krate,
    pub ttl: Option<Spanned<Ttl>>,
    pub ttl_with: Option<Path>,
    pub scope: Option<Spanned<ScopeChoice>>,
    pub scope_args: Option<Spanned<Vec<(Ident, Expr)>>>,
    pub key: Option<Spanned<KeyChoice>>,
    pub skip: Vec<Ident>,
    pub tags: Vec<Tag>,
    pub name: Option<LitStr>,
    pub version: Option<u32>,
    pub cache: Option<Expr>,
    pub cache_none: Option<Spanned<Keep>>,
    pub cache_err: Option<Spanned<Keep>>,
    pub cache_if: Option<Path>,
    pub stale: Option<Spanned<Duration>>,
    pub stale_if_error: Option<Spanned<Duration>>,
    pub early: Option<Spanned<f64>>,
    pub jitter: Option<f64>,
    pub timeout: Option<Spanned<Duration>>,
    pub single_flight: SingleFlight,
    pub refresh_if: Option<Expr>,
    /// `on_backend_error = "error"`.
    pub on_backend_error: Option<Span>,
    pub local: Option<Span>,
    pub remote: Option<Span>,
    pub companions: bool,
    /// `batch(ids)`: the parameter that holds the ids.
    pub batch: Option<Ident>,
    /// Arguments of which something could not be read: what is missing for that is no mistake of its own.
    pub unread: Vec<String>,
}

impl Options {
    pub(super) fn is_unread(&self, argument: &str) -> bool {
        self.unread.iter().any(|name| name == argument)
    }

    /// The argument for which the body must be able to go on without its caller.
    pub(super) fn detached(&self) -> Option<&'static str> {
        let asks = [
            ("stale", self.stale.is_some()),
            ("early", self.early.is_some()),
            ("timeout", self.timeout.is_some()),
        ];
        asks.into_iter().find(|(_, asks)| *asks).map(|(name, _)| name)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            krate: Krate::new(None),
            ttl: None,
            ttl_with: None,
            scope: None,
            scope_args: None,
            key: None,
            skip: Vec::new(),
            tags: Vec::new(),
            name: None,
            version: None,
            cache: None,
            cache_none: None,
            cache_err: None,
            cache_if: None,
            stale: None,
            stale_if_error: None,
            early: None,
            jitter: None,
            timeout: None,
            single_flight: SingleFlight::Local,
            refresh_if: None,
            on_backend_error: None,
            local: None,
            remote: None,
            companions: true,
            batch: None,
            unread: Vec::new(),
        }
    }
}
