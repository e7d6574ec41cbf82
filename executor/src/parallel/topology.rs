//! Where a rank stands among the others.

use std::ops::Range;

use scenarios::strategy::Strategy;

use crate::transport::{Counted, Counts, Transport, TransportError, part_start};

/// Coordinates of a rank: ranks of a tensor group are neighbours, then replicas, then stages (Megatron's order).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Replica of the data.
    pub replica: usize,
    /// Rank of the tensor group.
    pub tensor: usize,
    /// Stage of the pipeline.
    pub stage: usize,
}

/// Numbers of ranks in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Replicas of the data.
    pub replicas: usize,
    /// Ranks of a tensor group.
    pub tensor: usize,
    /// Stages of the pipeline.
    pub stages: usize,
}

impl Shape {
    /// The shape of a strategy.
    #[must_use]
    pub const fn of(strategy: &Strategy) -> Self {
        let Strategy { data, tensor, pipeline, .. } = strategy;
        Self { replicas: data.get() as usize, tensor: tensor.get() as usize, stages: pipeline.get() as usize }
    }

    /// Ranks in all.
    #[must_use]
    pub const fn ranks(self) -> usize {
        self.replicas * self.tensor * self.stages
    }

    /// Where a rank stands.
    #[must_use]
    pub const fn place(self, rank: usize) -> Place {
        Place {
            tensor: rank % self.tensor,
            replica: rank / self.tensor % self.replicas,
            stage: rank / self.tensor / self.replicas,
        }
    }
}

/// Colour of the ranks that learn, when a job is split into them and servers.
const LEARNERS: usize = 0;
/// Colour of the servers.
pub const SERVERS: usize = 1;

/// A rank with the groups that it is a member of.
pub struct Topology {
    /// Where it stands.
    pub place: Place,
    /// Numbers of ranks in each direction.
    pub shape: Shape,
    /// All ranks, servers of parameters after those that learn.
    pub job: Box<dyn Transport>,
    /// All ranks that learn.
    pub world: Box<dyn Transport>,
    /// Ranks that hold the same parameters and learn from other records.
    pub replicas: Box<dyn Transport>,
    /// Ranks that share matrices.
    pub tensor: Box<dyn Transport>,
    /// Ranks of a pipeline, from its first stage to the last.
    pub stages: Box<dyn Transport>,
    /// What this rank gave to each of them.
    pub counts: GroupCounts,
}

/// What a rank gave to each of its groups.
#[derive(Debug, Clone, Default)]
pub struct GroupCounts {
    /// To servers, and by servers.
    pub job: Counts,
    /// To all ranks that learn.
    pub world: Counts,
    /// To replicas.
    pub replicas: Counts,
    /// To its tensor group.
    pub tensor: Counts,
    /// To stages.
    pub stages: Counts,
}

impl Topology {
    /// Splits the job, which all ranks that learn do together; servers, which are the ranks after them, split it once by
    /// [`SERVERS`].
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn new(shape: Shape, job: Box<dyn Transport>) -> Result<Self, TransportError> {
        let world = job.split(LEARNERS)?;
        let place = shape.place(world.rank());
        let Place { replica, tensor, stage } = place;
        let counts = GroupCounts::default();
        Ok(Self {
            replicas: Counted::around(world.split(stage * shape.tensor + tensor)?, &counts.replicas),
            tensor: Counted::around(world.split(stage * shape.replicas + replica)?, &counts.tensor),
            stages: Counted::around(world.split(replica * shape.tensor + tensor)?, &counts.stages),
            world: Counted::around(world, &counts.world),
            job: Counted::around(job, &counts.job),
            place,
            shape,
            counts,
        })
    }

    /// Ranks of the job that serve parameters.
    pub fn servers(&self) -> impl Iterator<Item = usize> + use<> {
        self.shape.ranks()..self.job.size()
    }

    /// Servers with the part of a flat buffer that each holds.
    pub fn parts(&self, length: usize) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let (first, count) = (self.shape.ranks(), self.job.size() - self.shape.ranks());
        let part = move |server| part_start(length, server, count)..part_start(length, server + 1, count);
        (0..count).map(move |server| (first + server, part(server)))
    }

    /// Whether this rank has the loss.
    #[must_use]
    pub const fn is_last_stage(&self) -> bool {
        self.place.stage + 1 == self.shape.stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_has_a_place_of_its_own() {
        let shape = Shape { replicas: 3, tensor: 2, stages: 4 };
        let places: Vec<Place> = (0..shape.ranks()).map(|rank| shape.place(rank)).collect();
        assert!(places.iter().enumerate().all(|(at, place)| !places[..at].contains(place)));
        assert_eq!(places[1], Place { replica: 0, tensor: 1, stage: 0 });
        assert_eq!(places[2], Place { replica: 1, tensor: 0, stage: 0 });
        assert_eq!(places[6], Place { replica: 0, tensor: 0, stage: 1 });
    }
}
