//! The cache over real servers: shared by processes, killed, stopped and started again.
//!
//! | file | subject |
//! |---|---|
//! | `server` | what the tests need of a server, whichever it is |
//! | `fencing` | every way to evict against every way to fill |
//! | `processes` | processes that share entries |
//! | `outages` | servers that die, stop and come back, under load |
//! | `calls` | single flight, contexts, near caches: over a server |
//! | `freshness` | values past their time, by the server's clock |
//! | `leases` | one process at a time computes |
//! | `trips` | how often a server is asked, by its own count |

mod calls;
mod fencing;
mod freshness;
mod leases;
mod outages;
mod processes;
mod server;
mod trips;

/// The same tests over each server.
#[macro_export]
macro_rules! over_each_server {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[test]
            fn $test() {
                if let Some(server) = $crate::server::redis() {
                    super::$test(&server);
                }
            })+
        }

        mod mongodb {
            $(#[test]
            fn $test() {
                if let Some(server) = $crate::server::mongodb() {
                    super::$test(&server);
                }
            })+
        }
    };
}
