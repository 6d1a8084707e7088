//! What is MongoDB's own: documents, indexes, round trips, fences, the bus, outages.

#![cfg(feature = "mongodb")]

mod bus;
mod entries;
mod fences;
mod fixture;
mod groups;
mod outages;
mod setup;
