//! Several pipelines beside each other, for fleets that are too large to look at every composition.

use super::composition::Held;
use super::fleet::Fleet;
use super::pipeline::{Pipeline, fastest};

/// Most pipelines that are tried.
const MOST_REPLICAS: usize = 10;

/// Most exchanges of a machine between pipelines.
const MOST_MOVES: usize = 100;

/// The best found among evenly dealt pipelines, improved by moving single machines from one to another.
pub(super) fn best(fleet: &Fleet) -> Vec<Held> {
    let machines: usize = fleet.counts().iter().sum();
    let most = machines.min(MOST_REPLICAS);
    let dealt = (1..=most).map(|replicas| Dealt::evenly(fleet, replicas));
    let best = dealt.reduce(|best, next| if next.rate() > best.rate() { next } else { best });
    best.map_or_else(Vec::new, |mut best| {
        best.improve(fleet);
        best.pipelines.iter().flat_map(held).collect()
    })
}

/// A single pipeline's machines in their places.
pub(super) fn held(pipeline: &Pipeline) -> Vec<Held> {
    let mut start = 0;
    let place = |&(class, layers): &(usize, usize)| {
        start += layers;
        (class, start - layers, layers)
    };
    pipeline.stages.iter().map(place).collect()
}

/// Machines of each class by pipeline, and the pipelines that they make.
#[derive(Debug, Clone)]
struct Dealt {
    counts: Vec<Vec<usize>>,
    pipelines: Vec<Pipeline>,
}

impl Dealt {
    fn evenly(fleet: &Fleet, replicas: usize) -> Self {
        let share = |replica: usize| {
            let share = |count: usize| count / replicas + usize::from(replica < count % replicas);
            fleet.counts().into_iter().map(share).collect::<Vec<_>>()
        };
        let counts: Vec<Vec<usize>> = (0..replicas).map(share).collect();
        let pipelines = counts.iter().map(|counts| fastest(fleet, counts).unwrap_or_default()).collect();
        Self { counts, pipelines }
    }

    fn rate(&self) -> f64 {
        self.pipelines.iter().map(|pipeline| pipeline.rate).sum()
    }

    /// Moves single machines while that raises the rate.
    fn improve(&mut self, fleet: &Fleet) {
        let (mut left, mut improved) = (MOST_MOVES, true);
        while improved {
            improved = false;
            for (from, to, class) in self.moves(fleet.classes().len()) {
                if left == 0 {
                    return;
                }
                left -= 1;
                improved |= self.try_move(fleet, from, to, class);
            }
        }
    }

    fn moves(&self, classes: usize) -> Vec<(usize, usize, usize)> {
        let replicas = 0..self.counts.len();
        let pairs = replicas.clone().flat_map(|from| replicas.clone().map(move |to| (from, to)));
        let pairs = pairs.filter(|(from, to)| from != to);
        pairs.flat_map(|(from, to)| (0..classes).map(move |class| (from, to, class))).collect()
    }

    fn try_move(&mut self, fleet: &Fleet, from: usize, to: usize, class: usize) -> bool {
        if self.counts[from][class] == 0 {
            return false;
        }
        let mut changed = self.clone();
        changed.counts[from][class] -= 1;
        changed.counts[to][class] += 1;
        for replica in [from, to] {
            changed.pipelines[replica] = fastest(fleet, &changed.counts[replica]).unwrap_or_default();
        }
        let better = changed.rate() > self.rate();
        if better {
            *self = changed;
        }
        better
    }
}
