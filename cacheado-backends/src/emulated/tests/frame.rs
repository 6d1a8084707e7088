//! The bytes of values, and bytes that are none.

use super::super::fences::{Epoch, Fence, Fences};
use super::super::frame::{Framed, encode};
use super::{Claim, Filled, Tier, World, at, block_on, group, new, place};
use crate::{Backend, Entry};

fn fences() -> Fences {
    let fence = |name: &str, state, is_member| Fence { name: name.to_owned(), state, is_member };
    let groups = vec![fence("a", None, true), fence("b ü", Some(Epoch([7; 16])), false)];
    Fences { all: Epoch([1; 16]), key: Some(Epoch([2; 16])), groups }
}

fn entry(value: &[u8]) -> Entry {
    Entry { value: value.to_vec(), remaining: None }
}

#[test]
fn a_frame_holds_a_value_and_its_fences() {
    for value in [&b""[..], b"value", &[0; 1_000], b"cdo", &encode(b"within", &fences()).unwrap()] {
        let framed = Framed::parse(entry(&encode(value, &fences()).unwrap())).unwrap();
        assert_eq!(framed.fences, fences());
        assert_eq!(framed.into_entry(), entry(value));
    }
}

#[test]
fn hazard_4_the_bytes_of_a_frame_are_those_of_version_1() {
    let mut golden = b"value".to_vec();
    golden.extend([1; 16]);
    golden.extend([[1].as_slice(), &[2; 16], &2_u16.to_le_bytes()].concat());
    golden.extend([&[1, 0][..], &1_u16.to_le_bytes(), b"a"].concat());
    golden.extend([&[0, 1][..], &[7; 16], &4_u16.to_le_bytes(), "b ü".as_bytes()].concat());
    let length = u32::try_from(golden.len() - 5).unwrap();
    golden.extend([&length.to_le_bytes()[..], &[1], b"cdo"].concat());
    assert_eq!(encode(b"value", &fences()).unwrap(), golden);
    assert_eq!(fences().fingerprint(), 0x0903_0227);
}

#[test]
fn hazard_30_a_frame_that_is_damaged_is_no_value() {
    let whole = encode(b"value", &fences()).unwrap();
    for length in 0..whole.len() {
        assert_eq!(Framed::parse(entry(&whole[..length])), None, "cut after {length} bytes");
        assert_eq!(Framed::parse(entry(&whole[whole.len() - length..])).map(Framed::into_entry), {
            // The payload has no length of its own: what is cut off in front is missing.
            (length >= whole.len() - 5).then(|| entry(&b"value"[whole.len() - length..]))
        });
    }
    for place in 0..whole.len() {
        for flipped in 1..=255 {
            let mut bytes = whole.clone();
            bytes[place] ^= flipped;
            // Whatever it is taken for, it is not taken for these fences with another value.
            if let Some(framed) = Framed::parse(entry(&bytes)) {
                assert!(framed.fences != fences() || place < 5, "byte {place}");
            }
        }
    }
    assert_eq!(Framed::parse(entry(&[&[0xff; 4][..], &[1], b"cdo"].concat())), None);
    assert_eq!(
        Framed::parse(entry(&[&[0xff; 64][..], &u32::MAX.to_le_bytes(), &[1], b"cdo"].concat())),
        None
    );
}

#[test]
fn hazard_30_what_others_have_written_in_place_of_a_value_is_a_miss() {
    block_on(async {
        let world = World::new();
        world.a.store(&at(), "value").await;
        world.memory.put("v:report(1)", b"foreign", None).await.unwrap();
        assert_eq!(world.read(&at()).await, None);
        world.a.tier.evict(&at(), None).await.unwrap();
        assert_eq!(world.entries("v:").await, [""; 0]);
    });
}

/// Nothing that was stored before is read, and everything goes on: also where the same is written there again.
#[test]
fn hazard_30_an_epoch_that_is_damaged_ends_what_it_concerns() {
    block_on(async {
        for (name, ends_other) in [("all", true), ("k:k", false), ("g:g", false)] {
            for rubbish in [&b""[..], b"rubbish", &[0; 15], &[0; 17], &[7; 4096]] {
                let world = World::new();
                let (at, other) = (place("k", &["g"]), place("other", &["h"]));
                let damage = async || world.memory.put(name, rubbish, None).await.unwrap();
                let is_fenced = async |claim: &Claim| {
                    let filled = world.a.tier.fill(&at, new("old"), claim).await.unwrap();
                    assert_eq!((filled, world.read(&at).await), (Filled::Fenced, None), "{name}");
                };
                world.a.store(&at, "old").await;
                world.a.store(&other, "old").await;
                let claim = world.a.begin(&at).await;
                damage().await;
                assert_eq!(world.read(&at).await, None, "{name}");
                assert_eq!(world.read(&other).await.is_none(), ends_other, "{name}");
                is_fenced(&claim).await;

                // It is mended by whoever is about to store.
                world.b.store(&at, "new").await;
                assert_eq!(world.read(&at).await.as_deref(), Some("new"), "{name}");
                let claim = world.a.begin(&at).await;
                assert!(world.b.tier.evict(&at, None).await.unwrap(), "{name}");
                damage().await;
                is_fenced(&claim).await;

                world.b.tier.set(&at, new("set"), None).await.unwrap();
                assert_eq!(world.read(&at).await.as_deref(), Some("set"), "{name}");
                let claim = world.a.begin(&at).await;
                assert_eq!(world.b.tier.evict_group(&group("g"), None).await.unwrap(), 1, "{name}");
                damage().await;
                is_fenced(&claim).await;

                // Evicting does not stumble over it, nor does clearing.
                world.b.store(&at, "new").await;
                damage().await;
                world.b.tier.evict(&at, None).await.unwrap();
                damage().await;
                world.b.tier.evict_group(&group("g"), None).await.unwrap();
                damage().await;
                world.b.tier.clear(None).await.unwrap();
                assert_eq!(world.entries("").await, [""; 0]);
            }
        }
    });
}
