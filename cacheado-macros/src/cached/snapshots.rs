//! What a user pays for in compile time and reads in `cargo expand`: the expansions of a few functions, as files in
//! `snapshots/`. `CACHEADO_SNAPSHOTS=overwrite` writes them anew; read the difference.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::quote;

use super::cached;

/// The lines that a function may expand to, its siblings and documentation included.
const MOST: usize = 60;

fn check(name: &str, arguments: TokenStream, function: TokenStream, around: fn(TokenStream) -> TokenStream) {
    let around_it = lines(&around(TokenStream::new()));
    let text = unparsed(around(cached(arguments, function)));
    let lines = text.lines().count() - around_it;
    assert!(lines <= MOST, "{name}: {lines} lines\n{text}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cached/snapshots/{name}.txt"));
    if env::var_os("CACHEADO_SNAPSHOTS").is_some_and(|wish| wish == "overwrite") {
        fs::write(&file, &text).expect("a file of the snapshots");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == expected,
        "{name} expands to something else than {} holds (CACHEADO_SNAPSHOTS=overwrite):\n{text}",
        file.display()
    );
}

/// The items as rustfmt would write them, but for lines that are as long as a macro's arguments.
fn unparsed(items: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(items).expect("items"))
}

fn lines(items: &TokenStream) -> usize {
    // An empty block takes one line, a full one two around its items.
    if items.is_empty() { 0 } else { unparsed(items.clone()).lines().count() + 1 }
}

#[test]
fn of_a_function() {
    let function = quote!(
        fn area(width: u64, height: u64) -> u64 {
            width * height
        }
    );
    check("function", quote!(ttl = 300), function, |items| items);
}

#[test]
fn of_an_async_function_with_scope_tags_and_ttl() {
    let arguments = quote!(ttl = "5m", scope = "user", tags("user:{user_id}", "profiles"));
    let function = quote!(
        async fn profile(org_id: &str, user_id: &str, page: u32) -> Result<Profile, LoadError> {
            load(org_id, user_id, page).await
        }
    );
    check("async_function", arguments, function, |items| items);
}

#[test]
fn of_a_method() {
    let function = quote!(
        pub fn find(&self, id: UserId) -> Option<User> {
            self.users.get(id)
        }
    );
    check("method", quote!(ttl = 300, skip(self)), function, |items| quote!(impl Users { #items }));
}
