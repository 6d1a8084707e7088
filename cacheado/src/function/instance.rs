//! Which instance of an annotated function a call is in: it may be generic, or a method of a generic type.

use std::any::{TypeId, type_name};
use std::marker::PhantomData;

use super::{Identity, Site};

/// Which instance of a generic function, or of a method's type, a call is in: by the closure `F` that the generated code
/// writes in the function, and the types `G` that are its own.
#[derive(Debug)]
pub struct Instance<F, G = ()>(pub(crate) PhantomData<fn() -> (F, G)>);

impl<F> Instance<F> {
    /// With these types.
    #[inline]
    #[must_use]
    pub fn of<G>(self, _: G) -> Instance<F, G> {
        Instance(PhantomData)
    }
}

impl<F, G> Instance<F, G> {
    /// The same without the type. A constant, as a function would be compiled for each that is annotated.
    pub(crate) const NAMES: &'static Names =
        &Names { marker: typeid::of::<F>, types: typeid::of::<G>, name: type_name::<F> };
}

/// How an [`Instance`] is told from others, not yet asked for.
pub(crate) struct Names {
    marker: fn() -> TypeId,
    types: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl Names {
    /// With what the name of the function that the closure stands in has after that of the annotated one.
    pub(crate) fn with(&self, suffix: &'static str) -> InstanceId {
        InstanceId { marker: (self.marker)(), types: (self.types)(), name: self.name, suffix }
    }
}

/// An [`Instance`], for code that is the same for all of them.
#[derive(Clone, Copy)]
pub(crate) struct InstanceId {
    /// What tells this instance from all others of the function, though not from those of its siblings.
    pub(crate) marker: TypeId,
    /// What tells this instance from others that the compiler spells like it, here and in siblings.
    pub(crate) types: TypeId,
    /// The type name of the closure.
    pub(super) name: fn() -> &'static str,
    pub(super) suffix: &'static str,
}

impl InstanceId {
    /// Whether it stands in a sibling of the annotated function.
    pub(crate) fn is_sibling(self) -> bool {
        !self.suffix.is_empty()
    }
}

/// Whose a call is that no cache has a state for.
#[derive(Clone, Copy)]
pub(crate) struct Stateless {
    pub(crate) site: &'static Site,
    pub(crate) instance: InstanceId,
}

impl Stateless {
    pub(crate) fn identity(self) -> Identity {
        self.site.identified(&self.site.path(self.instance))
    }
}
