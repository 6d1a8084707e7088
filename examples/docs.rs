//! The code in the README and in the guide, as doctests. There is nothing to call here.

macro_rules! pages {
    ($($name:ident = $path:literal;)+) => {$(
        #[cfg(doctest)]
        #[doc = include_str!($path)]
        pub mod $name {}
    )+};
}

pages! {
    readme = "../README.md";
    attribute = "../docs/guide/attribute.md";
    scopes = "../docs/guide/scopes.md";
    rules = "../docs/guide/rules.md";
    testing = "../docs/guide/testing.md";
}
