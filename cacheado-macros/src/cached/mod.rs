//! `#[cached]`, in stages: [`args`] (tokens → spanned arguments) → [`options`] with [`values`] (→ the typed
//! [`model`]) → [`validate`] (rules across arguments and against the signature) → [`expand`] (cannot fail).

mod args;
mod batch;
mod captures;
mod constant;
mod expand;
mod item;
mod key;
mod lends;
mod model;
mod names;
mod options;
mod params;
mod patterns;
mod placeholders;
mod returns;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;
mod validate;
mod values;

pub(crate) use expand::tuple;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::fallback;

/// The expansion of `#[cached(arguments)] item`, or all errors beside the item. `nth` numbers the functions of a name.
pub(crate) fn cached(arguments: TokenStream, item: TokenStream, nth: fn(&str) -> u32) -> TokenStream {
    match analyse(arguments, item.clone(), nth) {
        Ok(call) => expand::expand(&call),
        Err(error) => fallback::with_item(&error, item),
    }
}

/// A function and its options, checked.
struct Call {
    function: item::Function,
    options: model::Options,
    params: params::Params,
    key: key::KeyPlan,
    /// `batch(..)`
    batch: Option<batch::Batch>,
    /// From 1: which of the functions of this name it is.
    nth: u32,
}

fn analyse(arguments: TokenStream, item: TokenStream, nth: fn(&str) -> u32) -> syn::Result<Call> {
    let mut errors = Errors::default();
    let mut unread = Vec::new();
    let arguments = args::parse(arguments, &mut unread, &mut errors);
    let options = options::read(&arguments, unread, &mut errors);
    let Some(function) = errors.take(syn::parse2::<item::Function>(item)) else {
        // `take` has kept the error, so this never gets a value.
        return errors
            .finish(())
            .and_then(|()| Err(syn::Error::new(crate::krate::generated(), "no function")));
    };
    let params = params::Params::of(&function.signature);
    let key = key::KeyPlan::of(&options, &params);
    validate::check(&options, &function, &params, &key, &mut errors);
    let batch = batch::Batch::of(&options, &function, &params, &mut errors);
    let nth = nth(&function.name());
    errors.finish(Call { function, options, params, key, batch, nth })
}
