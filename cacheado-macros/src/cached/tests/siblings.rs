//! Which attributes of a function its siblings have.

use proc_macro2::TokenStream;
use quote::quote;

use super::cached;

#[test]
fn what_is_hidden_in_the_documentation_has_hidden_siblings() {
    let hidden = |item: TokenStream| {
        let expanded = cached(quote!(ttl = 5), item).to_string();
        expanded.replace(' ', "").matches("#[doc(hidden").count()
    };
    assert_eq!(
        hidden(quote!(
            #[doc(hidden)]
            pub fn f() -> u8 {
                1
            }
        )),
        3
    );
    assert_eq!(
        hidden(quote!(
            #[doc(hidden, alias = "g")]
            pub fn f() -> u8 {
                1
            }
        )),
        3
    );
    assert_eq!(
        hidden(quote!(
            #[doc = "hidden"]
            #[doc(alias = "g")]
            pub fn f() -> u8 {
                1
            }
        )),
        0
    );
}
