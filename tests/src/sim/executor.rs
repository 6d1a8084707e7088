//! One thread that polls tasks, in an order that the seed draws.
//!
//! Nothing here knows of caches. A task is ready when it was woken, and its node is not paused. Each poll is a
//! step; a [`hop`](World::hop) is a pause of a drawn number of steps, so that whatever lies on both sides of it
//! can happen in any order with what other tasks do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use crate::lock;
use crate::random::Random;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a task is called. Counted up, so that it says in which order tasks were made.
pub type TaskId = u64;

/// After so many steps a schedule is taken to go round in circles.
const MOST_STEPS: u64 = 200_000;

/// Who runs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A process: the node, and how often it had been started before. It can be paused and killed.
    Node(usize, u32),
    /// The network, the server and the one who makes trouble: they always go on.
    World,
}

/// The tasks and the time of a simulation, in steps.
pub struct World(Mutex<State>);

struct State {
    random: Random,
    step: u64,
    next: TaskId,
    tasks: BTreeMap<TaskId, Task>,
    current: Option<(TaskId, Owner)>,
    sleepers: BTreeMap<(u64, u64), Waker>,
    naps: u64,
    /// Nodes that are not polled, and until which step.
    paused: BTreeMap<usize, u64>,
    dead: BTreeSet<(usize, u32)>,
    /// A digest of all choices: two runs of one seed must agree.
    digest: u64,
}

struct Task {
    owner: Owner,
    /// One that lasts as long as its node, and is not waited for.
    is_background: bool,
    /// Taken out while it is polled.
    work: Option<Work>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            random: Random::seeded(seed),
            step: 0,
            next: 0,
            tasks: BTreeMap::new(),
            current: None,
            sleepers: BTreeMap::new(),
            naps: 0,
            paused: BTreeMap::new(),
            dead: BTreeSet::new(),
            digest: seed,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// A number below `n`.
    pub fn below(&self, n: usize) -> usize {
        self.state().random.below(n)
    }

    /// Whether what happens `percent` times in a hundred happens now.
    pub fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// How many steps have been taken.
    pub fn step(&self) -> u64 {
        self.state().step
    }

    /// What all choices so far come to.
    pub fn digest(&self) -> u64 {
        self.state().digest
    }

    /// The task that is polled just now, and whose it is.
    pub fn current(&self) -> Option<(TaskId, Owner)> {
        self.state().current
    }

    /// Adds a task.
    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + Send + 'static) -> TaskId {
        self.add(owner, false, Box::pin(work))
    }

    /// Adds a task that is not waited for at the end. One of a dead process is dropped.
    pub fn spawn_background(&self, owner: Owner, work: Work) {
        self.add(owner, true, work);
    }

    fn add(&self, owner: Owner, is_background: bool, work: Work) -> TaskId {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        if let Owner::Node(node, start) = owner
            && state.dead.contains(&(node, start))
        {
            drop(state);
            drop(work);
            return id;
        }
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        state.tasks.insert(id, Task { owner, is_background, work: Some(work), woken });
        id
    }

    /// Resolves after some steps.
    pub async fn sleep(&self, steps: u64) {
        let until = self.step() + steps;
        poll_fn(|context| {
            let mut state = self.state();
            if state.step >= until {
                return Poll::Ready(());
            }
            state.naps += 1;
            let nap = state.naps;
            state.sleepers.insert((until, nap), context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Resolves after a few steps, sometimes many: anything may come between.
    pub async fn hop(&self) {
        let most = [2, 2, 2, 6, 6, 20, 60][self.below(7)];
        let steps = 1 + self.below(most) as u64;
        self.sleep(steps).await;
    }

    /// The tasks of a node are not polled for so many steps.
    pub fn pause(&self, node: usize, steps: u64) {
        let mut state = self.state();
        let until = state.step + steps;
        state.paused.insert(node, until);
    }

    /// All nodes are polled again.
    pub fn resume_all(&self) {
        self.state().paused.clear();
    }

    /// Drops all tasks of a process where they stand.
    pub fn kill(&self, node: usize, start: u32) {
        let owner = Owner::Node(node, start);
        let ended: Vec<_> = {
            let mut state = self.state();
            state.dead.insert((node, start));
            let ids: Vec<_> =
                state.tasks.iter().filter(|(_, task)| task.owner == owner).map(|(id, _)| *id).collect();
            ids.iter().filter_map(|id| state.tasks.remove(id)).collect()
        };
        // What their `drop` runs may ask the world.
        drop(ended);
    }

    /// Polls until nobody is ready and nobody sleeps, or `is_over`.
    ///
    /// # Errors
    ///
    /// What is left that somebody waits for, and that nothing will wake.
    pub fn run(&self, is_over: impl Fn() -> bool) -> Result<(), String> {
        while self.poll_one() {
            if is_over() {
                return Ok(());
            }
            if self.step() > MOST_STEPS {
                return Err(format!("not done after {MOST_STEPS} steps"));
            }
        }
        let state = self.state();
        let left: Vec<_> = state.tasks.iter().filter(|(_, task)| !task.is_background).collect();
        match left.first() {
            None => Ok(()),
            Some((id, task)) => {
                Err(format!("{} tasks hang, the first is task {id} of {:?}", left.len(), task.owner))
            }
        }
    }

    /// Takes one step; whether there was one to take.
    fn poll_one(&self) -> bool {
        let Some((id, mut work, waker)) = self.choose() else { return false };
        let poll = work.as_mut().poll(&mut Context::from_waker(&waker));
        let ended = {
            let mut state = self.state();
            state.current = None;
            state.digest = state.digest.rotate_left(5).wrapping_add(id << 1 | u64::from(poll.is_ready()));
            match state.tasks.get_mut(&id) {
                Some(task) if poll.is_pending() => {
                    task.work = Some(work);
                    None
                }
                // It has ended, or has been killed while it was polled.
                _ => {
                    state.tasks.remove(&id);
                    Some(work)
                }
            }
        };
        drop(ended);
        true
    }

    fn choose(&self) -> Option<(TaskId, Work, Waker)> {
        let mut state = self.state();
        let state = &mut *state;
        loop {
            state.step += 1;
            while let Some(entry) = state.sleepers.first_entry()
                && entry.key().0 <= state.step
            {
                entry.remove().wake();
            }
            state.paused.retain(|_, until| *until > state.step);
            let is_ready = |task: &Task| task.woken.0.load(Ordering::SeqCst);
            let is_polled = |task: &Task| match task.owner {
                Owner::Node(node, _) => !state.paused.contains_key(&node),
                Owner::World => true,
            };
            let ready: Vec<_> = state
                .tasks
                .iter()
                .filter(|(_, it)| is_ready(it) && is_polled(it))
                .map(|(id, _)| *id)
                .collect();
            if ready.is_empty() {
                // Nothing happens until the next sleeper's time, or a node is polled again.
                let wakes = state.sleepers.first_key_value().map(|(at, _)| at.0);
                let resumes =
                    state.paused.values().min().copied().filter(|_| state.tasks.values().any(is_ready));
                state.step = wakes.into_iter().chain(resumes).min()?.saturating_sub(1).max(state.step);
                continue;
            }
            let id = ready[state.random.below(ready.len())];
            let task = state.tasks.get_mut(&id)?;
            task.woken.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(Arc::clone(&task.woken));
            state.current = Some((id, task.owner));
            return Some((id, task.work.take()?, waker));
        }
    }
}
