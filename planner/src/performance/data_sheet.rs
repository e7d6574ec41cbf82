//! Times from a data sheet: FLOPs over a share of the peak, bytes over a share of the bandwidth.
//!
//! Nothing here was fitted on the models that are predicted. The constants come from published
//! surveys, so the interval is wide; a machine profile is the way to a narrow one.

use scenarios::catalog::Accelerator;
use scenarios::machine::Operation;
use scenarios::scenario::InlineMachine;
use scenarios::units::Interval;

use super::collective::Link;
use super::operations::{StepOperation, work};
use super::{CPU_BASIS, DATA_SHEET_BASIS};

/// Largest share of the peak that 32-bit matrix products reach: between the .45 to .80 that
/// SimuMax measured for A100 products and what portable kernels without matrix units give.
const MATRIX_EFFICIENCY: f64 = 0.5;
/// Time a matrix product needs to fill the device: F0 / peak, with F0 ≈ 8 GFLOP at 312 TFLOP/s
/// (curve eff(F) = e·F / (F + F0), fitted on 905 published shapes).
const RAMP_SECONDS: f64 = 25e-6;
/// Share of the memory bandwidth that streaming kernels reach (aiconfigurator uses 0.8).
const BANDWIDTH_EFFICIENCY: f64 = 0.8;
/// Start of one kernel on a GPU through a portable API: twice the 5 to 9 µs reported for CUDA.
const GPU_LAUNCH_SECONDS: f64 = 15e-6;
/// Start of one operation on a CPU: a call and its threads.
const CPU_LAUNCH_SECONDS: f64 = 5e-6;
/// PCIe 3.0 ×16 as copies reach it, bytes per second: the slowest bus of the catalogue's machines.
const BUS_BYTES_PER_SECOND: f64 = 12e9;
/// Sum of two buffers in host memory by one thread, bytes per second.
const HOST_SUM_BYTES_PER_SECOND: f64 = 5e9;
/// Network of a machine whose bandwidth is not known: 10 Gbit/s.
const NETWORK_BYTES_PER_SECOND: f64 = 1.25e9;
/// Peak of one virtual CPU: half a core, 2.5 GHz, two 256-bit fused multiply-adds a cycle.
const VCPU_PEAK: f64 = 0.5 * 2.5e9 * 32.0;
/// Memory bandwidth of one virtual CPU: 205 GB/s (8 channels DDR4-3200) over 64.
const VCPU_BYTES_PER_SECOND: f64 = 3.2e9;
/// Preparation of one value on the host: read a byte, scale, write four bytes.
const INPUT_SECONDS_PER_VALUE: f64 = 2e-9;
/// Preparation of one record on the host: choice, bounds, label.
const INPUT_SECONDS_PER_RECORD: f64 = 0.2e-6;
/// One in ten runs is faster than this share of the estimate, one in ten slower than the second.
pub const SPREAD: (f64, f64) = (0.4, 3.0);

/// A machine known by its data sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataSheetMachine {
    /// Peak of one device in 32-bit floating point, FLOP/s.
    pub peak_flops: f64,
    /// Memory bandwidth of one device, bytes per second.
    pub bytes_per_second: f64,
    /// Copies between host and device, bytes per second.
    pub bus_bytes_per_second: f64,
    /// Start of one kernel.
    pub launch_seconds: f64,
    /// Between ranks of one machine.
    pub inside: Link,
    /// Between machines.
    pub between: Link,
    /// What predictions rest on.
    pub basis: &'static str,
}

impl DataSheetMachine {
    /// A machine with accelerators; `share` is the part of one accelerator that a device is (slices).
    /// `None` if the data sheet lacks the peak in 32-bit floating point.
    #[must_use]
    pub fn accelerated(accelerator: &Accelerator, share: f64, network_bytes_per_second: Option<f64>) -> Option<Self> {
        let peak_flops = accelerator.fp32_flops? * share;
        Some(Self::gpu(peak_flops, accelerator.memory_bytes_per_second * share, network_bytes_per_second))
    }

    fn gpu(peak_flops: f64, bytes_per_second: f64, network: Option<f64>) -> Self {
        Self {
            peak_flops,
            bytes_per_second,
            bus_bytes_per_second: BUS_BYTES_PER_SECOND,
            launch_seconds: GPU_LAUNCH_SECONDS,
            // The executor sums gradients in host memory, so NVLink does not carry them.
            inside: Link { latency_seconds: 20e-6, bytes_per_second: HOST_SUM_BYTES_PER_SECOND },
            between: between(network),
            basis: DATA_SHEET_BASIS,
        }
    }

    /// A machine without accelerators; it is one device.
    #[must_use]
    pub fn processor(vcpus: f64, peak: Option<f64>, network_bytes_per_second: Option<f64>) -> Self {
        let bytes_per_second = vcpus.max(1.0) * VCPU_BYTES_PER_SECOND;
        Self {
            peak_flops: peak.unwrap_or(vcpus.max(1.0) * VCPU_PEAK),
            bytes_per_second,
            bus_bytes_per_second: bytes_per_second,
            launch_seconds: CPU_LAUNCH_SECONDS,
            inside: Link { latency_seconds: 20e-6, bytes_per_second: HOST_SUM_BYTES_PER_SECOND },
            between: between(network_bytes_per_second),
            basis: CPU_BASIS,
        }
    }

    /// A machine described in a scenario. `None` if neither it nor its data sheet states a peak.
    #[must_use]
    pub fn inline(machine: &InlineMachine, accelerator: Option<&Accelerator>) -> Option<Self> {
        let network = machine.network.map(scenarios::units::Bandwidth::bytes_per_second);
        let peak = machine.peak.map(|peak| peak.0);
        match accelerator {
            None => Some(Self::processor(f64::from(machine.cores) * 2.0, peak, network)),
            Some(sheet) => Some(Self::gpu(peak.or(sheet.fp32_flops)?, sheet.memory_bytes_per_second, network)),
        }
    }

    /// Time that the device is busy with one operation.
    #[must_use]
    pub fn busy_seconds(&self, step: &StepOperation) -> f64 {
        let work = work(&step.operation, step.pass);
        let stream = work.bytes / (self.bytes_per_second * BANDWIDTH_EFFICIENCY);
        match step.operation {
            Operation::Linear { .. } | Operation::Conv2d { .. } => {
                let ramp = self.peak_flops * RAMP_SECONDS;
                ((work.flops + ramp) / (self.peak_flops * MATRIX_EFFICIENCY)).max(stream)
            }
            Operation::HostToDevice { .. } | Operation::GradientExchange { .. } => {
                work.bytes / self.bus_bytes_per_second
            }
            _ => stream,
        }
    }

    /// Time to start the kernels of one operation.
    #[must_use]
    pub fn launch_seconds(&self, step: &StepOperation) -> f64 {
        work(&step.operation, step.pass).launches * self.launch_seconds
    }

    /// Time to prepare a batch on the host.
    #[must_use]
    pub fn input(&self, values_per_record: u64, records: u64, augmented: bool) -> Interval {
        let passes = if augmented { 2.0 } else { 1.0 };
        let values = values_per_record as f64 * INPUT_SECONDS_PER_VALUE * passes;
        self.spread(records as f64 * (values + INPUT_SECONDS_PER_RECORD))
    }

    /// An estimate with its spread.
    #[must_use]
    pub fn spread(&self, seconds: f64) -> Interval {
        Interval { p10: seconds * SPREAD.0, p50: seconds, p90: seconds * SPREAD.1 }
    }
}

fn between(network_bytes_per_second: Option<f64>) -> Link {
    let bytes_per_second = network_bytes_per_second.filter(|rate| *rate > 0.0).unwrap_or(NETWORK_BYTES_PER_SECOND);
    Link { latency_seconds: 50e-6, bytes_per_second }
}
