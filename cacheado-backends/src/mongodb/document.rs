//! The document of a key, and the updates that change it.
//!
//! | field | is |
//! |---|---|
//! | `_id` | namespace, `:`, key |
//! | `v` | the value |
//! | `vx` | when its life is over; [`NEVER`] for one without end |
//! | `g` | the groups that it lies in, each with the namespace before it |
//! | `c` | the claims on it: nonce `n`, end `x`, groups `g`, the end `l` of the lease that it stands for |
//! | `n` | a notice that the last write told |
//! | `x` | when the document may go, which the TTL index sees to; none if it is to stay |
//!
//! All times are the server's, taken when it runs an update: no clock of a client is ever written or compared.

use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, RawDocument, doc};

use super::error::Failure;
use crate::contract::{Entry, FILL_WINDOW, Terms};
use crate::error::ErrorKind;

/// The end of what never ends: the last second of the year 9999.
const NEVER: DateTime = DateTime::from_millis(253_402_300_799_000);

/// A life longer than this, of a thousand years, has no end.
pub(super) const LONGEST: Duration = Duration::from_secs(1_000 * 366 * 24 * 3_600);

/// How many claims there can be on a key at a time. One more is not written down, so that its fill is fenced
/// off: those who came before fill.
const CLAIMS: i32 = 128;

/// How long a document stays that is there for its notice only.
const NOTICE_STAYS: Duration = Duration::from_secs(60);

/// What a document may have, and the answer or the command around it.
const LARGEST: usize = 16 * 1024 * 1024 - 32 * 1024;

/// What is written of an entry.
pub(super) struct Stored {
    value: Bson,
    until: Bson,
    groups: Vec<String>,
}

impl Stored {
    /// An entry that fits into a document.
    pub(super) fn new(value: &[u8], ttl: Option<Duration>, groups: Vec<String>) -> Result<Self, Failure> {
        let named: usize = groups.iter().map(|group| group.len() + 16).sum();
        if value.len() + named > LARGEST {
            return Err(Failure::said(ErrorKind::TooLarge, "more than a document takes, which is 16 MiB"));
        }
        Ok(Self { value: binary(value.to_vec()), until: until(ttl), groups })
    }

    /// The fields of the entry. `x` has the end of its life: where there are claims, [`settled`] comes after.
    fn fields(self) -> Document {
        let mut fields = doc! { "_id": "$_id", "v": literal(self.value), "vx": self.until.clone() };
        if self.until != NEVER.into() {
            fields.insert("x", self.until);
        }
        if !self.groups.is_empty() {
            fields.insert("g", literal(self.groups));
        }
        fields
    }
}

/// A claim is added, unless there are too many; what has expired, of claims and values, goes.
pub(super) fn claimed(nonce: ObjectId, groups: Vec<String>) -> Vec<Document> {
    added(&claim(nonce, groups), &doc! { "$gt": ["$$this.x", "$$NOW"] })
}

fn claim(nonce: ObjectId, groups: Vec<String>) -> Document {
    doc! { "n": nonce, "x": from_now(FILL_WINDOW), "g": literal(groups) }
}

fn added(claim: &Document, open: &Document) -> Vec<Document> {
    let if_alive = |field: &str| doc! { "$cond": [alive(), field, "$$REMOVE"] };
    vec![
        doc! { "$replaceWith": {
            "_id": "$_id",
            "v": if_alive("$v"),
            "vx": if_alive("$vx"),
            "g": if_alive("$g"),
            "c": claims_where(open),
        } },
        doc! { "$set": { "c": { "$cond": [
            { "$lt": [{ "$size": "$c" }, CLAIMS] },
            { "$concatArrays": ["$c", [claim]] },
            "$c",
        ] } } },
        settled(),
    ]
}

/// A claim is added that stands for a lease. Nothing changes while another's lease lasts, nor, with `look`,
/// where there is a live entry.
///
/// An update that the driver sends twice does not wait for itself: a claim of this nonce takes its own place.
pub(super) fn leased(nonce: ObjectId, groups: Vec<String>, terms: Terms) -> Vec<Document> {
    let lasts = doc! { "$gt": ["$$this.l", "$$NOW"] };
    let of_others = doc! { "$ne": ["$$this.n", nonce] };
    let holders = claims_where(&doc! { "$and": [lasts, &of_others] });
    let mut stays = vec![doc! { "$gt": [{ "$size": holders }, 0] }];
    stays.extend(terms.look.then(alive));
    let mut claim = claim(nonce, groups);
    claim.insert("l", from_now(terms.lasts));
    let open = doc! { "$and": [{ "$gt": ["$$this.x", "$$NOW"] }, of_others] };
    let mut update = vec![doc! { "$set": { STAYS: { "$or": stays } } }];
    update.extend(added(&claim, &open).into_iter().map(unless_it_stays));
    update.push(doc! { "$unset": STAYS });
    update
}

/// A field that is there during an update alone: whether the document stays as it is.
const STAYS: &str = "s";

/// The same stage, which does nothing to a document that stays as it is.
fn unless_it_stays(stage: Document) -> Document {
    let unless = |before: Bson, after: Bson| doc! { "$cond": [format!("${STAYS}"), before, after] };
    let stage = stage.into_iter().map(|(operator, work)| match work {
        Bson::Document(fields) if operator == "$set" => {
            let fields = fields.into_iter().map(|(field, after)| {
                let before = format!("${field}").into();
                (field, unless(before, after).into())
            });
            (operator, Bson::Document(fields.collect()))
        }
        after => (operator, unless("$$ROOT".into(), after).into()),
    });
    stage.collect()
}

/// What tells what became of the wish for a lease: the claims, and the entry if it is asked for.
pub(super) fn claims_and_time(look: bool) -> Document {
    let mut fields = doc! { "_id": 0, "c.n": 1, "c.l": 1, "t": "$$NOW" };
    if look {
        fields.extend(doc! { "v": 1, "vx": 1 });
    }
    fields
}

/// What became of it, from the document after the update.
pub(super) fn answer(document: &RawDocument, nonce: ObjectId) -> Wish {
    let claims = document.get_array("c").into_iter().flatten().flatten();
    let claims = claims.filter_map(RawBsonRef::as_document);
    let mut held = None;
    for claim in claims {
        if claim.get_object_id("n").is_ok_and(|other| other == nonce) {
            return Wish::Granted(());
        }
        held = held.max(left(claim, "l", document));
    }
    match (entry(document), held) {
        (Some(entry), _) => Wish::Found(entry),
        (None, Some(left)) => Wish::Held(left),
        // There are too many claims. This one's fill is fenced off, and nobody waits for it.
        (None, None) => Wish::Granted(()),
    }
}

/// What became of the wish for a lease.
pub(super) enum Wish<C = ()> {
    /// This is the claim.
    Granted(C),
    Held(Duration),
    Found(Entry),
}

impl<C> Wish<C> {
    /// The same, with something made of the claim.
    pub(super) fn map<D>(self, made: impl FnOnce(C) -> D) -> Wish<D> {
        match self {
            Self::Granted(claim) => Wish::Granted(made(claim)),
            Self::Held(left) => Wish::Held(left),
            Self::Found(entry) => Wish::Found(entry),
        }
    }
}

/// The value of a claim takes its place; other claims stay.
pub(super) fn filled(nonce: ObjectId, stored: Stored, notice: Option<&[u8]>) -> Vec<Document> {
    let mut fields = stored.fields();
    fields.insert("c", claims_where(&doc! { "$ne": ["$$this.n", nonce] }));
    let mut update = vec![doc! { "$replaceWith": fields }, settled()];
    update.extend(notice.map(|notice| doc! { "$set": { "n": literal(told(notice)) } }));
    update
}

/// A value is there, and no claim.
pub(super) fn set(stored: Stored, notice: Option<&[u8]>) -> Vec<Document> {
    let mut fields = stored.fields();
    if let Some(notice) = notice {
        fields.insert("n", literal(told(notice)));
    }
    vec![doc! { "$replaceWith": fields }]
}

/// A claim is given up.
pub(super) fn unclaimed(nonce: ObjectId) -> Vec<Document> {
    vec![doc! { "$set": { "c": claims_where(&doc! { "$ne": ["$$this.n", nonce] }) } }, settled()]
}

/// The claims that name a group are struck.
pub(super) fn struck(group: &str) -> Vec<Document> {
    let names_it = doc! { "$in": [literal(group), array("$$this.g")] };
    vec![doc! { "$set": { "c": claims_where(&doc! { "$not": [names_it] }) } }, settled()]
}

/// The value goes, claims stay.
pub(super) fn erased() -> Vec<Document> {
    vec![doc! { "$unset": ["v", "vx", "g"] }, settled()]
}

/// Nothing stays, and the document may go.
pub(super) fn emptied() -> Vec<Document> {
    vec![doc! { "$replaceWith": { "_id": "$_id", "x": "$$NOW" } }]
}

/// Nothing stays but a notice, and the document may go when all have read it.
pub(super) fn tombstone(notice: &[u8]) -> Vec<Document> {
    let fields = doc! { "_id": "$_id", "n": literal(told(notice)), "x": from_now(NOTICE_STAYS) };
    vec![doc! { "$replaceWith": fields }]
}

/// The value has another life.
pub(super) fn lasting(ttl: Option<Duration>) -> Vec<Document> {
    vec![doc! { "$set": { "vx": until(ttl) } }, settled()]
}

/// Brings `x` and an empty `c` into line with the rest. A notice does not outlive the write that told it, so
/// that it is told once.
fn settled() -> Document {
    doc! { "$set": {
        "c": { "$cond": [{ "$gt": [{ "$size": array("$c") }, 0] }, "$c", "$$REMOVE"] },
        "x": { "$cond": [
            { "$gte": ["$vx", NEVER] },
            "$$REMOVE",
            { "$max": ["$vx", { "$max": "$c.x" }, "$$NOW"] },
        ] },
        "n": "$$REMOVE",
    } }
}

fn claims_where(cond: &Document) -> Document {
    doc! { "$filter": { "input": array("$c"), "cond": cond } }
}

/// A field that may not be there, or be of a type that is not ours: the server ends an update that takes it
/// for an array.
fn array(field: &str) -> Document {
    doc! { "$cond": [{ "$isArray": field }, field, []] }
}

/// Whether there is a value whose life is not over, as an expression.
pub(super) fn alive() -> Document {
    doc! { "$gt": ["$vx", "$$NOW"] }
}

/// What a read asks for. It says what time it is, rather than whether the value is alive, as a read by `_id`
/// alone takes the server's shortest way.
pub(super) fn entry_and_time() -> Document {
    doc! { "v": 1, "vx": 1, "t": "$$NOW" }
}

/// What tells whether there was an entry.
pub(super) fn life_and_time() -> Document {
    doc! { "_id": 0, "vx": 1, "t": "$$NOW" }
}

/// Whether the value's life was not over.
pub(super) fn was_alive(document: &RawDocument) -> bool {
    remaining(document).is_some()
}

/// The entry, if there is a live one. What we have not written is none.
pub(super) fn entry(document: &RawDocument) -> Option<Entry> {
    let remaining = remaining(document)?;
    match document.get("v") {
        Ok(Some(RawBsonRef::Binary(value))) if value.subtype == BinarySubtype::Generic => {
            Some(Entry { value: value.bytes.to_vec(), remaining })
        }
        _ => None,
    }
}

/// How long the value still lives, if it does.
#[expect(clippy::option_option, reason = "dead, or alive with or without an end")]
fn remaining(document: &RawDocument) -> Option<Option<Duration>> {
    let until = document.get_datetime("vx").ok()?;
    let left = left(document, "vx", document)?;
    Some((until < NEVER).then_some(left))
}

/// How long it is until the time in a field, if it is still to come. `at` says what time it was.
fn left(document: &RawDocument, field: &str, at: &RawDocument) -> Option<Duration> {
    let until = document.get_datetime(field).ok()?;
    let now = at.get_datetime("t").ok()?;
    let left = until.timestamp_millis().checked_sub(now.timestamp_millis())?;
    u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
}

/// The end of a life that begins now, rounded up to the server's milliseconds.
fn until(ttl: Option<Duration>) -> Bson {
    match ttl.filter(|ttl| *ttl <= LONGEST).map(|ttl| i64::try_from(ttl.as_nanos().div_ceil(1_000_000))) {
        Some(Ok(life)) => doc! { "$add": ["$$NOW", life.max(1)] }.into(),
        _ => NEVER.into(),
    }
}

fn from_now(time: Duration) -> Document {
    let millis = i64::try_from(time.min(LONGEST).as_millis());
    doc! { "$add": ["$$NOW", millis.unwrap_or_default()] }
}

/// A notice as it is written: what makes it different from each other, then itself.
pub(super) fn told(notice: &[u8]) -> Bson {
    let mut bytes = ObjectId::new().bytes().to_vec();
    bytes.extend_from_slice(notice);
    binary(bytes)
}

/// A value as it stands, whatever it looks like to the server.
pub(super) fn literal(value: impl Into<Bson>) -> Document {
    doc! { "$literal": value.into() }
}

fn binary(bytes: Vec<u8>) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes }.into()
}
