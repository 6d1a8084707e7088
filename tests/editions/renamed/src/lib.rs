//! What a crate does that calls cacheado something else.

use memo::KeyPart;

memo::scopes! {
    crate = memo;
    /// Scopes of this crate.
    pub mod scopes {
        team(team_id: TeamId) { seat(seat_id) }
    }
}

/// A team.
#[derive(Clone, KeyPart)]
#[key(crate = memo)]
pub struct TeamId(pub u32);

/// Cached under the other name.
#[memo::cached(crate = memo, ttl = 60, scope = "seat")]
pub fn seat(team_id: TeamId, seat_id: u8) -> String {
    format!("{}-{seat_id}", team_id.0)
}

/// Through a re-export, by a path that begins with `crate`.
#[memo::cached(crate = crate::inner::again)]
pub async fn later(n: u64) -> Result<u64, std::fmt::Error> {
    if n == 0 { Err(std::fmt::Error) } else { Ok(n + 1) }
}

mod inner {
    pub(crate) use memo as again;
}
