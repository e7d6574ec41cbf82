//! Time of kernels on a device.

use scenarios::precision::Precision;

use super::{Cluster, Constant, Constants};
use crate::performance::kernel::{Class, Kernel};

/// Last-level cache over memory bandwidth, in seconds.
const CACHE_SECONDS: f64 = 20e-6;

/// A device with the rates that it reaches.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    peak: f64,
    half_peak: f64,
    bytes_per_second: f64,
    constants: Constants,
}

impl Device {
    /// The device of a cluster; `None` where the data sheet lacks the peak.
    #[must_use]
    pub fn of(cluster: &Cluster, precision: Precision, constants: Constants) -> Option<Self> {
        let peak = cluster.peak(precision)?;
        // Attention is computed in 16 bits where matrices are shorter.
        let half_peak = if precision.is_mixed() { cluster.peak(Precision::Bf16).unwrap_or(peak) } else { peak };
        Some(Self { peak, half_peak, bytes_per_second: cluster.memory_bytes_per_second, constants })
    }

    /// Time of all starts of a kernel on the device, in seconds: the longer of arithmetic and memory.
    #[must_use]
    pub fn seconds(&self, kernel: &Kernel) -> f64 {
        let get = |constant| self.constants.get(constant);
        let memory = |share| self.cached(kernel.bytes) / (self.bytes_per_second * share);
        let both = |peak: f64, share: f64| {
            longer((kernel.flops / peak + get(Constant::Ramp)) / share, memory(get(Constant::Bandwidth)))
        };
        let one = match kernel.class {
            Class::Matrix => both(self.peak, get(Constant::Matrix)),
            Class::Attention => both(self.half_peak, get(Constant::Attention)),
            Class::Convolution => both(self.peak, get(Constant::Convolution)),
            Class::Recurrent => both(self.peak, get(Constant::Recurrent)),
            Class::Elementwise => memory(get(Constant::Bandwidth)),
            Class::Gather => memory(get(Constant::Gather)),
        };
        kernel.count * one
    }

    /// Bytes that reach memory: those of short passes are partly found in the last-level cache, which holds about
    /// as much as memory delivers in 20 µs (V100 to B200), where the kernel before left them.
    fn cached(&self, bytes: f64) -> f64 {
        let passes = bytes / (self.bytes_per_second * CACHE_SECONDS);
        bytes * (1.0 - 0.6 / (1.0 + passes * passes))
    }

    /// Time of kernels one after the other, in seconds.
    #[must_use]
    pub fn total(&self, kernels: &[Kernel]) -> f64 {
        kernels.iter().map(|kernel| self.seconds(kernel)).sum()
    }

    /// Time of a pass over memory.
    #[must_use]
    pub fn pass(&self, bytes: f64) -> f64 {
        bytes / (self.bytes_per_second * self.constants.get(Constant::Bandwidth))
    }
}

/// The longer of two times that run side by side, with a soft change between both: (a⁴ + b⁴)^¼.
#[must_use]
pub fn longer(a: f64, b: f64) -> f64 {
    let (short, long) = if a < b { (a, b) } else { (b, a) };
    if long <= 0.0 { long } else { long * (1.0 + (short / long).powi(4)).sqrt().sqrt() }
}
