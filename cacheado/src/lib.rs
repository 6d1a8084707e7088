//! Memoization with hierarchical scopes.
