//! Storage for cacheado.
