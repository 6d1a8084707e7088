//! `single_flight = "distributed"` over servers: among caches of this process, and among processes, one of which
//! dies.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use cacheado::{cached, with_cache};
use cacheado_tests::leases::{self, held, nodes};
use cacheado_tests::wait::until;

use crate::server::Server;

macro_rules! scenarios {
    ($($scenario:ident),+ $(,)?) => {
        $(fn $scenario(server: &Server) {
            leases::$scenario(&|| server.builder());
        })+
        crate::over_each_server!(
            waiters_do_not_spin,
            processes_together_compute_once,
            processes_together_compute_an_expired_entry_once,
            hazard_25_a_process_that_is_killed_holds_up_others_no_longer_than_its_lease,
            hazard_26_a_server_that_dies_makes_it_a_flight_of_each_process,
            $($scenario),+
        );
    };
}

scenarios!(
    nodes_together_compute_once,
    threads_of_nodes_together_compute_once,
    hazard_25_a_cancelled_holder_gives_its_lease_up,
    hazard_25_a_panicking_holder_gives_its_lease_up,
    hazard_25_an_error_gives_the_lease_up,
    hazard_25_a_lease_has_an_end,
    a_refresh_waits_for_nobody,
    hazard_21_nobody_waits_for_what_an_eviction_came_before,
    hazard_19_a_call_dropped_anywhere_leaves_no_lease,
    hazard_25_a_dropped_waiter_leaves_the_lease_alone,
    hazard_23_recursion_ends,
);

fn waiters_do_not_spin(server: &Server) {
    leases::waiters_do_not_spin(&|| server.builder(), &|| match server {
        Server::Redis(redis) => redis.calls("evalsha"),
        Server::MongoDb(mongo) => mongo.calls("findAndModify"),
    });
}

/// Processes, and what they say.
struct Processes {
    children: Vec<(Child, ChildStdin)>,
    said: Receiver<(usize, String)>,
    heard: Vec<Vec<String>>,
}

impl Processes {
    fn start(server: &Server, lease: Duration) -> Self {
        let (tell, said) = channel();
        let children: Vec<_> = (0..4)
            .map(|number| {
                let mut child = Command::new(env!("CARGO_BIN_EXE_lease_node"))
                    .args([server.kind(), &server.url(), &lease.as_millis().to_string()])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                let tell = tell.clone();
                thread::spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        tell.send((number, line)).unwrap_or_default();
                    }
                });
                (child, input)
            })
            .collect();
        Self { heard: vec![Vec::new(); children.len()], children, said }
    }

    fn tell_all(&mut self, line: &str) {
        for (_, input) in &mut self.children {
            // One of them may be dead.
            let _ = writeln!(input, "{line}");
        }
    }

    /// Listens until so many have said a line that begins so.
    fn hear(&mut self, from: usize, line: &str) {
        while self.who_said(line).len() < from {
            let (number, line) = self.said.recv_timeout(Duration::from_secs(30)).expect("no answer");
            self.heard[number].push(line);
        }
    }

    fn who_said(&self, start: &str) -> Vec<usize> {
        let said = |number: &usize| self.heard[*number].iter().any(|line| line.starts_with(start));
        (0..self.heard.len()).filter(said).collect()
    }

    /// What was said that begins so, by each who said it.
    fn all(&self, start: &str) -> Vec<&str> {
        self.heard.iter().flatten().filter_map(|line| line.strip_prefix(start)).collect()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (child, _) in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn processes_together_compute_an_expired_entry_once(server: &Server) {
    /// The entry of the processes, as a release before theirs has stored it.
    #[cached(name = "node.lease", ttl = "300ms", single_flight = "distributed")]
    fn computed_by() -> u32 {
        0
    }
    let cache = server.cache();
    with_cache(&cache, || {
        assert_eq!(computed_by(), 0);
        assert_eq!(cache.stats().misses, 1);
        until("the entry has expired", || computed_by_entry().peek().unwrap().is_none());
    });
    processes_together_compute_once(server);
}

fn processes_together_compute_once(server: &Server) {
    let mut processes = Processes::start(server, Duration::from_secs(60));
    processes.tell_all("go");
    processes.hear(4, "missed");
    processes.hear(1, "body");
    processes.tell_all("end");
    processes.hear(4, "value ");
    assert_eq!(processes.all("body").len(), 1, "{:?}", processes.heard);
    let by = processes.children[processes.who_said("body")[0]].0.id().to_string();
    assert_eq!(processes.all("value "), [by.as_str(); 4]);
}

fn hazard_25_a_process_that_is_killed_holds_up_others_no_longer_than_its_lease(server: &Server) {
    let lease = Duration::from_secs(5);
    let mut processes = Processes::start(server, lease);
    processes.tell_all("go");
    processes.hear(4, "missed");
    processes.hear(1, "body");
    let holder = processes.who_said("body")[0];
    processes.children[holder].0.kill().unwrap();
    let killed = Instant::now();
    processes.tell_all("end");
    processes.hear(3, "value ");
    let took = killed.elapsed();
    assert!(took < lease + Duration::from_secs(15), "they were held up for {took:?}");
    assert_eq!(processes.all("body").len(), 2, "one takes over: {:?}", processes.heard);
}

fn hazard_26_a_server_that_dies_makes_it_a_flight_of_each_process(server: &Server) {
    let [a, b, c] = nodes(&|| server.hurried(), Duration::from_secs(60));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let call = |node: &leases::Node| {
        let node = node.clone();
        runtime.spawn(async move { held(&node, 0).await })
    };
    let holder = call(&a);
    until("the body has begun", || a.script.bodies.get() == 1);
    let waiters: Vec<_> = (0..16).map(|_| call(&b)).collect();
    until("another node waits", || b.has_missed());
    server.kill();
    let late: Vec<_> = (0..16).map(|_| call(&c)).collect();
    until("each node computes", || a.script.bodies.get() == 3);
    a.script.let_end(3);
    let mut values: Vec<_> = [holder]
        .into_iter()
        .chain(waiters)
        .chain(late)
        .map(|call| {
            runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(20), call).await })
                .unwrap()
                .unwrap()
        })
        .collect();
    assert_eq!(a.script.bodies.get(), 3, "once on each node");
    values.sort_unstable();
    values.dedup();
    assert_eq!(values, [0, 1, 2]);
}

#[test]
fn a_miss_asks_redis_as_often_as_without_a_lease() {
    let Some(server) = crate::server::redis() else { return };
    let Server::Redis(redis) = &server else { return };
    #[cacheado::cached(ttl = 60, single_flight = "distributed")]
    fn value(n: u32) -> u32 {
        n
    }
    let cache = server.cache();
    let call = |n| with_cache(&cache, || assert_eq!(value(n), n));
    // Connections and scripts are there.
    call(1);
    let before = redis.reads_processed();
    call(2);
    assert_eq!(redis.reads_processed() - before, 3, "read, announce, write");
    assert!(redis.keys().iter().all(|key| !key.contains(":l:")), "a lease was left behind");
}
