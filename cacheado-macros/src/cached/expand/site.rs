//! The head of each copy: the runtime by its short name, and the `static` that tells it which function this is
//! and how it is cached.

use std::time::Duration;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;

use super::Call;
use crate::cached::model::{Keep, Options, SingleFlight, Spanned, Ttl};
use crate::krate::{generated, private};

/// The head of a copy that may be the first use of the function.
pub(super) fn expand(call: &Call) -> TokenStream {
    let (import, private, site) = (import(call), private(), of(call));
    let policy = policy(&call.options);
    quote_spanned!(generated()=> #import static __CACHEADO: #private::Site = #site #policy;)
}

/// The runtime by its short name.
pub(super) fn import(call: &Call) -> TokenStream {
    call.options.krate.import()
}

/// Which function this is. A copy that only finds what others have made needs no `static` of its own, which would be one
/// more item to check.
pub(super) fn of(call: &Call) -> TokenStream {
    let (private, function) = (private(), call.function.name());
    let name = call.options.name.as_ref().map(|name| quote_spanned!(generated()=> .name(#name)));
    let version = call.options.version.map(|version| {
        let version = Literal::u32_unsuffixed(version);
        quote_spanned!(generated()=> .version(#version))
    });
    let nth = (call.nth > 1).then(|| {
        let nth = Literal::u32_unsuffixed(call.nth);
        quote_spanned!(generated()=> .nth(#nth))
    });
    // `site` sees where it is called, which in all copies is where the attribute stands.
    quote_spanned!(generated()=> #private::site(::core::module_path!(), #function) #nth #name #version)
}

/// How the function is cached, as far as it is the same for all calls.
fn policy(options: &Options) -> TokenStream {
    let mut chain = TokenStream::new();
    let mut add = |tokens: TokenStream| chain.extend(tokens);
    let level = options.level().map(|scope| crate::cached::params::text(&scope.level));
    if let Some(level) = level {
        add(quote_spanned!(generated()=> .level(#level)));
    }
    if options.is_ambient() {
        add(quote_spanned!(generated()=> .ambient_scope()));
    }
    if options.cache.is_some() {
        add(quote_spanned!(generated()=> .own_cache()));
    }
    if let Some(Spanned { value: Ttl::Fixed(ttl), .. }) = &options.ttl {
        let ttl = duration(*ttl);
        add(quote_spanned!(generated()=> .ttl(#ttl)));
    }
    if let Some(keep) = &options.cache_none {
        let keep = lifetime(keep.value);
        add(quote_spanned!(generated()=> .cache_none(#keep)));
    }
    if let Some(keep) = &options.cache_err {
        let keep = lifetime(keep.value);
        add(quote_spanned!(generated()=> .cache_err(#keep)));
    }
    let times = [("stale", &options.stale), ("stale_if_error", &options.stale_if_error)];
    for (name, time) in times.into_iter().chain([("timeout", &options.timeout)]) {
        if let Some(time) = time {
            let (name, time) = (Ident::new(name, generated()), duration(time.value));
            add(quote_spanned!(generated()=> .#name(#time)));
        }
    }
    let beta = options.early.as_ref().map(|early| early.value);
    for (name, number) in [("early", beta), ("jitter", options.jitter)] {
        if let Some(number) = number {
            let (name, number) = (Ident::new(name, generated()), Literal::f64_unsuffixed(number));
            add(quote_spanned!(generated()=> .#name(#number)));
        }
    }
    let private = private();
    match options.single_flight {
        SingleFlight::Local => {}
        SingleFlight::Off => add(quote_spanned!(generated()=> .single_flight(#private::SingleFlight::Off))),
        SingleFlight::Distributed(_) => {
            add(quote_spanned!(generated()=> .single_flight(#private::SingleFlight::Distributed)));
        }
    }
    if options.local.is_some() {
        add(quote_spanned!(generated()=> .local()));
    }
    if options.remote.is_some() {
        add(quote_spanned!(generated()=> .remote()));
    }
    chain
}

fn lifetime(keep: Keep) -> TokenStream {
    let private = private();
    match keep {
        Keep::AsValue => quote_spanned!(generated()=> #private::Keep::Yes),
        Keep::For(time) => {
            let time = duration(time);
            quote_spanned!(generated()=> #private::Keep::For(#time))
        }
    }
}

fn duration(duration: Duration) -> TokenStream {
    let seconds = Literal::u64_unsuffixed(duration.as_secs());
    let nanos = Literal::u32_unsuffixed(duration.subsec_nanos());
    quote_spanned!(generated()=> ::core::time::Duration::new(#seconds, #nanos))
}
