//! The ranks of a training, each a thread of its own, and who attends to them.
//!
//! No thread is joined: one that hangs would hold its caller for ever. Each says how it ended; once one has failed, the
//! others have a moment to say what they saw, and the cause is told from its consequences.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use scenarios::strategy::Sync;

use super::relay::{Finished, Kept, Latest, Message, Relay};
use super::{Lost, Observer, Outcome, RankReport, Session, Snapshot, TrainError, rank, support};
use crate::device::memory::{Meter, metered};
use crate::parallel::topology::{GroupCounts, Place, SERVERS, Shape};
use crate::parallel::update::{Server, serve};
use crate::transport::{Counted, ThreadTransport, Transport, TransportError, Watcher, thread_group_with};

/// Time between two looks at what happens.
const TICK: Duration = Duration::from_millis(100);

/// Time in which ranks say how they ended after the first of them failed.
const GRACE: Duration = Duration::from_secs(3);

/// Ranks under way.
pub(super) struct Ranks {
    session: Arc<Session>,
    messages: Receiver<Message>,
    latest: Latest,
    watcher: Watcher,
    running: usize,
    outcome: Option<Box<Outcome>>,
    reports: Vec<RankReport>,
    failed: Vec<(usize, TrainError)>,
}

impl Ranks {
    /// Starts all ranks of a training.
    ///
    /// # Errors
    /// There are more of them than the operating system has threads.
    pub(super) fn start(session: Session) -> Result<Self, TrainError> {
        let session = Arc::new(session);
        let learners = session.strategy.ranks() as usize;
        let group = thread_group_with(learners + support::servers(&session.strategy) as usize, session.patience);
        let (sender, messages) = channel();
        let latest = Latest::default();
        let (running, watcher) = (group.len(), Watcher::of(&group));
        for transport in group {
            let relay = Relay { messages: sender.clone(), latest: Arc::clone(&latest) };
            let session = Arc::clone(&session);
            let rank = transport.rank();
            let named = std::thread::Builder::new().name(format!("rank {rank}"));
            let started = named.spawn(move || {
                let ended = whatever_happens(&session, transport, &relay);
                // Whoever gave the training up does not listen.
                let _ = relay.messages.send(Message::Ended(rank, ended.map(Box::new)));
            });
            started.map_err(|source| TrainError::Spawn { rank, source })?;
        }
        Ok(Self { session, messages, latest, watcher, running, outcome: None, reports: Vec::new(), failed: Vec::new() })
    }

    /// Tells the observer what happens until all ranks have ended, or one has failed.
    ///
    /// # Errors
    /// The cause of the first failure.
    pub(super) fn attend(mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        let mut until = None;
        while self.running > 0 && until.is_none_or(|until| Instant::now() < until) {
            let message = self.messages.recv_timeout(TICK);
            if let Some((progress, steps)) = self.latest.lock().unwrap_or_else(PoisonError::into_inner).take() {
                observer.stepped(&progress, steps);
            }
            match message {
                Ok(message) => self.take(message, observer),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let silent = self.watcher.look().err();
                    self.failed.extend(silent.map(|error| (0, error.into())));
                }
            }
            if until.is_none() && !self.failed.is_empty() {
                until = Some(Instant::now() + GRACE);
            }
        }
        if let Some(error) = cause(&self.session, self.failed) {
            return Err(error);
        }
        let no_outcome = || lost(&self.session, 0, Lost::Ended("it gave no outcome".to_owned()));
        self.reports.sort_by_key(|report| report.rank);
        self.outcome.map(|outcome| Outcome { ranks: self.reports, ..*outcome }).ok_or_else(no_outcome)
    }

    fn take(&mut self, message: Message, observer: &mut dyn Observer) {
        match message {
            Message::Epoch(epoch) => observer.epoch_ended(&epoch),
            Message::Keep(kept) => {
                let Kept { network, ranks, progress, done } = *kept;
                let kept = observer.keep(Snapshot { network: &network, ranks: &ranks, progress: &progress });
                self.watcher.skip();
                // The rank may have been given up meanwhile.
                let _ = done.send(kept);
            }
            Message::Ended(rank, ended) => {
                self.running -= 1;
                match ended {
                    Ok(finished) => {
                        let Finished { outcome, report } = *finished;
                        self.outcome = outcome.or(self.outcome.take());
                        self.reports.push(report);
                    }
                    Err(error) => self.failed.push((rank, error)),
                }
            }
        }
    }
}

/// Runs a rank to its end, a panic included.
fn whatever_happens(session: &Session, transport: ThreadTransport, relay: &Relay) -> Result<Finished, TrainError> {
    let rank = transport.rank();
    let run = |meter: &Meter| {
        let workers = session.strategy.ranks() as usize;
        if rank < workers {
            return rank::run(session, Box::new(transport), relay, meter);
        }
        server(session, Box::new(transport), workers, meter)
    };
    let ended = catch_unwind(AssertUnwindSafe(|| metered(run)));
    ended.unwrap_or_else(|panic| Err(panicked(session, rank, &*panic)))
}

/// Runs a server of parameters to the end.
fn server(session: &Session, job: Box<dyn Transport>, workers: usize, meter: &Meter) -> Result<Finished, TrainError> {
    let group = job.split(SERVERS)?;
    let staleness = match session.strategy.sync {
        Sync::ParameterServer { staleness, .. } => staleness,
        _ => 0,
    };
    let device = session.devices.of_rank(job.rank());
    let counts = GroupCounts::default();
    let (rank, job) = (job.rank(), Counted::around(job, &counts.job));
    serve(&Server { training: &session.training, workers, staleness, job: &*job, group: &*group, device })?;
    let report = RankReport { rank, memory_peak_bytes: meter.peak(), counts, ..RankReport::default() };
    Ok(Finished { outcome: None, report })
}

fn panicked(session: &Session, rank: usize, panic: &(dyn Any + Send)) -> TrainError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let reason = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned());
    if is_out_of_memory(&reason) {
        return TrainError::OutOfMemory { rank, place: place(session, rank), reason };
    }
    lost(session, rank, Lost::Ended(reason))
}

/// Whether a panic is a device's way to say that it has no memory left.
fn is_out_of_memory(text: &str) -> bool {
    let text = text.to_lowercase();
    ["out of memory", "outofmemory", "not enough memory", "buffertoobig"].iter().any(|sign| text.contains(sign))
}

/// What failed first, of what the ranks say: something of their own, else a silence, else an end.
fn cause(session: &Session, failed: Vec<(usize, TrainError)>) -> Option<TrainError> {
    let cause = failed.into_iter().min_by_key(|(rank, error)| (weight(error), *rank))?.1;
    Some(match cause {
        TrainError::Transport(TransportError::RankHangs { rank, seconds }) => {
            lost(session, rank, Lost::Silent(seconds))
        }
        TrainError::Transport(TransportError::RankLeft { rank }) => {
            lost(session, rank, Lost::Ended("it has left the others".to_owned()))
        }
        cause => cause,
    })
}

const fn weight(error: &TrainError) -> u8 {
    match error {
        TrainError::NotFinite { rank: None, .. } => 1,
        TrainError::Transport(TransportError::LengthsDiffer { .. }) => 2,
        TrainError::Transport(TransportError::RankHangs { .. }) => 3,
        TrainError::Transport(TransportError::RankLeft { .. }) => 4,
        TrainError::GivenUp => 5,
        _ => 0,
    }
}

fn lost(session: &Session, rank: usize, how: Lost) -> TrainError {
    TrainError::RankLost { rank, place: place(session, rank), how }
}

/// Where a rank stands, in brackets; nothing where there is nothing to tell.
fn place(session: &Session, rank: usize) -> String {
    let shape = Shape::of(&session.strategy);
    let Place { replica, tensor, stage } = shape.place(rank);
    let coordinates =
        [("stage", stage, shape.stages), ("replica", replica, shape.replicas), ("part", tensor, shape.tensor)];
    let mut told: Vec<String> = if rank < shape.ranks() {
        let several = coordinates.into_iter().filter(|(.., of)| *of > 1);
        several.map(|(name, at, _)| format!("{name} {at}")).collect()
    } else {
        vec!["server".to_owned()]
    };
    let portion = session.portions.get(replica).filter(|portion| rank < shape.ranks() && !portion.site.is_empty());
    told.extend(portion.map(|portion| format!("site {}", portion.site)));
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}
