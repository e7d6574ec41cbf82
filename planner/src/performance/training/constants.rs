//! What a calibration fits: the rates that a device and its software reach.

/// A constant of the model. Values are kept as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constant {
    /// Share of the peak that large matrix products reach.
    Matrix,
    /// Time in which the device fills up: a product of F FLOP takes (F / peak + ramp) / share seconds.
    Ramp,
    /// Share of the 16-bit peak that the core of attention reaches.
    Attention,
    /// Share of the peak that convolutions reach.
    Convolution,
    /// Share of the peak that products inside a recurrent time step reach.
    Recurrent,
    /// Share of the memory bandwidth that passes over memory reach.
    Bandwidth,
    /// Share of the memory bandwidth that random rows reach.
    Gather,
    /// Start of a kernel, in seconds.
    Launch,
    /// One message of a collective, in seconds.
    Latency,
    /// Share of the data sheet's bandwidth between devices of a node that collectives reach.
    Inside,
    /// Share of the network's bandwidth that collectives reach.
    Between,
    /// Share of an exchange that could be hidden behind computation and is not.
    Exposed,
    /// Fixed time of a step: input, host, optimiser's own kernels, in seconds.
    Step,
}

impl Constant {
    /// All, in the order of a calibration's columns.
    pub const ALL: [Self; 13] = [
        Self::Matrix,
        Self::Ramp,
        Self::Attention,
        Self::Convolution,
        Self::Recurrent,
        Self::Bandwidth,
        Self::Gather,
        Self::Launch,
        Self::Latency,
        Self::Inside,
        Self::Between,
        Self::Exposed,
        Self::Step,
    ];

    /// What is believed before any measurement: a value, and the standard deviation of its logarithm.
    ///
    /// Sources: performance-model surveys (A100 products reach .45 to .80 of the peak, mean .705; flash attention .19 to
    /// .43; memory .8; 5 to 9 µs a kernel; NVLink .65, InfiniBand .9 in Calculon; 8 GFLOP at 312 TFLOP/s to fill up).
    #[must_use]
    pub const fn prior(self) -> (f64, f64) {
        match self {
            Self::Matrix => (0.65, 0.3),
            Self::Ramp => (20e-6, 0.5),
            Self::Attention => (0.35, 0.5),
            Self::Convolution => (0.5, 0.5),
            Self::Recurrent => (0.4, 0.7),
            Self::Bandwidth => (0.75, 0.3),
            Self::Launch => (9e-6, 0.5),
            Self::Latency => (5e-6, 0.7),
            Self::Inside => (0.65, 0.4),
            Self::Between => (0.6, 0.6),
            Self::Gather | Self::Exposed => (0.3, 0.7),
            Self::Step => (3e-3, 0.5),
        }
    }
}

/// Values of all constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants([f64; Constant::ALL.len()]);

impl Constants {
    /// Values from natural logarithms in the order of [`Constant::ALL`]; what is missing is 1.
    #[must_use]
    pub fn from_logarithms(logarithms: &[f64]) -> Self {
        let mut values = [1.0; Constant::ALL.len()];
        for (value, logarithm) in values.iter_mut().zip(logarithms) {
            *value = logarithm.exp();
        }
        Self(values)
    }

    /// Value of a constant.
    #[must_use]
    pub const fn get(&self, constant: Constant) -> f64 {
        self.0[constant as usize]
    }
}
