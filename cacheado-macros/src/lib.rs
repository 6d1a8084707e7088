//! The procedural macros of cacheado.
