//! Shared references and owning pointers: the key of what they point at.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::key::{KeyPart, KeySink};

macro_rules! transparent {
    ($($pointer:ty),*) => {$(
        impl<T: KeyPart + ?Sized> KeyPart for $pointer {
            fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
                (**self).encode(sink);
            }
        }
    )*};
}

transparent!(&T, Box<T>, Rc<T>, Arc<T>);
transparent!(Pin<&T>, Pin<Box<T>>, Pin<Rc<T>>, Pin<Arc<T>>);

impl<T: KeyPart + ToOwned + ?Sized> KeyPart for Cow<'_, T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        (**self).encode(sink);
    }
}

impl<T: ?Sized> KeyPart for PhantomData<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.unit();
    }
}
