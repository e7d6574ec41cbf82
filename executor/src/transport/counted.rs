//! Counts what a rank gives to a group, and how long that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{Pace, Reduction, Transport, TransportError};

/// An operation that brings values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A reduction whose result all have.
    AllReduce,
    /// A reduction of which each has a part.
    ReduceScatter,
    /// All have what each brought.
    AllGather,
    /// All have what one brought.
    Broadcast,
    /// One gives to another.
    Send,
    /// One waits for what another gives.
    Receive,
}

impl Operation {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::AllReduce, "all_reduce"),
        (Self::ReduceScatter, "reduce_scatter"),
        (Self::AllGather, "all_gather"),
        (Self::Broadcast, "broadcast"),
        (Self::Send, "send"),
        (Self::Receive, "receive"),
    ];
}

/// What a rank gave by one operation.
#[derive(Debug, Default)]
struct Count {
    calls: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What a rank gave to one group.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<[Count; Operation::ALL.len()]>);

/// A figure of [`Counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The operation.
    pub operation: Operation,
    /// Calls.
    pub calls: u64,
    /// Bytes that the rank brought.
    pub bytes: u64,
    /// Time in it.
    pub time: Duration,
}

impl Counts {
    /// What was given by each operation that was called.
    pub fn given(&self) -> impl Iterator<Item = Given> {
        let of = |(operation, _): (Operation, &str)| {
            let Count { calls, bytes, nanoseconds } = &self.0[operation as usize];
            let time = Duration::from_nanos(nanoseconds.load(Relaxed));
            Given { operation, calls: calls.load(Relaxed), bytes: bytes.load(Relaxed), time }
        };
        Operation::ALL.into_iter().map(of).filter(|given| given.calls > 0)
    }

    fn count<T>(&self, operation: Operation, values: usize, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = call();
        let count = &self.0[operation as usize];
        count.calls.fetch_add(1, Relaxed);
        count.bytes.fetch_add(size_of::<f32>() as u64 * values as u64, Relaxed);
        count.nanoseconds.fetch_add(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        result
    }
}

/// A group that is counted; a group of one rank gives nothing.
pub struct Counted {
    inner: Box<dyn Transport>,
    counts: Counts,
}

impl Counted {
    /// Counts what goes through a transport.
    #[must_use]
    pub fn around(inner: Box<dyn Transport>, counts: &Counts) -> Box<dyn Transport> {
        if inner.size() == 1 { inner } else { Box::new(Self { inner, counts: counts.clone() }) }
    }
}

impl Transport for Counted {
    fn rank(&self) -> usize {
        self.inner.rank()
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn all_reduce(&self, buffer: &mut Vec<f32>, reduction: Reduction) -> Result<(), TransportError> {
        self.counts.count(Operation::AllReduce, buffer.len(), || self.inner.all_reduce(buffer, reduction))
    }

    fn reduce_scatter(&self, buffer: &mut Vec<f32>) -> Result<(), TransportError> {
        self.counts.count(Operation::ReduceScatter, buffer.len(), || self.inner.reduce_scatter(buffer))
    }

    fn all_gather(&self, own: Vec<f32>) -> Result<Vec<Vec<f32>>, TransportError> {
        self.counts.count(Operation::AllGather, own.len(), || self.inner.all_gather(own))
    }

    fn broadcast(&self, root: usize, buffer: &mut Vec<f32>) -> Result<(), TransportError> {
        let values = if root == self.rank() { buffer.len() } else { 0 };
        self.counts.count(Operation::Broadcast, values, || self.inner.broadcast(root, buffer))
    }

    fn send(&self, to: usize, tag: u64, values: Vec<f32>) -> Result<(), TransportError> {
        self.counts.count(Operation::Send, values.len(), || self.inner.send(to, tag, values))
    }

    fn receive(&self, from: usize, tag: u64) -> Result<Vec<f32>, TransportError> {
        self.counts.count(Operation::Receive, 0, || self.inner.receive(from, tag))
    }

    fn receive_any(&self, from: &[usize], tag: u64) -> Result<(usize, Vec<f32>), TransportError> {
        self.counts.count(Operation::Receive, 0, || self.inner.receive_any(from, tag))
    }

    fn barrier(&self) -> Result<(), TransportError> {
        self.inner.barrier()
    }

    fn split(&self, color: usize) -> Result<Box<dyn Transport>, TransportError> {
        self.inner.split(color)
    }

    fn alive(&self) {
        self.inner.alive();
    }

    fn pace(&self, pace: Pace) {
        self.inner.pace(pace);
    }
}
