//! Tests of the scopes.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod algebra;
mod hazards;
mod tree;
