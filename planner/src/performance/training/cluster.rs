//! Machines that a training runs on.

use scenarios::catalog::Accelerator;
use scenarios::precision::Precision;

/// Equal nodes with equal devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Name of the device's data sheet.
    pub device: String,
    /// Dense peaks in FLOP/s, in the order of [`Precision::ALL`]; `None` where the data sheet doesn't say.
    pub peaks: [Option<f64>; Precision::ALL.len()],
    /// Memory bandwidth of a device, bytes per second.
    pub memory_bytes_per_second: f64,
    /// Memory of a device, bytes.
    pub memory_bytes: f64,
    /// Nodes.
    pub nodes: u32,
    /// Devices that are used in each node.
    pub devices_per_node: u32,
    /// One direction between a device and the others of its node (or of its NVLink domain), bytes per second.
    pub inside_bytes_per_second: f64,
    /// One direction between a node and the others, all its adapters together, bytes per second.
    pub between_bytes_per_second: f64,
}

impl Cluster {
    /// `nodes` nodes of `devices_per_node` devices; the network's rate is that of the usual node where `between` is `None`.
    #[must_use]
    pub fn new(sheet: &Accelerator, nodes: u32, devices_per_node: u32, between: Option<f64>) -> Self {
        Self {
            device: sheet.name.clone(),
            peaks: Precision::ALL.map(|precision| sheet.peak_flops(precision)),
            memory_bytes_per_second: sheet.memory_bytes_per_second,
            memory_bytes: sheet.memory_bytes as f64,
            nodes,
            devices_per_node,
            inside_bytes_per_second: sheet.peer_bytes_per_second,
            between_bytes_per_second: between.unwrap_or_else(|| usual_network(sheet, devices_per_node)),
        }
    }

    /// Dense peak of matrix products, FLOP/s.
    #[must_use]
    pub fn peak(&self, precision: Precision) -> Option<f64> {
        self.peaks[Precision::ALL.iter().position(|other| *other == precision)?]
    }

    /// All devices.
    #[must_use]
    pub const fn devices(&self) -> u32 {
        self.nodes.saturating_mul(self.devices_per_node)
    }
}

/// Network of the reference node of a device: one adapter a device of 400 Gbit/s (H100 and later), 200 (A100 with NVLink)
/// or 50 (V100: 4 of 100 in a node of 8); 100 Gbit/s a node with cards in slots.
fn usual_network(sheet: &Accelerator, devices: u32) -> f64 {
    let gbit = 1e9 / 8.0;
    let devices = f64::from(devices);
    if sheet.peer_bytes_per_second <= scenarios::catalog::PCIE_BYTES_PER_SECOND {
        return 100.0 * gbit;
    }
    match sheet.peer_bytes_per_second {
        rate if rate >= 400e9 => 400.0 * gbit * devices,
        rate if rate >= 250e9 => 200.0 * gbit * devices,
        _ => 50.0 * gbit * devices,
    }
}
