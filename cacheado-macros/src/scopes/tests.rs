//! What each mistake in a tree says, and the answers of `scope_call!`.

use proc_macro2::TokenStream;
use quote::quote;

use super::call::scope_call;
use super::{parse::ScopeModule, scopes, validate};

fn errors(input: &str) -> Vec<String> {
    let tokens: TokenStream = input.parse().expect("tokens");
    let result = syn::parse2::<ScopeModule>(tokens).and_then(|module| validate::check(&module));
    match result {
        Ok(()) => Vec::new(),
        Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn assert_error(input: &str, part: &str) {
    let errors = errors(input);
    assert_eq!(errors.len(), 1, "{input}: {errors:#?}");
    assert!(errors[0].contains(part), "{input}: {} lacks {part}", errors[0]);
}

#[test]
fn forests_are_read() {
    let input = "crate = my::cacheado; /// Docs.
        pub mod scopes { organization(org_id: OrgId) { user(user_id) { session(session_id) } } car(car_id) }";
    assert_eq!(errors(input), Vec::<String>::new());
    assert_eq!(errors("mod m { a(x), b(x); c(x) }"), Vec::<String>::new());
    assert_eq!(errors("mod m { /// Docs. \n a(x) { /** More. */ b(y: u8) } }"), Vec::<String>::new());
}

#[test]
fn docs_of_levels_are_those_of_their_functions() {
    let module = "mod m { #[doc = \" Who pays.\"] a(x) { b(y) } }".parse().expect("tokens");
    let expanded = scopes(module, "0").to_string();
    let documented =
        "# [doc = \" Who pays.\"] # [doc = \"\"] # [doc = \"The scope `a(x)`.\"] # [must_use] pub fn a";
    assert!(expanded.contains(documented), "{expanded}");
    assert!(!expanded.contains("# [doc = \"\"] # [doc = \"The scope `a(x) > b(y)`"), "{expanded}");
}

#[test]
fn texts_are_recognised() {
    let is_text = |ty: &str| {
        let module: ScopeModule = syn::parse_str(&format!("mod m {{ a(x: {ty}) }}")).expect("a module");
        module.levels[0].param.is_text()
    };
    for text in ["String", "str", "&str", "std::string::String", "::std::string::String"] {
        assert!(is_text(text), "{text}");
    }
    for other in ["OrgId", "my::String", "String<8>", "&'static str", "Arc<str>", "&mut str", "u64"] {
        assert!(!is_text(other), "{other}");
    }
}

#[test]
fn a_type_that_borrows_is_refused() {
    for ty in
        ["Cow<'_, str>", "Cow<'a, str>", "&Arc<str>", "&mut str", "&&str", "Id<(u8, &u8)>", "[&'_ str; 2]"]
    {
        assert_error(&format!("mod m {{ a(x: {ty}) }}"), "`x` is borrowed from nothing");
    }
    for ty in
        ["&str", "Cow<'static, str>", "&'static str", "Id<{ 1 & 2 }>", "[u8; 1 & 2]", "Id<fn(&u8)>", "u8"]
    {
        assert_eq!(errors(&format!("mod m {{ a(x: {ty}) }}")), Vec::<String>::new(), "{ty}");
    }
}

#[test]
fn mistakes_are_at_their_names() {
    assert_error("mod m {}", "no level");
    assert_error("mod m { a }", "has no parameter");
    assert_error("mod m { a() }", "has no parameter");
    assert_error("mod m { a(x, y) }", "one parameter");
    assert_error("mod m { a(x) { a(y) } }", "duplicate level `a`");
    assert_error("mod m { a(x) b(y) { a(z) } }", "duplicate level `a`");
    assert_error("mod m { a(x) { b(x) } }", "already the parameter of `a`");
    assert_error("mod m { global(x) }", "root of all trees");
    assert_error("mod m { ambient(x) }", "scope of the caller");
    assert_error("mod m { tree(x) }", "whole tree");
    for keyword in ["self", "super", "crate", "Self", "type", "fn"] {
        assert_error(&format!("mod m {{ {keyword}(x) }}"), "keyword");
    }
    assert_error("mod m { __a(x) }", "generated code");
    assert_error("a(x)", "expected a module");
    assert_error("mod m { #[cfg(test)] a(x) }", "no other attribute");
    assert_eq!(errors("mod m { global(x) { b(y) { b(y) } } }").len(), 3);
}

#[test]
fn hazard_36_nonsense_does_not_panic() {
    for input in
        ["", "mod", "mod m", "mod m { ( }", "crate = ;", "mod m { a(1) }", "mod m { a(x: ) }", "pub pub"]
    {
        if let Ok(tokens) = input.parse() {
            assert!(scopes(tokens, "0").to_string().contains("compile_error"), "{input}");
        }
    }
    assert!(scope_call(quote!(what is this)).to_string().contains("compile_error"));
}

fn ask(known: &TokenStream, mode: &str, parameters: &TokenStream, given: &TokenStream) -> String {
    let [mode, loud] = [mode, "loud"].map(|word| quote::format_ident!("{word}"));
    scope_call(quote!(
        #known { #mode #loud "profile" [__cacheado] [scopes] user [#parameters] { #given } { [&page] } }
    ))
    .to_string()
}

#[test]
fn values_come_from_parameters_and_arguments() {
    let chain = quote!(known { organization(org_id) user(user_id) });
    let parameters = quote!(org_id: held, page: held, user_id: free,);
    assert_eq!(ask(&chain, "path", &parameters, &quote!()), "scopes :: __level_user (& org_id , & user_id)");
    assert_eq!(
        ask(&chain, "key", &parameters, &quote!()),
        "(& page , __cacheado :: Part (& user_id) . checked () ,)"
    );
    let given = quote!(org_id = [&ctx.org],);
    assert_eq!(ask(&chain, "path", &parameters, &given), "scopes :: __level_user (& ctx . org , & user_id)");
    let held = quote!(org_id: held, user_id: held,);
    assert_eq!(ask(&chain, "key", &held, &quote!()), "(& page ,)");
}

#[test]
fn a_missing_value_shows_the_chain() {
    let chain = quote!(known { organization(org_id) user(user_id) });
    let answer = ask(&chain, "path", &quote!(user_id: held,), &quote!());
    for part in [
        "scope `user` needs `org_id` (of its ancestor `organization`)",
        "`profile` has no parameter of that name",
        "organization(org_id) > user(user_id)",
        "`scope_args(org_id = …)`",
    ] {
        assert!(answer.contains(part), "{answer} lacks {part}");
    }
}

#[test]
fn unknown_names_are_reported() {
    let levels = quote!(unknown { organization users });
    let answer = ask(&levels, "path", &quote!(), &quote!());
    assert!(answer.contains("no scope level is named `user` in `scopes`, did you mean `users`?"), "{answer}");
    assert!(answer.contains("`organization`, `users`"), "{answer}");
    let chain = quote!(known { user(user_id) });
    let answer = ask(&chain, "path", &quote!(user_id: held,), &quote!(org = [&1],));
    assert!(answer.contains("scope `user` has no value `org`"), "{answer}");
}
