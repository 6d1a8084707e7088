//! The user's body, as a closure or an async block.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::Call;
use crate::krate::{generated, generated_at, private_at};

/// `tokens` in braces that stand where the user's body stands, so that errors about the whole of it do too.
pub(super) fn braced(call: &Call, tokens: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(call.function.body.span());
    group.into_token_stream()
}

/// `move || -> R { … }`
pub(super) fn closure(call: &Call) -> TokenStream {
    let (output, block) = (call.output(), block_after(call, TokenStream::new()));
    quote_spanned!(generated()=> move || -> #output #block)
}

/// `{ … }`, after these statements.
pub(super) fn block_after(call: &Call, mut statements: TokenStream) -> TokenStream {
    statements.extend(call.lending());
    statements.extend(call.params.owned_patterns());
    statements.extend(call.body());
    braced(call, statements)
}

/// `async move { … }`
///
/// An async block cannot name its type, so a first `return` that never runs tells it: `?` and coercions then
/// work as they do in the `async fn`.
pub(super) fn future(call: &Call) -> TokenStream {
    future_after(call, TokenStream::new())
}

/// The same, after these statements.
pub(super) fn future_after(call: &Call, before: TokenStream) -> TokenStream {
    let output = call.output();
    let place = crate::cached::returns::span(&call.function.signature.output, generated());
    let private = private_at(place);
    let mut statements =
        quote_spanned!(generated_at(place)=> if false { return #private::returned::<#output>(); });
    statements.extend(before);
    let block = block_after(call, statements);
    quote_spanned!(generated()=> async move #block)
}
