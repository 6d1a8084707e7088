//! Numbers and characters, and what reckons with or orders them in another way. An integer's width and sign are no part of the key: `7_u8` and `7_i64` are equal.

use std::cmp::Reverse;
use std::num::{NonZero, Saturating, Wrapping};

use crate::key::{KeyPart, KeySink};

impl KeyPart for u8 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.unsigned(u64::from(*self));
    }

    fn encode_slice<S: KeySink + ?Sized>(slice: &[Self], sink: &mut S) {
        sink.bytes(slice);
    }
}

macro_rules! unsigned {
    ($($integer:ty),*) => {$(
        impl KeyPart for $integer {
            fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
                sink.unsigned(u64::from(*self));
            }
        }
    )*};
}

macro_rules! signed {
    ($($integer:ty),*) => {$(
        impl KeyPart for $integer {
            fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
                match u64::try_from(*self) {
                    Ok(value) => sink.unsigned(value),
                    Err(_) => sink.negative(i64::from(*self)),
                }
            }
        }
    )*};
}

unsigned!(u16, u32, u64);
signed!(i8, i16, i32, i64);

impl KeyPart for usize {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.unsigned(*self as u64);
    }
}

impl KeyPart for isize {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        (*self as i64).encode(sink);
    }
}

impl KeyPart for u128 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match u64::try_from(*self) {
            Ok(value) => sink.unsigned(value),
            Err(_) => sink.wide(*self),
        }
    }
}

impl KeyPart for i128 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        if let Ok(value) = u128::try_from(*self) {
            value.encode(sink);
        } else if let Ok(value) = i64::try_from(*self) {
            sink.negative(value);
        } else {
            sink.wide_negative(*self);
        }
    }
}

macro_rules! non_zero {
    ($($integer:ty),*) => {$(
        impl KeyPart for NonZero<$integer> {
            fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
                self.get().encode(sink);
            }
        }
    )*};
}

non_zero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl<T: KeyPart> KeyPart for Wrapping<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.0.encode(sink);
    }
}

impl<T: KeyPart> KeyPart for Saturating<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.0.encode(sink);
    }
}

impl<T: KeyPart> KeyPart for Reverse<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.0.encode(sink);
    }
}

impl KeyPart for bool {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.boolean(*self);
    }
}

impl KeyPart for char {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.character(*self);
    }
}

/// By bits: `-0.0` and `0.0` differ (a function can tell them apart), and all NaN are one.
impl KeyPart for f64 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.float64(self.to_bits());
    }
}

/// By bits: `-0.0` and `0.0` differ (a function can tell them apart), and all NaN are one.
impl KeyPart for f32 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.float32(self.to_bits());
    }
}
