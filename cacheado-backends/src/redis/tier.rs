//! [`Tier`], which Redis has all of by itself.

use std::sync::Arc;
use std::time::Duration;

use super::Redis;
use super::bus::Listener;
use super::groups::Which;
use super::writes::LONGEST;
use crate::contract::{
    BoxFuture, Capabilities, Claim, Entry, Filled, Group, Leased, New, Place, Subscription, Terms, Tier,
    Wanted,
};
use crate::error::Result;

pub(super) const NAME: &str = "redis";

pub(super) fn capabilities(redis: &Redis) -> Capabilities {
    let routes = redis.connections().settings.cluster.is_some();
    Capabilities { groups: true, fences: true, expiry: true, bus: true, leases: true, routes }
}

impl Tier for Redis {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        capabilities(self)
    }

    fn longest(&self) -> Option<Duration> {
        Some(LONGEST)
    }

    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.read(&at.key, &at.route, wanted))
    }

    fn get_blocking(&self, at: &Place, wanted: Wanted) -> Option<Result<Option<Entry>>> {
        self.read_blocking(&at.key, &at.route, wanted)
    }

    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        Box::pin(async move {
            let keys: Vec<(&str, &str)> = at.iter().map(|at| (at.key.as_str(), &*at.route)).collect();
            self.read_many(&keys, wanted).await
        })
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        Box::pin(self.announce(&at.key, &at.route))
    }

    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        Box::pin(self.announce_leased(at, terms))
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.release(at, claim))
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.complete(at, new, claim, None))
    }

    fn replace<'a>(
        &'a self,
        at: &'a Place,
        new: New<'a>,
        claim: &'a Claim,
        notice: &'a [u8],
    ) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.complete(at, new, claim, Some(notice)))
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.overwrite(&at.key, &at.route, &at.groups, new, notice))
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.prolong(&at.key, &at.route, ttl))
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.withdraw(&at.key, &at.route, notice))
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.take_back(at, claim, notice))
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.remove_all("evict group", Which::Of(group), notice))
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.remove_all("clear", Which::All, notice))
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.number("count", group.map_or(Which::All, Which::Of)))
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        Listener::start(&self).map(|listener| Box::new(listener) as Box<dyn Subscription>)
    }
}
