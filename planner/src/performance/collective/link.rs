//! What connects ranks.

use super::LEVELS;
use super::measured::Measurements;

/// One kind of link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// α, seconds a message.
    pub latency_seconds: f64,
    /// β, bytes per second in one direction.
    pub bytes_per_second: f64,
}

impl Link {
    /// Time that `bytes` occupy the link, in seconds. A rate below one byte per second counts as one, and bytes that
    /// are no number as none, so that no time is infinite or no number.
    #[must_use]
    pub fn transfer(&self, bytes: f64) -> f64 {
        bytes.clamp(0.0, f64::MAX).max(0.0) / self.bytes_per_second.max(1.0)
    }

    /// α, in seconds; 0 where it is negative or no number.
    #[must_use]
    pub const fn latency(&self) -> f64 {
        self.latency_seconds.max(0.0)
    }

    /// The link for one of `users` that use it at the same time.
    #[must_use]
    pub fn shared(self, users: f64) -> Self {
        Self { bytes_per_second: self.bytes_per_second / users.max(1.0), ..self }
    }
}

/// What connects the units of one level: devices of a node, nodes of a site, sites.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// Link of one unit to all others of its level together: of a device, a node, a site.
    pub link: Link,
    /// Collectives that were measured over devices of this level.
    pub measured: Option<&'a Measurements>,
}

impl From<Link> for Level<'_> {
    fn from(link: Link) -> Self {
        Self { link, measured: None }
    }
}

/// What connects the ranks of a job, level by level.
#[derive(Debug, Clone, Copy)]
pub struct Topology<'a> {
    /// Devices of a node, nodes of a site, sites.
    pub levels: [Level<'a>; LEVELS],
}

impl<'a> Topology<'a> {
    /// Nodes of one site, or sites over `wide` links.
    #[must_use]
    pub fn new(inside: impl Into<Level<'a>>, between: Link, wide: Option<Link>) -> Self {
        Self { levels: [inside.into(), between.into(), wide.unwrap_or(between).into()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_finite_for_any_link() {
        let check = |bytes: f64, rate: f64, expected: f64| {
            let link = Link { latency_seconds: f64::NAN, bytes_per_second: rate };
            assert!((link.transfer(bytes) - expected).abs() < 1e-9, "{bytes} at {rate}: {}", link.transfer(bytes));
            assert!(link.latency().abs() < 1e-9);
        };
        check(10.0, 5.0, 2.0);
        check(10.0, 0.0, 10.0);
        check(10.0, f64::NAN, 10.0);
        check(f64::NAN, 5.0, 0.0);
        check(-1.0, 5.0, 0.0);
        check(f64::INFINITY, f64::MAX, 1.0);
    }
}
