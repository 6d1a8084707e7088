//! From named parameters to a scope of the tree.

use super::{LevelName, Scope, ScopeError, ScopeTree, ScopeValue};

impl ScopeTree {
    /// The scope at `level`, from the values of all parameters on the way down to it.
    ///
    /// `global` is the root and takes no parameters. Values of several types go as `&dyn ScopeValue`.
    ///
    /// # Errors
    ///
    /// [`ScopeError`]: an unknown level; a parameter that is missing, unknown on the way down to this level, or
    /// given twice; a value that cannot be written. Nothing falls back to a higher level.
    ///
    /// ```
    /// use cacheado::scope::{ScopeTree, ScopeValue};
    ///
    /// let tree = ScopeTree::builder()
    ///     .level("organization", "org_id")
    ///     .child("organization", "user", "user_id")
    ///     .build()?;
    ///
    /// let mixed: [(&str, &dyn ScopeValue); 2] = [("user_id", &7_u64), ("org_id", &"o1")];
    /// assert_eq!(tree.resolve("user", mixed)?.to_string(), "organization:o1/user:7");
    ///
    /// let error = tree.resolve("user", [("user_id", "u7")]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the scope level `user` needs `org_id`: organization(org_id) > user(user_id)"
    /// );
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    pub fn resolve<K: AsRef<str>, V: ScopeValue>(
        &self,
        level: &str,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Scope, ScopeError> {
        let nodes = self.nodes(level).ok_or_else(|| self.unknown_level(level))?;
        let mut values: Vec<Option<V>> = nodes.iter().map(|_| None).collect();
        for (param, value) in params {
            let param = param.as_ref();
            let place = nodes.iter().position(|node| &*node.param == param);
            let Some(slot) = place.and_then(|index| values.get_mut(index)) else {
                let (level, param, chain) = (level.to_owned(), param.to_owned(), self.chain(level));
                return Err(ScopeError::UnknownParameter { level, param, chain });
            };
            if slot.replace(value).is_some() {
                return Err(ScopeError::RepeatedParameter { param: param.to_owned() });
            }
        }
        let mut scope = Scope::global();
        for (node, value) in nodes.iter().zip(values) {
            let param = || node.param.to_string();
            let Some(value) = value else {
                let (level, param, chain) = (level.to_owned(), param(), self.chain(level));
                return Err(ScopeError::MissingParameter { level, param, chain });
            };
            scope = scope
                .child(LevelName::from(node.name.clone()), &value)
                .ok_or_else(|| ScopeError::UnwritableValue { param: param() })?;
        }
        Ok(scope)
    }
}
