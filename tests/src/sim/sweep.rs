//! One call, dropped after every number of polls.
