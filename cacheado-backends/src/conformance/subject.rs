//! What a check works with.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::contract::{Backend, BoxFuture, DynBackend, Tier};
use crate::emulated::Emulated;
use crate::memory::SharedMemory;

/// A backend in a namespace that is empty and that nobody else uses, as one or two nodes of a system see it.
///
/// # Examples
///
/// ```
/// use cacheado_backends::conformance::Subject;
/// use cacheado_backends::memory::SharedMemory;
///
/// let memory = SharedMemory::new();
/// let subject = Subject::new(memory.clone()).with_peer(memory);
/// # let _ = subject;
/// ```
pub struct Subject {
    node: Node,
    peer: Option<Node>,
    neighbour: Option<Node>,
    kept: Vec<Box<dyn Any>>,
    at_end: Vec<BoxFuture<'static, ()>>,
    is_skipped: bool,
}

/// A backend as one node sees it.
#[derive(Clone)]
pub struct Node {
    pub(super) backend: Arc<dyn DynBackend>,
    pub(super) tier: Arc<dyn Tier>,
}

impl Node {
    /// The backend, and the tier that it brings.
    pub fn new(backend: impl Backend) -> Self {
        let backend = Arc::new(backend);
        Self { tier: Arc::clone(&backend).tier(), backend }
    }

    /// The backend, and a tier of one's own, such as a cache in front of the backend's.
    pub fn with_tier(backend: impl Backend, tier: Arc<dyn Tier>) -> Self {
        Self { backend: Arc::new(backend), tier }
    }

    fn emulated(self) -> Self {
        Self { tier: Arc::new(Emulated::new(Arc::clone(&self.backend))), ..self }
    }
}

impl Subject {
    /// One node.
    pub fn new(backend: impl Backend) -> Self {
        Self::of(Node::new(backend))
    }

    /// One node, made of its parts.
    #[must_use]
    pub fn of(node: Node) -> Self {
        Self { node, peer: None, neighbour: None, kept: Vec::new(), at_end: Vec::new(), is_skipped: false }
    }

    /// None: there is no server to check, and whoever runs the tests has asked to do without. The check passes,
    /// and says loudly why.
    #[must_use]
    pub fn skipped(why: &str) -> Self {
        eprintln!("SKIPPED: {why}");
        Self { is_skipped: true, ..Self::new(SharedMemory::new()) }
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.is_skipped
    }

    /// A second node over the same storage and namespace: a client and a connection of its own, if there are
    /// such things.
    #[must_use]
    pub fn with_peer(self, backend: impl Backend) -> Self {
        self.with_peer_node(Node::new(backend))
    }

    /// A second node, made of its parts.
    #[must_use]
    pub fn with_peer_node(self, peer: Node) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// Another namespace of the same server, empty as well, for the checks that namespaces are apart. Without
    /// one they open a second fresh subject, which says little if that has a server of its own.
    #[must_use]
    pub fn with_neighbour(self, backend: impl Backend) -> Self {
        Self { neighbour: Some(Node::new(backend)), ..self }
    }

    /// Groups and fences by [`Emulated`], whatever the backend brings. Its small contract is what is then
    /// checked.
    #[must_use]
    pub fn emulated(self) -> Self {
        let [peer, neighbour] = [self.peer, self.neighbour].map(|node| node.map(Node::emulated));
        Self { node: self.node.emulated(), peer, neighbour, ..self }
    }

    /// Keeps something until the check has ended, such as a temporary directory.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    /// Runs a future at the end of a check that has passed, such as the shutdown of a client.
    #[must_use]
    pub fn at_end(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.at_end.push(Box::pin(future));
        self
    }

    pub(super) fn backend(&self) -> &dyn DynBackend {
        &*self.node.backend
    }

    pub(super) fn tier(&self) -> &dyn Tier {
        &*self.node.tier
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    pub(super) fn peer(&self) -> &Node {
        assert!(
            self.peer.is_some(),
            "this check needs a second node over the same storage: give it by `Subject::with_peer`, or say \
             `without(second_node)` if there can be none"
        );
        self.peer.as_ref().unwrap_or(&self.node)
    }

    /// All nodes that there are.
    pub(super) fn nodes(&self) -> Vec<Node> {
        [Some(&self.node), self.peer.as_ref()].into_iter().flatten().cloned().collect()
    }

    /// The neighbour as a subject of its own.
    pub(super) fn take_neighbour(&mut self) -> Option<Self> {
        self.neighbour.take().map(Self::of)
    }

    pub(super) async fn end(&mut self) {
        for future in self.at_end.drain(..) {
            future.await;
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("backend", &self.node.backend.name())
            .field("has_peer", &self.peer.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("backend", &self.backend.name()).finish_non_exhaustive()
    }
}
