//! The arguments of `#[cached]`: their names, and how each is written.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::suggest;

/// One argument.
pub(super) struct Spec {
    pub name: &'static str,
    /// How it is written, for errors.
    pub usage: &'static str,
}

const fn spec(name: &'static str, usage: &'static str) -> Spec {
    Spec { name, usage }
}

/// Every argument, in the order of the documentation.
pub(super) const ALL: &[Spec] = &[
    spec("ttl", "write `ttl = 300` (seconds), `ttl = \"5m\"` or an expression for a `Duration`"),
    spec("ttl_with", "write `ttl_with = path::to::function`, of the form `fn(&T) -> Duration`"),
    spec("scope", "write `scope = \"user\"`, `scope = path::to::module::user` or `scope = ambient`"),
    spec("scope_args", "write `scope_args(org_id = ctx.org.id)`"),
    spec("key", "write `key(a, b)` or `key = EXPRESSION`"),
    spec("skip", "write `skip(db, ctx)`"),
    spec("tags", "write `tags(\"user:{user_id}\", \"catalogue\")`"),
    spec("name", "write `name = \"billing.invoice\"`"),
    spec("version", "write `version = 2`"),
    spec("cache", "write `cache = self.cache`, or another expression for a `Cache`"),
    spec("cache_none", "write `cache_none` or `cache_none = \"30s\"`"),
    spec("cache_err", "write `cache_err = \"5s\"`"),
    spec("cache_if", "write `cache_if = path::to::function`, of the form `fn(&R) -> bool`"),
    spec("stale", "write `stale = \"1m\"`"),
    spec("stale_if_error", "write `stale_if_error = \"1h\"`"),
    spec("early", "write `early = 1.0` (the beta of XFetch; 1 unless you know better)"),
    spec("jitter", "write `jitter = 0.1` (by which part each lifetime may be shortened, from 0 to 1)"),
    spec("timeout", "write `timeout = \"2s\"`"),
    spec(
        "single_flight",
        "write `single_flight = true`, `single_flight = false` or `single_flight = \"distributed\"`",
    ),
    spec("refresh_if", "write `refresh_if = EXPRESSION`, a `bool` over the arguments"),
    spec("on_backend_error", "write `on_backend_error = \"compute\"` or `on_backend_error = \"error\"`"),
    spec("local", "write `local` alone"),
    spec("remote", "write `remote` alone"),
    spec("companions", "write `companions = false`"),
    spec("crate", "write `crate = path::to::cacheado`"),
    spec("batch", "write `batch(ids)`, with the name of one parameter, a `&[Id]` or a `Vec<Id>`"),
];

/// The argument of this name.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}

/// How to write the argument `name`; for an unknown one, which there are.
pub(super) fn usage(name: &Ident) -> String {
    find(&name.unraw().to_string())
        .map_or_else(|| format!("valid arguments are {}", list()), |spec| spec.usage.to_owned())
}

/// The names, in back quotes.
pub(super) fn list() -> String {
    suggest::list(all())
}

/// The names.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|spec| spec.name)
}
