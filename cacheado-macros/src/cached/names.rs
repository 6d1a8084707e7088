//! The arguments of `#[cached]`: their names, how each is written, and which have to wait.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::suggest;

/// One argument.
pub(super) struct Spec {
    pub name: &'static str,
    /// How it is written, for errors.
    pub usage: &'static str,
    /// Not available yet: parsed and refused.
    pub planned: bool,
}

const fn now(name: &'static str, usage: &'static str) -> Spec {
    Spec { name, usage, planned: false }
}

const fn later(name: &'static str, usage: &'static str) -> Spec {
    Spec { name, usage, planned: true }
}

/// Every argument, in the order of the documentation.
pub(super) const ALL: &[Spec] = &[
    now("ttl", "write `ttl = 300` (seconds), `ttl = \"5m\"` or an expression for a `Duration`"),
    now("ttl_with", "write `ttl_with = path::to::function`, of the form `fn(&T) -> Duration`"),
    now("scope", "write `scope = \"user\"` or `scope = path::to::module::user`"),
    now("scope_args", "write `scope_args(org_id = ctx.org.id)`"),
    now("key", "write `key(a, b)` or `key = EXPRESSION`"),
    now("skip", "write `skip(db, ctx)`"),
    now("tags", "write `tags(\"user:{user_id}\", \"catalogue\")`"),
    now("name", "write `name = \"billing.invoice\"`"),
    now("version", "write `version = 2`"),
    now("cache", "write `cache = self.cache`, or another expression for a `Cache`"),
    now("cache_none", "write `cache_none` or `cache_none = \"30s\"`"),
    now("cache_err", "write `cache_err = \"5s\"`"),
    now("cache_if", "write `cache_if = path::to::function`, of the form `fn(&R) -> bool`"),
    now("stale", "write `stale = \"1m\"`"),
    now("stale_if_error", "write `stale_if_error = \"1h\"`"),
    now("early", "write `early = 1.0`: the beta of XFetch, 1 unless you know better"),
    now("jitter", "write `jitter = 0.1`: by which part each lifetime may be shortened, from 0 to 1"),
    now("timeout", "write `timeout = \"2s\"`"),
    now("single_flight", "write `single_flight = true` or `single_flight = false`"),
    now("refresh_if", "write `refresh_if = EXPRESSION`, a `bool` over the arguments"),
    now("on_backend_error", "write `on_backend_error = \"compute\"` or `on_backend_error = \"error\"`"),
    now("local", "write `local` alone"),
    now("remote", "write `remote` alone"),
    now("companions", "write `companions = false`"),
    now("crate", "write `crate = path::to::cacheado`"),
    later("batch", "write `batch(..)`"),
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

/// The names that work now, in back quotes.
pub(super) fn list() -> String {
    suggest::list(available())
}

/// The names that work now.
pub(super) fn available() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter(|spec| !spec.planned).map(|spec| spec.name)
}
