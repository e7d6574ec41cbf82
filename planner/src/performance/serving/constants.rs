//! What a calibration of serving fits: the rates that a device and its software reach.

/// A constant of the serving model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constant {
    /// Share of the peak that matrix products reach.
    Compute,
    /// Tokens that are computed in vain because a batch does not fill the matrix units.
    Ramp,
    /// Share of the memory bandwidth at which weights are read.
    Weights,
    /// Share of the memory bandwidth at which the cache of keys and values is read.
    Cache,
    /// Share of the 16-bit peak that attention over a prompt reaches.
    Attention,
    /// Fixed time of a layer, in seconds.
    Layer,
    /// Start of a collective, in seconds.
    Latency,
    /// Share of the data sheet's bandwidth between devices that collectives reach.
    Link,
    /// Fixed time of a pass, in seconds: scheduler, host.
    Pass,
    /// Time of the host for each sequence of a pass, in seconds: sampling, answers.
    Sequence,
    /// Share of what is left of memory that becomes cache.
    Room,
    /// Rate of experts' products relative to a plain network's.
    Experts,
    /// Share of the doubled peak of 4-bit products that is real.
    FourBits,
}

/// How a constant is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// Between 0 and 1: fitted as ln(x / (1 − x)).
    Share,
    /// Above 0: fitted as ln x.
    Positive,
}

impl Constant {
    /// All, in the order of a calibration.
    pub const ALL: [Self; 13] = [
        Self::Compute,
        Self::Ramp,
        Self::Weights,
        Self::Cache,
        Self::Attention,
        Self::Layer,
        Self::Latency,
        Self::Link,
        Self::Pass,
        Self::Sequence,
        Self::Room,
        Self::Experts,
        Self::FourBits,
    ];

    /// Name in calibration files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Ramp => "ramp_tokens",
            Self::Weights => "weights",
            Self::Cache => "cache",
            Self::Attention => "attention",
            Self::Layer => "layer_seconds",
            Self::Latency => "latency_seconds",
            Self::Link => "link",
            Self::Pass => "pass_seconds",
            Self::Sequence => "sequence_seconds",
            Self::Room => "room",
            Self::Experts => "experts",
            Self::FourBits => "four_bits",
        }
    }

    /// What is believed before any measurement: a value, and the standard deviation on the scale that is fitted.
    ///
    /// Sources: constants of analytic serving models (compute .5, memory .8, 20 µs a layer), aiconfigurator
    /// (0.8 of the bandwidth, 10 µs point to point), Calculon (NVLink .65), flash attention .19 to .43 of the peak,
    /// and TensorRT-LLM's default of 0.9 of the free memory for the cache.
    #[must_use]
    pub const fn prior(self) -> (f64, f64) {
        match self {
            Self::Compute => (0.6, 0.6),
            Self::Ramp => (60.0, 1.0),
            Self::Weights => (0.8, 0.8),
            Self::Cache | Self::FourBits => (0.7, 1.0),
            Self::Attention => (0.3, 0.7),
            Self::Layer => (20e-6, 0.6),
            Self::Latency => (15e-6, 0.5),
            Self::Link => (0.6, 0.8),
            Self::Pass => (1e-3, 1.0),
            Self::Sequence => (2e-6, 1.0),
            Self::Room => (0.85, 0.6),
            Self::Experts => (0.5, 1.0),
        }
    }

    const fn range(self) -> Range {
        match self {
            Self::Ramp | Self::Layer | Self::Latency | Self::Pass | Self::Sequence => Range::Positive,
            Self::Compute
            | Self::Weights
            | Self::Cache
            | Self::Attention
            | Self::Link
            | Self::Room
            | Self::Experts
            | Self::FourBits => Range::Share,
        }
    }

    /// The prior's value on the scale that is fitted.
    #[must_use]
    pub fn start(self) -> f64 {
        let (value, _) = self.prior();
        match self.range() {
            Range::Share => (value / (1.0 - value)).ln(),
            Range::Positive => value.ln(),
        }
    }

    /// The value that a number on the fitted scale stands for.
    fn value(self, fitted: f64) -> f64 {
        // Far outside of what any device does; keeps every later division finite.
        let bounded = fitted.clamp(self.start() - FARTHEST, self.start() + FARTHEST);
        match self.range() {
            Range::Share => 1.0 / (1.0 + (-bounded).exp()),
            Range::Positive => bounded.exp(),
        }
    }
}

/// Largest distance from the prior on the fitted scale.
const FARTHEST: f64 = 8.0;

/// Values of all constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants([f64; Constant::ALL.len()]);

impl Constants {
    /// Values from numbers on the fitted scale in the order of [`Constant::ALL`]; what is missing or no number has the
    /// prior's value.
    #[must_use]
    pub fn from_fitted(fitted: &[f64]) -> Self {
        Self(Constant::ALL.map(|constant| {
            let at = fitted.get(constant as usize).copied().filter(|at| at.is_finite());
            constant.value(at.unwrap_or_else(|| constant.start()))
        }))
    }

    /// What is believed before any measurement.
    #[must_use]
    pub fn prior() -> Self {
        Self::from_fitted(&[])
    }

    /// Value of a constant.
    #[must_use]
    pub const fn get(&self, constant: Constant) -> f64 {
        self.0[constant as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitted_numbers_stay_in_range() {
        let check = |fitted: f64| {
            let constants = Constants::from_fitted(&[fitted; Constant::ALL.len()]);
            for constant in Constant::ALL {
                let value = constants.get(constant);
                let is_share = constant.range() == Range::Share;
                assert!(value > 0.0 && value.is_finite(), "{}: {value}", constant.name());
                assert!(!is_share || value < 1.0, "{}: {value}", constant.name());
            }
        };
        for fitted in [-1e9, -1.0, 0.0, 3.0, 1e300, f64::NAN, f64::INFINITY] {
            check(fitted);
        }
    }

    #[test]
    fn nothing_fitted_is_the_prior() {
        for constant in Constant::ALL {
            let (value, _) = constant.prior();
            let got = Constants::prior().get(constant);
            assert!((got / value - 1.0).abs() < 1e-12, "{}: {got}", constant.name());
        }
    }
}
