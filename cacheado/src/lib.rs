//! Memoization with hierarchical scopes.

pub mod key;
pub mod scope;
