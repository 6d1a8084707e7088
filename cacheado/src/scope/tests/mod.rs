//! Tests of the scopes.

mod algebra;
mod hazards;
mod tree;
