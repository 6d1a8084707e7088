//! Tests of the scopes.
