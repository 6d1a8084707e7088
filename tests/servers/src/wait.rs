//! Waiting for what another process does.

use std::thread;
use std::time::{Duration, Instant};

/// Longer than any server takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
///
/// # Panics
///
/// After a minute, with the last reason why there was none.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let begin = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(reason) => {
                assert!(begin.elapsed() < DEADLINE, "waited {DEADLINE:?} for {what}: {reason}");
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}
