//! Machines by class, and what each answers.

/// Most layers of a network.
const MOST_LAYERS: usize = 1_000;

/// Most classes of machines.
const MOST_CLASSES: usize = 64;

/// Most machines.
const MOST_MACHINES: usize = 10_000;

/// Highest rate in tokens a second.
const HIGHEST_RATE: f64 = 1e12;

/// Identical machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// How many there are.
    pub count: usize,
    /// Tokens a second of one that holds 1, 2, … layers; 0 where it cannot hold so many.
    pub tokens_per_second: Vec<f64>,
}

impl Class {
    /// Tokens a second of a machine that holds so many layers; 0 if it cannot.
    #[must_use]
    pub fn rate(&self, layers: usize) -> f64 {
        layers.checked_sub(1).and_then(|at| self.tokens_per_second.get(at)).copied().unwrap_or(0.0)
    }
}

/// A network's layers and the machines that may hold them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    layers: usize,
    classes: Vec<Class>,
}

/// Why machines are no fleet. Classes count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FleetError {
    /// A network without layers, or with more than any has.
    #[error("the network has {found} layers: expected 1 to {MOST_LAYERS}")]
    Layers {
        /// How many.
        found: usize,
    },
    /// More classes than are planned for.
    #[error("{found} classes of machines are too many: the most is {MOST_CLASSES}")]
    TooManyClasses {
        /// How many.
        found: usize,
    },
    /// More machines than are planned for.
    #[error("{found} machines are too many: the most is {MOST_MACHINES}")]
    TooManyMachines {
        /// How many.
        found: usize,
    },
    /// A rate that is none.
    #[error("class {class} answers {found} tokens/s with {layers} layers: expected 0 to 10^12")]
    Rate {
        /// Which class.
        class: usize,
        /// With how many layers.
        layers: usize,
        /// The figure.
        found: f64,
    },
}

impl Fleet {
    /// A fleet; what is said of more layers than the network has is left out.
    ///
    /// # Errors
    /// For more layers, classes or machines than are planned for, and for figures that are no rates.
    pub fn new(layers: usize, mut classes: Vec<Class>) -> Result<Self, FleetError> {
        if !(1..=MOST_LAYERS).contains(&layers) {
            return Err(FleetError::Layers { found: layers });
        }
        if classes.len() > MOST_CLASSES {
            return Err(FleetError::TooManyClasses { found: classes.len() });
        }
        let machines = classes.iter().fold(0_usize, |sum, class| sum.saturating_add(class.count));
        if machines > MOST_MACHINES {
            return Err(FleetError::TooManyMachines { found: machines });
        }
        for (class, rates) in classes.iter().enumerate() {
            let wrong = |rate: &f64| !(0.0..=HIGHEST_RATE).contains(rate);
            if let Some(at) = rates.tokens_per_second.iter().position(wrong) {
                let found = rates.tokens_per_second[at];
                return Err(FleetError::Rate { class: class + 1, layers: at + 1, found });
            }
        }
        for class in &mut classes {
            class.tokens_per_second.truncate(layers);
        }
        Ok(Self { layers, classes })
    }

    /// Layers of the network.
    #[must_use]
    pub const fn layers(&self) -> usize {
        self.layers
    }

    /// Its machines by class.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// How many machines each class has.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.classes.iter().map(|class| class.count).collect()
    }
}
