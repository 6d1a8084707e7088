//! Scopes: where in the tree of tenants an entry lives.
//!
//! | module | subject |
//! |---|---|
//! | `path` | [`Scope`], a typed path of levels and values, and its algebra |
//! | `levels`, `level`, `iter` | what a path is made of, and walks along it |
//! | `text` | the escaped text of a path, and the way back |
//! | `value` | [`ScopeValue`]: what may be a level's value, [`ScopeText`] if it is a text; [`ScopeSource`]: what may hold one |
//! | `tree`, `builder` | [`ScopeTree`], for trees known only at run time, and how one is made |
//! | `resolve` | from named parameters to a scope of the tree |
//! | `error` | [`ScopeError`] |
//!
//! A scope is a path of `(level, value)` pairs, never a joined string: no value can reach another scope.

mod builder;
mod error;
mod iter;
mod level;
mod levels;
mod path;
mod resolve;
mod text;
mod tree;
mod value;

#[cfg(test)]
mod tests;

pub use builder::ScopeTreeBuilder;
pub use error::ScopeError;
pub use iter::{Ancestors, Levels};
pub use level::LevelName;
pub use path::Scope;
pub(crate) use text::push_level;
pub use tree::ScopeTree;
pub use value::{ScopeSource, ScopeText, ScopeValue};

/// The name of the implicit root of every tree, which no level may take.
pub(crate) const GLOBAL: &str = "global";
