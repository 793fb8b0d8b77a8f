//! Values of a network, and which network they are of.

use super::Network;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// A value of a [`Network`]: an input, or the result of a layer. It belongs to the network that gave it, and to clones
/// made of that afterwards; another one refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value {
    at: usize,
    stamp: u64,
}

/// What no other value of this process has: by it a network knows its own values. All are equal: a stamp is no part of
/// what a network computes.
#[derive(Debug, Clone)]
pub(crate) struct Stamp(u64);

impl Default for Stamp {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Stamp {
    pub(super) fn number(&self) -> u64 {
        self.0
    }
}

impl PartialEq for Stamp {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Network {
    /// Where `value` stands, which is to be the `what` of `user`.
    pub(super) fn place(&self, user: &str, what: &'static str, value: Value) -> Result<usize> {
        let own = self.values.get(value.at);
        if own.is_some_and(|own| own.stamp.0 == value.stamp) {
            return Ok(value.at);
        }
        let here = match own {
            Some(own) => format!("where \"{}\" stands here", own.name),
            None => format!("and this one has {}", self.values.len()),
        };
        let got = format!("value {} of another, {here}", value.at);
        Err(Error::value(user, what, "a value of this network", got))
    }

    /// The value that stands at `at`.
    pub(super) fn value(&self, at: usize) -> Value {
        Value { at, stamp: self.values[at].stamp.0 }
    }
}
