//! Scopes that functions of other crates are cached in.

cacheado::scopes! {
    pub mod scopes {
        organization(org_id) { user(user_id) { session(session_id) } }
        car(car_id) { door(door_id) }
    }
}
