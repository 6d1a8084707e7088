//! Raw arguments → typed options: each argument alone. Rules across arguments are in `validate`.

use syn::Path;

use super::args::RawArg;
use super::model::{KeyChoice, Options, Spanned};
use super::{names, values};
use crate::errors::Errors;
use crate::krate::Krate;
use crate::suggest;

/// Reads every argument but those that are `unread`; what is wrong goes to `errors`, and the option keeps its default.
pub(super) fn read(arguments: &[RawArg], unread: Vec<String>, errors: &mut Errors) -> Options {
    let mut options = Options { unread, ..Options::default() };
    let mut seen: Vec<String> = Vec::new();
    for argument in arguments {
        let name = argument.key();
        let Some(spec) = names::find(&name) else {
            errors.at(argument.name.span(), unknown(&name));
            options.unread.extend(suggest::nearest(&name, names::all()).map(str::to_owned));
            continue;
        };
        if seen.contains(&name) {
            errors.at(argument.name.span(), duplicate(&name));
            options.unread.push(spec.name.to_owned());
            continue;
        }
        seen.push(name);
        if let Err(error) = set(&mut options, spec.name, argument) {
            errors.push(error);
            options.unread.push(spec.name.to_owned());
        }
    }
    options
}

fn unknown(name: &str) -> String {
    let hint = match suggest::instead_of(name) {
        Some(advice) => format!("; {advice}"),
        None => suggest::did_you_mean(name, names::all()),
    };
    format!("unknown argument `{name}`{hint}\nvalid arguments are {}", names::list())
}

fn duplicate(name: &str) -> String {
    format!("duplicate argument `{name}`: it is already given before; keep the first or this one")
}

fn set(options: &mut Options, name: &'static str, argument: &RawArg) -> syn::Result<()> {
    match name {
        "ttl" => options.ttl = Some(values::ttl(argument)?),
        "ttl_with" => options.ttl_with = Some(values::function(argument)?),
        "scope" => options.scope = Some(values::scope(argument)?),
        "scope_args" => options.scope_args = Some(values::scope_args(argument)?),
        "key" => options.key = Some(values::key(argument)?),
        "skip" => options.skip = values::skip(argument)?,
        "tags" => options.tags = values::tags(argument)?,
        "name" => options.name = Some(values::name(argument)?),
        "version" => options.version = Some(values::version(argument)?),
        "cache" => options.cache = Some(values::expression(argument)?),
        "cache_none" => options.cache_none = values::keep(argument)?,
        "cache_err" => options.cache_err = values::keep(argument)?,
        "cache_if" => options.cache_if = Some(values::function(argument)?),
        "stale" => options.stale = Some(values::time(argument)?),
        "stale_if_error" => options.stale_if_error = Some(values::time(argument)?),
        "early" => options.early = Some(values::beta(argument)?),
        "jitter" => options.jitter = Some(values::fraction(argument)?),
        "timeout" => options.timeout = Some(values::time(argument)?),
        "single_flight" => options.single_flight = values::single_flight(argument)?,
        "refresh_if" => options.refresh_if = Some(values::expression(argument)?),
        "on_backend_error" => options.on_backend_error = values::on_backend_error(argument)?,
        "local" => options.local = Some(values::flag(argument)?),
        "remote" => options.remote = Some(values::flag(argument)?),
        "companions" => options.companions = values::boolean(argument)?,
        "batch" => options.batch = Some(values::batch(argument)?),
        "crate" => options.krate = Krate::new(Some(values::function(argument)?)),
        _ => {}
    }
    Ok(())
}

impl Options {
    /// The paths and expressions in `key(..)`, to look for names in.
    pub(super) fn key_parts(&self) -> Option<&[syn::Ident]> {
        match &self.key {
            Some(Spanned { value: KeyChoice::Parts(parts), .. }) => Some(parts),
            _ => None,
        }
    }
}

/// A path that is one plain identifier.
pub(super) fn single(path: &Path) -> Option<&syn::Ident> {
    path.get_ident()
}
