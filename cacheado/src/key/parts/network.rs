//! Network addresses: the octets, so that an address has one key however it is typed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::key::{KeyPart, KeySink};

impl KeyPart for Ipv4Addr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.bytes(&self.octets());
    }
}

impl KeyPart for Ipv6Addr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.bytes(&self.octets());
    }
}

impl KeyPart for IpAddr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::V4(address) => address.encode(sink),
            Self::V6(address) => address.encode(sink),
        }
    }
}

impl KeyPart for SocketAddrV4 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        (self.ip(), self.port()).encode(sink);
    }
}

impl KeyPart for SocketAddrV6 {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        (self.ip(), self.port(), self.flowinfo(), self.scope_id()).encode(sink);
    }
}

impl KeyPart for SocketAddr {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::V4(address) => address.encode(sink),
            Self::V6(address) => address.encode(sink),
        }
    }
}
