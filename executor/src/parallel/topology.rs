//! Where a rank stands among the others.

use scenarios::strategy::Strategy;

use crate::transport::{Transport, TransportError};

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

/// A rank with the groups that it is a member of.
pub struct Topology {
    /// Where it stands.
    pub place: Place,
    /// Numbers of ranks in each direction.
    pub shape: Shape,
    /// All ranks.
    pub world: Box<dyn Transport>,
    /// Ranks that hold the same parameters and learn from other records.
    pub replicas: Box<dyn Transport>,
    /// Ranks that share matrices.
    pub tensor: Box<dyn Transport>,
    /// Ranks of a pipeline, from its first stage to the last.
    pub stages: Box<dyn Transport>,
}

impl Topology {
    /// Splits the world, which all ranks do together.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    pub fn new(shape: Shape, world: Box<dyn Transport>) -> Result<Self, TransportError> {
        let place = shape.place(world.rank());
        let Place { replica, tensor, stage } = place;
        Ok(Self {
            replicas: world.split(stage * shape.tensor + tensor)?,
            tensor: world.split(stage * shape.replicas + replica)?,
            stages: world.split(replica * shape.tensor + tensor)?,
            place,
            shape,
            world,
        })
    }

    /// Whether this rank has the loss.
    #[must_use]
    pub const fn is_last_stage(&self) -> bool {
        self.place.stage + 1 == self.shape.stages
    }

    /// Whether this rank is the one that tells, of those that know the loss.
    #[must_use]
    pub const fn is_first_of_stage(&self) -> bool {
        self.place.replica == 0 && self.place.tensor == 0
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
