//! What can be wrong with a tree, with the parameters of a scope, or with its text.

use std::fmt;

/// Why a [`ScopeTree`](super::ScopeTree) or a [`Scope`](super::Scope) could not be made.
///
/// ```
/// use cacheado::scope::{ScopeError, ScopeTree};
///
/// assert_eq!(ScopeTree::builder().build(), Err(ScopeError::EmptyTree));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeError {
    /// The tree has no level.
    EmptyTree,
    /// A level or a parameter has an empty name.
    EmptyName,
    /// A level has the name of the implicit root.
    ReservedName {
        /// The name.
        name: String,
    },
    /// Two levels have the same name.
    DuplicateLevel {
        /// The name.
        level: String,
    },
    /// A level hangs below one that is not in the tree.
    UnknownParent {
        /// The level.
        level: String,
        /// The parent it names.
        parent: String,
        /// The levels there are.
        levels: Vec<String>,
    },
    /// A level is its own ancestor.
    Cycle {
        /// The level.
        level: String,
    },
    /// A level and one of its ancestors take their values from the same parameter.
    DuplicateParameter {
        /// The level.
        level: String,
        /// The parameter.
        param: String,
    },
    /// The tree has no such level.
    UnknownLevel {
        /// The name asked for.
        level: String,
        /// The levels there are.
        levels: Vec<String>,
    },
    /// A level's value was not given.
    MissingParameter {
        /// The level asked for.
        level: String,
        /// The parameter that is missing.
        param: String,
        /// The levels from the root down, each with its parameter.
        chain: String,
    },
    /// A parameter was given that belongs to no level of the chain.
    UnknownParameter {
        /// The level asked for.
        level: String,
        /// The parameter.
        param: String,
        /// The levels from the root down, each with its parameter.
        chain: String,
    },
    /// A parameter was given twice.
    RepeatedParameter {
        /// The parameter.
        param: String,
    },
    /// A value could not be written as text: its [`ScopeValue`](super::ScopeValue) returned an error.
    UnwritableValue {
        /// The parameter whose value it is.
        param: String,
    },
    /// A text is not that of a scope.
    MalformedScope {
        /// The text.
        text: String,
    },
}

impl ScopeError {
    /// What was being done.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::EmptyTree
            | Self::EmptyName
            | Self::ReservedName { .. }
            | Self::DuplicateLevel { .. }
            | Self::UnknownParent { .. }
            | Self::Cycle { .. }
            | Self::DuplicateParameter { .. } => "build",
            Self::UnknownLevel { .. }
            | Self::MissingParameter { .. }
            | Self::UnknownParameter { .. }
            | Self::RepeatedParameter { .. }
            | Self::UnwritableValue { .. } => "resolve",
            Self::MalformedScope { .. } => "parse",
        }
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyTree => out.write_str("a scope tree needs at least one level"),
            Self::EmptyName => out.write_str("a scope level and its parameter need a name"),
            Self::ReservedName { name } => {
                write!(out, "`{name}` is the implicit root of every scope tree; give the level another name")
            }
            Self::DuplicateLevel { level } => write!(out, "the scope level `{level}` is there twice"),
            Self::UnknownParent { level, parent, levels } => {
                write!(out, "the scope level `{level}` is below `{parent}`, which is not in the tree; ")?;
                write_levels(levels, out)
            }
            Self::Cycle { level } => write!(out, "the scope level `{level}` is its own ancestor"),
            Self::DuplicateParameter { level, param } => write!(
                out,
                "the scope level `{level}` takes its value from `{param}`, and so does one of its ancestors"
            ),
            Self::UnknownLevel { level, levels } => {
                write!(out, "no scope level `{level}`; ")?;
                write_levels(levels, out)
            }
            Self::MissingParameter { level, param, chain } => {
                write!(out, "the scope level `{level}` needs `{param}`: {chain}")
            }
            Self::UnknownParameter { level, param, chain } => {
                write!(out, "the scope level `{level}` has no parameter `{param}`: {chain}")
            }
            Self::RepeatedParameter { param } => write!(out, "the parameter `{param}` is given twice"),
            Self::UnwritableValue { param } => {
                write!(out, "the value of `{param}` cannot be written as text")
            }
            Self::MalformedScope { text } => {
                write!(out, "{text:?} is not a scope such as `organization:o1/user:u7` or `global`")
            }
        }
    }
}

impl std::error::Error for ScopeError {}

fn write_levels(levels: &[String], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_str("levels are ")?;
    for (index, level) in levels.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(out, "{separator}`{level}`")?;
    }
    Ok(())
}
