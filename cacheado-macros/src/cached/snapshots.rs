//! What a user pays for in compile time and reads in `cargo expand`: the expansions of a few functions, as files in
//! `snapshots/`. `CACHEADO_SNAPSHOTS=overwrite` writes them anew; read the difference.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::quote;

use super::cached;

/// The lines that a function may expand to; siblings are functions of their own.
const MOST: usize = 60;

/// Compares what the function expands to with the file, and counts its lines; those of all that is generated.
fn check(name: &str, arguments: TokenStream, function: TokenStream) -> usize {
    let items = syn::parse2::<syn::File>(cached(arguments, function, |_| 1)).expect("items").items;
    let texts: Vec<String> = items.iter().map(unparsed).collect();
    for text in &texts {
        let lines = text.lines().count();
        assert!(lines <= MOST, "{name}: {lines} lines\n{text}");
    }
    let text = texts.join("\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cached/snapshots/{name}.txt"));
    if env::var_os("CACHEADO_SNAPSHOTS").is_some_and(|wish| wish == "overwrite") {
        fs::write(&file, &text).expect("the file of the snapshot is written");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == expected,
        "{name} expands to something else than {} holds (CACHEADO_SNAPSHOTS=overwrite writes it):\n{text}",
        file.display()
    );
    text.lines().count()
}

/// An item as rustfmt would write it, but for what stands in a macro's brackets.
fn unparsed(item: &syn::Item) -> String {
    prettyplease::unparse(&syn::parse_quote!(#item))
}

#[test]
fn of_a_function() {
    let function = quote!(
        fn f(a: u64, b: u64) -> u64 {
            a * b
        }
    );
    let lines = check("function", quote!(ttl = 300), function);
    assert!(lines <= MOST, "with its siblings, too: {lines}");
}

#[test]
fn of_an_async_function_with_scope_tags_and_ttl() {
    let arguments = quote!(ttl = "5m", scope = "user", tags("user:{user_id}", "profiles"));
    let function = quote!(
        async fn profile(org_id: &str, user_id: &str, page: u32) -> Result<Profile, LoadError> {
            load(org_id, user_id, page).await
        }
    );
    check("async_function", arguments, function);
}

#[test]
fn of_a_method() {
    let function = quote!(
        pub fn find(&self, id: UserId) -> Option<User> {
            self.users.get(id)
        }
    );
    check("method", quote!(ttl = 300, skip(self)), function);
}
