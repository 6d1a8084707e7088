//! Strings and paths.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::key::{KeyPart, KeySink};

impl KeyPart for str {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.text(self);
    }
}

impl KeyPart for String {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.text(self);
    }
}

/// Text where it is Unicode, else the raw bytes; the two never meet.
impl KeyPart for OsStr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self.to_str() {
            Some(text) => sink.text(text),
            None => sink.bytes(self.as_encoded_bytes()),
        }
    }
}

impl KeyPart for OsString {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.as_os_str().encode(sink);
    }
}

/// Text where it is Unicode, else the raw bytes, without the zero at the end; the two never meet.
impl KeyPart for CStr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self.to_str() {
            Ok(text) => sink.text(text),
            Err(_) => sink.bytes(self.to_bytes()),
        }
    }
}

impl KeyPart for CString {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.as_c_str().encode(sink);
    }
}

/// As it is spelt: `a//b` and `a/b` are two keys.
impl KeyPart for Path {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.as_os_str().encode(sink);
    }
}

impl KeyPart for PathBuf {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.as_os_str().encode(sink);
    }
}
