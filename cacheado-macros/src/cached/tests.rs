//! What each mistake says, and that several are said at once.

use proc_macro2::TokenStream;
use quote::quote;

use super::analyse;

mod siblings;

fn cached(arguments: TokenStream, item: TokenStream) -> TokenStream {
    super::cached(arguments, item, |_| 1)
}

/// All messages about `arguments` on `item`.
fn errors_of(arguments: &str, item: TokenStream) -> Vec<String> {
    let arguments: TokenStream = arguments.parse().expect("tokens");
    match analyse(arguments, item, |_| 1) {
        Ok(_) => Vec::new(),
        Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
    }
}

/// All messages about `arguments` on a plain function.
fn errors(arguments: &str) -> Vec<String> {
    errors_of(
        arguments,
        quote!(
            fn profile(org_id: &str, user_id: u64) -> Profile {
                todo!()
            }
        ),
    )
}

/// The one message about `arguments`, which must contain all of `parts`.
fn assert_error(arguments: &str, parts: &[&str]) {
    let errors = errors(arguments);
    assert_eq!(errors.len(), 1, "{arguments}: {errors:#?}");
    for part in parts {
        assert!(errors[0].contains(part), "{arguments}: {} lacks {part}", errors[0]);
    }
}

/// The one message about the function `item`, without arguments.
fn assert_refused(item: &str, part: &str) {
    let errors = errors_of("", item.parse().expect("tokens"));
    assert_eq!(errors.len(), 1, "{item}: {errors:#?}");
    assert!(errors[0].contains(part), "{item}: {} lacks {part}", errors[0]);
}

#[test]
fn every_argument_is_understood() {
    let arguments = r#"
        ttl = "1h 30m", ttl_with = Self::lasting, scope = "user", scope_args(org_id = ctx.org.id),
        key(org_id, user_id), tags("user:{user_id}", "all",), name = "a.b", version = 2, cache = self.cache,
        cache_none = "30s", cache_err = 5, cache_if = Result::is_ok, single_flight = false,
        refresh_if = org_id.is_empty(), on_backend_error = "error", local, companions = true, crate = my::cacheado,
    "#;
    assert_eq!(errors(arguments), Vec::<String>::new());
    for more in [
        "",
        "scope = ambient",
        "ttl = 0",
        "ttl = pick::<u8, u16>(org_id, 2)",
        "key = (org_id, 2)",
        "skip(org_id)",
        "remote",
        "single_flight = \"distributed\", remote",
    ] {
        assert_eq!(errors(more), Vec::<String>::new(), "{more}");
    }
    for keyword in ["type", "type ", "type\\n", "type// of it"] {
        assert_eq!(errors(&format!("scope = \"{keyword}\"")), Vec::<String>::new(), "{keyword}");
    }
    assert_error("scope = \"self\"", &["no name of a scope level"]);
    assert_eq!(errors("scope = tenancy::scopes::user, cache_none, cache_err"), Vec::<String>::new());
}

#[test]
fn an_unknown_argument_lists_the_valid_ones() {
    assert_error(
        "tll = 300",
        &["unknown argument `tll`, did you mean `ttl`?", "`scope_args`", "`companions`"],
    );
    assert_error("colour = 3", &["unknown argument `colour`\n"]);
    assert_error(
        "capacity = 3",
        &["unknown argument `capacity`; a bound is one of the cache", "`companions`"],
    );
    assert_error("\"ttl\"", &["expected the name of an argument", "`ttl`"]);
}

#[test]
fn what_cannot_be_read_is_one_mistake() {
    for arguments in [
        "skip = self",
        "skip(self, n.x)",
        "key",
        "key(self.x)",
        "skip(n), skip(self)",
        "skp(self, n)",
        "ttl = 5 skip(self, n)",
    ] {
        let method = quote!(
            fn method(&self, n: &mut u8) -> u8 {
                *n
            }
        );
        let errors = errors_of(arguments, method);
        assert_eq!(errors.len(), 1, "{arguments}: {errors:#?}");
    }
    assert_error("scope = 5, scope_args(org_id = user_id)", &["the name of a scope level"]);
    let batch = quote!(
        fn f(ids: &[u8]) -> Vec<u8> {
            ids.to_vec()
        }
    );
    let errors = errors_of("batch(id), key(ids)", batch);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].contains("did you mean `ids`?"), "{errors:?}");
}

#[test]
fn a_duplicate_is_reported_once() {
    assert_error("ttl = 1, name = \"x\", ttl = 2", &["duplicate argument `ttl`", "already given"]);
}

#[test]
fn what_a_value_by_its_age_is_used_for_is_understood() {
    assert_eq!(
        errors("stale = \"1m\", stale_if_error = 3600, early = 1, jitter = 0.1"),
        Vec::<String>::new()
    );
    assert_eq!(errors("early = 0.5, jitter = 0, stale = 60"), Vec::<String>::new());
    assert_error("stale = 0", &["no effect", "remove `stale`"]);
    assert_error("stale_if_error = later()", &["literal duration", "stale_if_error = \"1h\""]);
    assert_error("stale", &["needs a value"]);
    assert_error("early = 0", &["more than 0", "early = 1.0"]);
    assert_error("early = \"1\"", &["literal number"]);
    assert_error("jitter = 1.5", &["from 0 to 1", "jitter = 0.1"]);
    assert_error("jitter = -0.1", &["literal number"]);
    assert_error("timeout = \"2s\"", &["`timeout` needs an `async fn`"]);
}

#[test]
fn a_timeout_needs_an_error_to_return() {
    for (output, name) in [("u8", "`u8`"), ("Option<u8>", "an `Option`")] {
        let output: TokenStream = output.parse().expect("tokens");
        let errors = errors_of("timeout = \"2s\"", quote!(async fn f() -> #output { todo!() }));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(name) && errors[0].contains("`Result`"), "{errors:?}");
    }
    let alias = quote!(
        async fn f() -> io::Result<u8> {
            todo!()
        }
    );
    assert_eq!(errors_of("timeout = \"2s\"", alias), Vec::<String>::new());
}

#[test]
fn a_body_that_goes_on_without_its_caller_owns_what_it_needs() {
    let refused = |item: &str| errors_of("stale = 60, skip(x)", item.parse().expect("tokens"));
    for item in [
        "fn f(x: &mut u8) {}",
        "fn f(x: Option<&str>) {}",
        "fn f(x: &&str) {}",
        "fn f(x: &[&str]) {}",
        "fn f(x: Row<'_>) {}",
        "fn f(x: (u8, &str)) {}",
        "fn f(x: Pin<&mut u8>) {}",
    ] {
        let errors = refused(item);
        assert_eq!(errors.len(), 1, "{item}: {errors:?}");
        assert!(errors[0].contains("with `stale` the body can go on without its caller"), "{errors:?}");
    }
    for item in [
        "fn f(x: &str) {}",
        "fn f(x: &[String]) {}",
        "fn f(x: Option<&'static str>) {}",
        "fn f(x: &'static [&'static str]) {}",
        "fn f(x: Box<dyn Fn(&str)>) {}",
        "fn f(x: Arc<Row>) {}",
    ] {
        assert_eq!(refused(item), Vec::<String>::new(), "{item}");
    }
    let receiver = quote!(
        fn f(&mut self) -> u8 {
            1
        }
    );
    let errors = errors_of("early = 1, skip(self)", receiver);
    assert!(errors.len() == 1 && errors[0].contains("with `early`"), "{errors:?}");
    let alone = quote!(
        fn f(x: &mut u8) -> u8 {
            1
        }
    );
    assert_eq!(
        errors_of("stale_if_error = 60, skip(x)", alone),
        Vec::<String>::new(),
        "its caller waits for it"
    );
}

#[test]
fn a_wrong_value_says_what_is_right() {
    assert_error("ttl", &["`ttl` needs a value", "ttl = 300", "\"5m\""]);
    assert_error("ttl =", &["`ttl` has no value"]);
    assert_error("ttl = \"5 parsecs\"", &["unknown unit `parsecs`"]);
    assert_error("ttl = -5", &["not negative"]);
    assert_error("ttl = 1.5", &["1500ms"]);
    assert_error("ttl = true", &["no duration"]);
    assert_error("ttl(300)", &["takes no list"]);
    assert_error("version = \"2\"", &["version = 2"]);
    assert_error("version = 4294967296", &["`u32`"]);
    assert_error("name = \" \"", &["the name is empty", "billing.invoice"]);
    assert_error("name = 5", &["string literal"]);
    assert_error("scope = 5", &["scope = \"user\""]);
    assert_error("scope = user", &["scope = \"user\""]);
    assert_error("scope = \"ambient\"", &["`scope = ambient`"]);
    assert_error("scope = ambient, scope_args(org_id = 1)", &["`in_scope`", "remove `scope_args`"]);
    assert_error("scope = \"a b\"", &["no name of a scope level"]);
    assert_error("key", &["key(a, b)"]);
    assert_error("skip = org_id", &["skip(db, ctx)"]);
    assert_error("skip(_)", &["give the parameter a name"]);
    assert_error("skip(org_id, org_id)", &["given twice"]);
    assert_error("tags = \"a\"", &["tags("]);
    assert_error("tags(user_id)", &["string literal"]);
    assert_error("tags(\"{}\")", &["no name"]);
    assert_error("single_flight = 3", &["`true`, `false` or \"distributed\""]);
    assert_error("single_flight = \"global\"", &["`true`, `false` or \"distributed\""]);
    assert_error("companions", &["companions = false"]);
    assert_error("on_backend_error", &["needs a value", "on_backend_error = \"compute\""]);
    assert_error("on_backend_error = \"panic\"", &["expected \"compute\" or \"error\""]);
    assert_error("local = true", &["takes no value"]);
    assert_error("cache_if = |r| true", &["expected a path", "fn(&R) -> bool"]);
    assert_error("cache_err = SOME", &["literal"]);
    assert_error("scope_args(org_id = 1)", &["without a `scope`"]);
    assert_error("ttl: 5", &["expected `=`, `(` or `,` after `ttl`"]);
    assert_error("ttl = 5 name = \"x\"", &["expected `,`"]);
}

#[test]
fn conflicts_are_found() {
    assert_error("key(org_id), skip(org_id)", &["both in `key` and in `skip`"]);
    assert_error("key = org_id, skip(user_id)", &["whole key"]);
    assert_error("local, remote", &["exclude each other"]);
    assert_error("single_flight = \"distributed\", local", &["nothing to wait for in another"]);
    assert_eq!(errors("ttl = 5, ttl_with = lasting"), Vec::<String>::new());
}

#[test]
fn names_of_parameters_are_checked() {
    assert_error("key(user)", &["no parameter is named `user`", "`org_id`, `user_id`"]);
    assert_error("skip(usr_id)", &["did you mean `user_id`?"]);
    assert_error("tags(\"{org}\")", &["no parameter is named `org`"]);
}

#[test]
fn hazard_36_several_mistakes_are_reported_together() {
    let errors = errors_of(
        "tll = 3, ttl = \"x\", version = -, name = \"\", skip(nobody)",
        quote!(
            const fn area(&self, w: &mut u64) -> &str {
                todo!()
            }
        ),
    );
    for part in [
        "`tll`",
        "expected a number",
        "`version`",
        "empty",
        "`nobody`",
        "`const fn`",
        "`self`",
        "`w`",
        "owned",
    ] {
        assert!(errors.iter().any(|error| error.contains(part)), "{part}: {errors:#?}");
    }
    assert_eq!(errors.len(), 9, "{errors:#?}");
}

#[test]
fn self_has_to_be_named() {
    let method = || {
        quote!(
            fn get(&self, n: u32) -> u32 {
                n
            }
        )
    };
    let message = errors_of("", method()).join("\n");
    assert!(message.contains("`skip(self)`") && message.contains("`key(self, n)`"), "{message}");
    for arguments in ["skip(self)", "key(self, n)", "key = n", "key(n), skip(self)"] {
        assert_eq!(errors_of(arguments, method()), Vec::<String>::new(), "{arguments}");
    }
    assert_eq!(errors_of("key(n)", method()).len(), 1);
}

#[test]
fn mutable_borrows_are_no_key_parts() {
    let function = || {
        quote!(
            fn get(db: &mut Db, n: u32) -> u32 {
                n
            }
        )
    };
    assert!(errors_of("", function())[0].contains("borrowed mutably"));
    assert!(errors_of("key(db)", function())[0].contains("borrowed mutably"));
    assert_eq!(errors_of("skip(db)", function()), Vec::<String>::new());
    assert_eq!(errors_of("key(n)", function()), Vec::<String>::new());
    assert_eq!(
        errors_of(
            "key(self)",
            quote!(
                fn get(self: Pin<&mut Self>) -> u32 {
                    1
                }
            )
        )
        .len(),
        1
    );
}

#[test]
fn functions_that_cannot_be_cached() {
    assert_refused("const fn f() -> u8 { 1 }", "`const fn`");
    assert_refused("unsafe fn f() -> u8 { 1 }", "`unsafe fn`");
    assert_refused("extern \"C\" fn f() -> u8 { 1 }", "`extern`");
    assert_refused("fn f() -> impl Future<Output = u8> { async { 1 } }", "write `async fn`");
    assert_refused("fn f() -> Option<impl Display> { None }", "`impl Trait`");
    assert_refused("fn f() -> Pin<Box<dyn Future<Output = u8> + Send>> { todo!() }", "async_trait");
    assert_refused("fn f(a: &str) -> &str { a }", "owned");
    assert_refused("fn f(a: &str) -> Option<&str> { a }", "owned");
    assert_refused("fn f<'a>(a: &'a str) -> Cow<'a, str> { a }", "owned");
    assert_refused("fn f(a: &str) -> Box<dyn Fn() + '_> { a }", "owned");
    assert_refused("fn f() -> ! { loop {} }", "never returns");
    assert_refused("fn f();", "with a body");
    assert_refused("struct S;", "stands on a function");
    assert_refused("#[cached] fn f() {}", "twice");
}

#[test]
fn owned_return_types_pass() {
    for ty in ["&'static str", "fn(&str) -> &str", "Box<dyn Fn(&str) -> &str>", "Cow<'static, str>", "Vec<T>"]
    {
        let ty: TokenStream = ty.parse().expect("tokens");
        assert_eq!(errors_of("", quote!(fn f<T>() -> #ty { todo!() })), Vec::<String>::new());
    }
}

#[test]
fn outcomes_need_their_type() {
    for ty in ["u64", "String", "bool", "(u8, u8)", "Vec<u8>"] {
        let ty: TokenStream = ty.parse().expect("tokens");
        let item = || quote!(fn f() -> #ty { todo!() });
        assert!(errors_of("cache_err = \"5s\"", item())[0].contains("`cache_err` needs"), "{ty}");
        assert!(errors_of("cache_none", item())[0].contains("`cache_none` needs"), "{ty}");
        let outage = errors_of("on_backend_error = \"error\"", item());
        assert!(outage[0].contains("needs a function that returns a `Result`"), "{ty}");
        assert_eq!(errors_of("on_backend_error = \"compute\"", item()), Vec::<String>::new());
    }
    let option = || {
        quote!(
            fn f() -> Option<u8> {
                None
            }
        )
    };
    assert_eq!(errors_of("cache_err", option()).len(), 1);
    assert_eq!(errors_of("cache_none", option()), Vec::<String>::new());
    assert_eq!(
        errors_of(
            "cache_none, cache_err",
            quote!(
                fn f() -> io::Outcome {
                    x
                }
            )
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        errors_of(
            "cache_none",
            quote!(
                fn f() {}
            )
        )
        .len(),
        1
    );
}

#[test]
fn the_item_stays_beside_the_errors() {
    let output = cached(
        quote!(tll = 3),
        quote!(
            fn area(w: u64) -> u64 {
                w
            }
        ),
    )
    .to_string();
    assert!(output.contains("compile_error"), "{output}");
    assert!(output.contains("fn area (w : u64) -> u64 { w }"), "{output}");
}

#[test]
fn siblings_are_named_after_the_function() {
    let output = cached(
        quote!(),
        quote!(
            pub fn r#match() -> u8 {
                1
            }
        ),
    )
    .to_string();
    assert!(output.contains("pub fn match_entry") && output.contains("pub fn match_cache"), "{output}");
    let output = cached(
        quote!(companions = false),
        quote!(
            fn area() -> u8 {
                1
            }
        ),
    )
    .to_string();
    assert!(!output.contains("area_entry") && !output.contains("area_cache"), "{output}");
}

#[test]
fn an_expectation_that_the_expansion_changes_is_relaxed() {
    let output = cached(
        quote!(companions = false),
        quote!(
            #[expect(unused_variables, dead_code, reason = "why")]
            fn area(w: u64) -> u8 {
                1
            }
        ),
    );
    let output = output.to_string();
    assert!(output.contains("expect (dead_code , reason = \"why\")"), "{output}");
    assert!(output.contains("allow (unused_variables , reason = \"why\")"), "{output}");
}

#[test]
fn hazard_36_nonsense_does_not_panic() {
    for arguments in
        ["=", ",", ",,", "ttl = = 5", "(", "key(a b)", "scope_args(a)", "#", "ttl(", "a::b", "'a", "1"]
    {
        let Ok(arguments) = arguments.parse::<TokenStream>() else { continue };
        for item in [
            "",
            "fn",
            "fn f",
            "fn f(",
            "fn f() -> {}",
            "async",
            "pub",
            "impl X {}",
            "let x = 1;",
            "fn f() {}",
        ] {
            let Ok(item) = item.parse::<TokenStream>() else { continue };
            let _ = cached(arguments.clone(), item);
        }
    }
}

#[test]
fn hazard_37_generated_code_names_the_version_of_the_runtime_that_it_needs() {
    let version = env!("CARGO_PKG_VERSION").replace('.', "_");
    let expanded = cached(
        TokenStream::new(),
        quote!(
            fn f(a: u64) -> u64 {
                a
            }
        ),
    )
    .to_string();
    assert!(expanded.contains(&format!("cacheado_and_cacheado_macros_must_both_be_{version}")), "{expanded}");
}
