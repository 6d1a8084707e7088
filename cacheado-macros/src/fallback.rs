//! What a macro leaves behind when something is wrong: the errors beside the untouched item, so that the
//! rest of the program, and the editor, still see the item.

use proc_macro2::TokenStream;

/// All errors, then the item as the user wrote it.
pub(crate) fn with_item(error: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.to_compile_error();
    tokens.extend(item);
    tokens
}
