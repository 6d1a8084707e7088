//! How a connection is made: the `redis` crate greets the server, then the socket is ours.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::tcp;
#[cfg(unix)]
use tokio::net::unix;

/// Whether a server is reached by a plain socket.
pub(in crate::redis) fn is_plain(address: &ConnectionAddr) -> bool {
    matches!(address, ConnectionAddr::Tcp(..)) || (cfg!(unix) && matches!(address, ConnectionAddr::Unix(_)))
}

/// A plain socket.
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// The side of it that reads.
pub(super) enum Reading {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
}

/// The side of it that writes.
pub(super) enum Writing {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
}

impl Socket {
    /// A socket on which the server has been greeted.
    pub(super) async fn connect(info: &ConnectionInfo) -> RedisResult<Self> {
        let socket = match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                let socket = TcpStream::connect((host.as_str(), *port)).await?;
                socket.set_nodelay(info.tcp_settings().nodelay())?;
                Self::Tcp(socket)
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Self::Unix(UnixStream::connect(path).await?),
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        let lent = Arc::new(Mutex::new(socket));
        let config = AsyncConnectionConfig::new();
        let stream = Lent(Arc::clone(&lent));
        drop(MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?);
        let socket = Arc::into_inner(lent).ok_or_else(|| io::Error::from(io::ErrorKind::ResourceBusy))?;
        Ok(socket.into_inner())
    }

    pub(super) fn split(self) -> (Reading, Writing) {
        match self {
            Self::Tcp(socket) => {
                let (reading, writing) = socket.into_split();
                (Reading::Tcp(reading), Writing::Tcp(writing))
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                let (reading, writing) = socket.into_split();
                (Reading::Unix(reading), Writing::Unix(writing))
            }
        }
    }
}

impl Reading {
    /// How many bytes have been read into `room`; none at the end.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        ready!(match self {
            Self::Tcp(socket) => Pin::new(socket).poll_read(context, &mut room),
            #[cfg(unix)]
            Self::Unix(socket) => Pin::new(socket).poll_read(context, &mut room),
        })?;
        Poll::Ready(Ok(room.filled().len()))
    }
}

impl Writing {
    /// Writes what can be written at once.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_write(bytes),
        }
    }

    /// Whether more can be written.
    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.as_ref().poll_write_ready(context),
            #[cfg(unix)]
            Self::Unix(socket) => socket.as_ref().poll_write_ready(context),
        }
    }
}

/// A socket while the `redis` crate has it.
struct Lent(Arc<Mutex<Socket>>);

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self.0.lock() {
            Socket::Tcp(socket) => Pin::new(socket).poll_read(context, room),
            #[cfg(unix)]
            Socket::Unix(socket) => Pin::new(socket).poll_read(context, room),
        }
    }
}

impl AsyncWrite for Lent {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.0.lock() {
            Socket::Tcp(socket) => Pin::new(socket).poll_write(context, bytes),
            #[cfg(unix)]
            Socket::Unix(socket) => Pin::new(socket).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.0.lock() {
            Socket::Tcp(socket) => Pin::new(socket).poll_flush(context),
            #[cfg(unix)]
            Socket::Unix(socket) => Pin::new(socket).poll_flush(context),
        }
    }

    /// It is not the crate's to close.
    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
