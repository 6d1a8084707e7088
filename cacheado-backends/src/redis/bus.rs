//! What other nodes have evicted: notices over publish and subscribe.
//!
//! Each notice carries the shard that it comes from and a number. A subscription has a connection of its own, on
//! the I/O thread. It is asked every second whether it still lives, and for the number of the last notice: one
//! that was missed is noticed then, if the next one does not tell of it before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue as _, Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::connection::Again;
use super::error::is_foreign;
use super::link::Request;
use super::scripts::Name;
use super::settings::silent;
use super::{Redis, together};
use crate::contract::{BoxFuture, Event, Subscription};
use crate::io;

/// How often the connection is asked whether it lives, and how long it may take to answer, unless the time limit is
/// longer.
const PULSE: Duration = Duration::from_secs(1);
/// The pauses between attempts to connect: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// How many notices may wait to be asked for. More are worth a gap.
const WAITING: usize = 4_096;

/// A subscription.
pub(super) struct Listener {
    inbox: Arc<Inbox>,
    task: AbortHandle,
}

impl Listener {
    /// Begins to listen; `None` if there is no I/O thread.
    pub(super) fn start(redis: &Redis) -> Option<Self> {
        let inbox = Arc::new(Inbox::new(redis.layout().shards().len()));
        let task = io::handle().ok()?.spawn(listen(redis.clone(), Arc::clone(&inbox))).abort_handle();
        Some(Self { inbox, task })
    }
}

impl Subscription for Listener {
    fn next(&mut self) -> BoxFuture<'_, Event> {
        Box::pin(async {
            loop {
                if let Some(event) = self.inbox.state.lock().events.pop_front() {
                    return event;
                }
                self.inbox.filled.notified().await;
            }
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What has come and was not asked for yet.
struct Inbox {
    state: Mutex<State>,
    /// There is an event.
    filled: Notify,
    /// The connection has ended.
    ended: Notify,
}

struct State {
    events: VecDeque<Event>,
    /// Which connection is listened to: what an earlier one still tells is too late.
    connection: u64,
    /// Whether that is not known to be closed.
    open: bool,
    /// The number of the last notice of each shard, where it is known.
    heard: Box<[Option<u64>]>,
}

impl State {
    /// Notices have been missed; those that wait are no news beside it.
    fn gap(&mut self) {
        self.events.clear();
        self.events.push_back(Event::Gap);
    }
}

impl Inbox {
    fn new(shards: usize) -> Self {
        let heard = vec![None; shards].into();
        let state = State { events: VecDeque::new(), connection: 0, open: false, heard };
        Self { state: Mutex::new(state), filled: Notify::new(), ended: Notify::new() }
    }

    /// The number of a connection that is made now.
    fn begin(&self) -> u64 {
        let mut state = self.state.lock();
        state.connection += 1;
        state.open = true;
        state.heard.fill(None);
        state.connection
    }

    /// Something that a connection tells.
    fn receive(&self, connection: u64, push: &PushInfo) {
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Disconnection, _) => self.end(connection),
            (PushKind::Message, [_, Value::BulkString(message)]) => self.hear(connection, message),
            _ => {}
        }
    }

    fn end(&self, connection: u64) {
        let mut state = self.state.lock();
        if state.connection == connection {
            state.open = false;
            self.ended.notify_one();
        }
    }

    fn is_open(&self) -> bool {
        self.state.lock().open
    }

    fn hear(&self, connection: u64, message: &[u8]) {
        let mut state = self.state.lock();
        if state.connection != connection {
            return;
        }
        let parsed = parsed(message).filter(|(shard, ..)| *shard < state.heard.len());
        let in_order = parsed.is_some_and(|(shard, number, _)| {
            let last = state.heard[shard].replace(number);
            last.is_none_or(|last| last.wrapping_add(1) == number)
        });
        match parsed {
            Some((.., notice)) if in_order && state.events.len() < WAITING => {
                state.events.push_back(Event::Notice(notice.to_vec()));
            }
            // Missed, too many, or from somebody who may mean anything.
            _ => state.gap(),
        }
        drop(state);
        self.filled.notify_one();
    }

    /// The numbers of the last notices that were heard; zero where none is known.
    fn heard(&self) -> Vec<u64> {
        self.state.lock().heard.iter().map(|number| number.unwrap_or_default()).collect()
    }

    /// Compares what was heard with the numbers of the last notices, as they are `now`. What was `told` must have come. A
    /// number that is less than it was `before` has begun anew, such as where somebody has deleted everything.
    fn compare(&self, told: &[u64], before: &[u64], now: &[u64]) {
        let mut state = self.state.lock();
        let mut missed = false;
        for ((heard, told), (before, now)) in state.heard.iter_mut().zip(told).zip(before.iter().zip(now)) {
            if now < before {
                *heard = None;
                missed = true;
            } else if heard.is_none_or(|heard| heard < *told) {
                missed |= heard.is_some();
                *heard = Some(*told);
            }
        }
        if missed {
            state.gap();
            drop(state);
            self.filled.notify_one();
        }
    }

    fn gap(&self) {
        self.state.lock().gap();
        self.filled.notify_one();
    }
}

/// The shard, the number and the notice of a message.
fn parsed(message: &[u8]) -> Option<(usize, u64, &[u8])> {
    let mut parts = message.splitn(3, |byte| *byte == b':');
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<u64>().ok();
    let (shard, number) = (number()?, number()?);
    Some((usize::try_from(shard).ok()?, number, parts.next()?))
}

/// Listens for as long as it is let.
async fn listen(redis: Redis, inbox: Arc<Inbox>) {
    let [shortest, longest] = PAUSES;
    let mut pause = shortest;
    for node in 0_usize.. {
        let connection = connect(&redis, &inbox, node).await;
        match connection {
            Ok(connection) => {
                pause = shortest;
                follow(&redis, &inbox, connection).await;
            }
            Err(error) => {
                let error = redis.report("subscribe")(error);
                if pause == shortest {
                    tracing::warn!(target: "cacheado", %error, "notices of other nodes are not heard for now");
                } else {
                    tracing::debug!(target: "cacheado", %error, "still no notices from Redis");
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Subscribes, on a new connection.
async fn connect(redis: &Redis, inbox: &Arc<Inbox>, node: usize) -> RedisResult<MultiplexedConnection> {
    let settings = &redis.connections().settings;
    let (number, receiver) = (inbox.begin(), Arc::clone(inbox));
    let push = move |push: PushInfo| {
        receiver.receive(number, &push);
        Ok::<_, ()>(())
    };
    let mut connection = settings.connect_to(node, push).await?;
    let subscribing = connection.subscribe(&redis.layout().channel);
    timeout(settings.timeout, subscribing).await.map_err(|_| silent(settings.timeout))??;
    // Not before: what is evicted from now on is told.
    inbox.gap();
    Ok(connection)
}

/// Stays with a connection until it ends.
async fn follow(redis: &Redis, inbox: &Inbox, mut connection: MultiplexedConnection) {
    let settings = &redis.connections().settings;
    let (cluster, limit) = (settings.cluster.is_some(), PULSE.max(settings.timeout));
    let mut before: Option<Vec<u64>> = None;
    while inbox.is_open() {
        let heard = inbox.heard();
        let now = if cluster {
            let mut ping = Cmd::new();
            ping.arg("PING");
            if !matches!(timeout(limit, connection.send_packed_command(&ping)).await, Ok(Ok(_))) {
                return;
            }
            last_notices_in_cluster(redis).await
        } else {
            match last_notices(redis, &mut connection, limit).await {
                Ok(numbers) => Some(numbers),
                Err(_) => return,
            }
        };
        if let Some(now) = now {
            // The nodes of a cluster pass notices on to each other, which takes a moment: what one had told a
            // second ago must have come by now. A server alone has told all when it answers.
            match &before {
                _ if !cluster => inbox.compare(&now, &heard, &now),
                Some(before) => inbox.compare(before, before, &now),
                None => {}
            }
            before = Some(now);
        }
        let _ = timeout(PULSE, inbox.ended.notified()).await;
    }
}

/// The number of each shard's last notice. The answer comes after all notices before it.
async fn last_notices(
    redis: &Redis,
    connection: &mut MultiplexedConnection,
    limit: Duration,
) -> RedisResult<Vec<u64>> {
    let mut requests = Pipeline::new();
    for shard in redis.layout().shards() {
        requests.cmd("GET").arg(Name::sequence(shard));
    }
    let answers = connection.send_packed_commands(&requests, 0, requests.len());
    let answers = timeout(limit, answers).await.map_err(|_| silent(limit))??;
    answers.into_iter().map(number).collect()
}

/// The same in a cluster; `None` where a node does not answer.
async fn last_notices_in_cluster(redis: &Redis) -> Option<Vec<u64>> {
    let mut requests: Vec<BoxFuture<'_, RedisResult<u64>>> = Vec::new();
    for shard in redis.layout().shards() {
        requests.push(Box::pin(async move {
            let mut command = Cmd::new();
            command.arg("GET").arg(Name::sequence(shard));
            let answer = redis.connections().send(&Request::One(command), shard.route, Again::Harmless).await;
            answer.and_then(number)
        }));
    }
    together(requests).await.into_iter().collect::<RedisResult<_>>().ok()
}

/// What somebody else has put in the place of a number is none: the next notice begins anew.
fn number(answer: Value) -> RedisResult<u64> {
    match answer.extract_error() {
        Ok(answer) => Ok(Option::from_redis_value(answer).ok().flatten().unwrap_or_default()),
        Err(foreign) if is_foreign(&foreign) => Ok(0),
        Err(refused) => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn events(inbox: &Inbox) -> Vec<Event> {
        inbox.state.lock().events.drain(..).collect()
    }

    #[test]
    fn hazard_30_what_is_no_number_is_none_and_begins_anew() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let foreign = parse_redis_value(b"-WRONGTYPE Operation against a key\r\n").expect("an answer");
        for rubbish in
            [text("rubbish"), text(""), text("-5"), text("99999999999999999999"), Value::Nil, foreign]
        {
            assert_eq!(number(rubbish.clone()).expect("none"), 0, "{rubbish:?}");
        }
        assert_eq!(number(text("5")).expect("a number"), 5);
        number(parse_redis_value(b"-LOADING\r\n").expect("an answer")).expect_err("it may be any");

        let inbox = Inbox::new(1);
        let connection = inbox.begin();
        inbox.hear(connection, b"0:5:a");
        inbox.compare(&[0], &inbox.heard(), &[0]);
        assert_eq!(events(&inbox), [Event::Gap], "it has been written over");
        for (last, notice) in [(1, &b"0:1:b"[..]), (2, b"0:2:c")] {
            inbox.hear(connection, notice);
            inbox.compare(&[last], &inbox.heard(), &[last]);
        }
        assert_eq!(events(&inbox), [Event::Notice(b"b".to_vec()), Event::Notice(b"c".to_vec())]);
    }

    #[test]
    fn a_notice_that_overtakes_the_answer_is_no_gap() {
        let inbox = Inbox::new(1);
        let connection = inbox.begin();
        inbox.hear(connection, b"0:5:a");
        let heard = inbox.heard();
        // The answer is 5, and has not been read yet.
        inbox.hear(connection, b"0:6:b");
        inbox.compare(&[5], &heard, &[5]);
        assert_eq!(events(&inbox), [Event::Notice(b"a".to_vec()), Event::Notice(b"b".to_vec())]);
        inbox.compare(&[1], &inbox.heard(), &[1]);
        assert_eq!(events(&inbox), [Event::Gap], "the numbers have begun anew");
        inbox.hear(connection, b"0:2:c");
        inbox.compare(&[3], &inbox.heard(), &[3]);
        assert_eq!(events(&inbox), [Event::Gap], "3 has not come");
    }
}
