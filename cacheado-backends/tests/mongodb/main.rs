//! What is MongoDB's own: documents, indexes, round trips, fences, the bus, outages.

#![cfg(feature = "mongodb")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails a test")]

mod bus;
mod entries;
mod fences;
mod fixture;
mod groups;
mod outages;
mod setup;
