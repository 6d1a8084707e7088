//! A port that nobody else is given.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};

/// A free port of the loopback address, reserved until this is dropped.
///
/// A port that is only looked up may be gone before the server has it, and again between a server's end and its
/// restart: a client that tries to reconnect may even be given it as its own, and connect to itself. So a socket
/// stays bound to it that never listens. On Linux, a server that sets `SO_REUSEADDR`, as servers do, can listen
/// beside it, and the kernel gives the port to nobody who asks for any.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _reserved: Option<OwnedFd>,
}

impl Port {
    /// A port that is free now.
    pub(crate) fn reserve() -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        sockopt::set_socket_reuseaddr(&socket, true).expect("an option that every system has");
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = getsockname(&socket).expect("it is bound");
        let number = SocketAddr::try_from(address).expect("it is an address of the internet").port();
        // Elsewhere the server could not listen beside it.
        Self { number, _reserved: cfg!(target_os = "linux").then_some(socket) }
    }

    /// Its number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
