//! What the machines of a pool are.

use std::collections::HashMap;
use std::rc::Rc;

use scenarios::catalog::{Accelerator, Instance, PCIE_BYTES_PER_SECOND};
use scenarios::precision::Precision;
use scenarios::scenario::{InlineMachine, Machine, Pool};

use super::{Place, Reason, World};
use crate::performance::training::Cluster;
use crate::performance::{DataSheetMachine, MeasuredMachine, Rates};

/// A machine with what placement needs to know.
#[derive(Debug, Clone)]
pub(super) struct Hardware<'a> {
    pub name: String,
    /// Equal for machines that are predicted alike.
    pub facts: usize,
    /// Equal for machines that are predicted alike as long as it is one of them.
    pub alone: usize,
    pub kind: Kind<'a>,
    /// Devices of one node.
    pub devices: u32,
    pub memory_bytes_per_device: u64,
    /// Cores of one node, half as many as virtual CPUs, where known.
    pub cores: Option<f64>,
    /// Board power of all accelerators of a node, where known.
    pub watts: Option<f64>,
}

/// What predictions of a machine rest on.
#[derive(Debug, Clone)]
pub(super) enum Kind<'a> {
    /// Measured by `executor calibrate`.
    Profile(Rates<'a>),
    /// Accelerators by their data sheet; for chains of layers with rates of their own, where the sheet has what they need.
    Accelerators { sheet: Sheet, rates: Option<Rates<'a>> },
    /// Processors only.
    Processors { sheet: Sheet, rates: Rates<'a> },
}

/// A device with its network.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// The device, with the share of an accelerator that it is.
    pub device: Accelerator,
    /// One direction between a node and the others, bytes per second, where known.
    pub network: Option<f64>,
}

const GIB: f64 = 1_073_741_824.0;
/// Name of the device that processors are.
const PROCESSOR: &str = "processor";
/// Physical cores of a virtual CPU: as a rule one of two threads of a core.
const CORES_PER_VCPU: f64 = 0.5;

/// Machines of all pools that were met, each kind once.
#[derive(Debug, Default)]
pub(super) struct Machines<'a> {
    known: HashMap<Key<'a>, Result<Rc<Hardware<'a>>, Reason>>,
    facts: HashMap<Facts, usize>,
}

/// What tells machines apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key<'a> {
    Instance { provider: &'a str, name: &'a str },
    Profile(&'a str),
    Inline(Place),
}

/// What predictions depend on.
type Facts = (String, u32, [u64; 12]);

impl<'a> Machines<'a> {
    /// The machines of a pool.
    pub fn of(&mut self, world: &World<'a>, place: Place) -> Result<Rc<Hardware<'a>>, Reason> {
        let key = key(world, place);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = of(world, place).map(|mut hardware| {
            hardware.facts = self.number(facts(&hardware, true));
            hardware.alone = self.number(facts(&hardware, false));
            Rc::new(hardware)
        });
        self.known.insert(key, found.clone());
        found
    }

    fn number(&mut self, facts: Facts) -> usize {
        let next = self.facts.len();
        *self.facts.entry(facts).or_insert(next)
    }
}

/// What predictions of several nodes depend on, or of devices of one node: these don't depend on how many there are, nor
/// on the network.
fn facts(hardware: &Hardware<'_>, several: bool) -> Facts {
    let bits = |value: Option<f64>| value.unwrap_or(-1.0).to_bits();
    let (name, sheet) = match &hardware.kind {
        Kind::Profile(_) => (format!("profile {}", hardware.name), None),
        Kind::Accelerators { sheet, .. } | Kind::Processors { sheet, .. } => (sheet.device.name.clone(), Some(sheet)),
    };
    let mut all = [bits(None); 12];
    if let Some(Sheet { device, network }) = sheet {
        let peaks = Precision::ALL.map(|precision| device.peak_flops(precision));
        let rates = [Some(device.memory_bytes_per_second), Some(device.peer_bytes_per_second)];
        let of_several = [*network, hardware.cores].map(|figure| figure.filter(|_| several));
        let figures = peaks.into_iter().chain(rates).chain(of_several);
        for (slot, figure) in all.iter_mut().zip(figures) {
            *slot = bits(figure);
        }
    }
    all[11] = hardware.memory_bytes_per_device;
    (name, if several { hardware.devices } else { 0 }, all)
}

fn pool<'a>(world: &World<'a>, place: Place) -> Option<(Option<&'a str>, Option<&'a str>, &'a str, &'a Pool)> {
    let (_, site) = world.loaded.scenario.sites.get_index(place.site)?;
    let (name, pool) = site.pools.get_index(place.pool)?;
    Some((site.provider.as_deref(), site.region.as_deref(), name, pool))
}

fn key<'a>(world: &World<'a>, place: Place) -> Key<'a> {
    match pool(world, place) {
        Some((provider, _, _, Pool { machine: Machine::Instance(name), .. })) => {
            Key::Instance { provider: provider.unwrap_or_default(), name }
        }
        Some((_, _, _, Pool { machine: Machine::Profile(path), .. })) => Key::Profile(path),
        _ => Key::Inline(place),
    }
}

/// Instance type, or name of the measured machine; a described machine has its pool's name.
pub(super) fn name(world: &World<'_>, place: Place) -> String {
    match pool(world, place) {
        Some((_, _, _, Pool { machine: Machine::Instance(name), .. })) => name.clone(),
        Some((_, _, _, Pool { machine: Machine::Profile(path), .. })) => {
            world.loaded.profiles.get(path).map_or_else(|| path.clone(), |loaded| loaded.profile.name.clone())
        }
        Some((_, _, name, _)) => name.to_owned(),
        None => String::new(),
    }
}

/// The catalogue's row of a pool's instance type.
pub(super) fn instance<'a>(world: &World<'a>, place: Place) -> Option<&'a Instance> {
    let (provider, region, _, pool) = pool(world, place)?;
    let Machine::Instance(name) = &pool.machine else { return None };
    world.catalog.instance(provider?, region?, name)
}

fn of<'a>(world: &World<'a>, place: Place) -> Result<Hardware<'a>, Reason> {
    let name = name(world, place);
    let unknown = || Reason::UnknownMachine { machine: name.clone() };
    let (_, _, _, pool) = pool(world, place).ok_or_else(unknown)?;
    match &pool.machine {
        Machine::Profile(path) => {
            let profile = &world.loaded.profiles.get(path).ok_or_else(unknown)?.profile;
            // A GPU whose driver does not tell its memory is not ruled out by it.
            let memory = match profile.device.memory_bytes {
                0 => u64::MAX,
                bytes => bytes,
            };
            Ok(Hardware {
                facts: 0,
                alone: 0,
                kind: Kind::Profile(Rates::Measured(MeasuredMachine::new(profile))),
                devices: profile.device.count.max(1),
                memory_bytes_per_device: memory,
                cores: Some(f64::from(profile.host.cores) * CORES_PER_VCPU),
                watts: None,
                name,
            })
        }
        Machine::Instance(_) => {
            let instance = instance(world, place).ok_or_else(unknown)?;
            of_instance(world, instance, name)
        }
        Machine::Inline(machine) => inline(world, machine, name),
    }
}

fn of_instance<'a>(world: &World<'a>, instance: &Instance, name: String) -> Result<Hardware<'a>, Reason> {
    let slow = || Reason::UnknownSpeed { machine: name.clone() };
    let network = instance.network_gbps.map(|gbps| gbps * 1e9 / 8.0);
    let cores = instance.vcpus.map(|vcpus| vcpus * CORES_PER_VCPU);
    let Some(accelerator) = instance.accelerator.as_deref() else {
        let memory = instance.memory_gib.map_or(u64::MAX, |gib| (gib * GIB) as u64);
        return Ok(processors(name.clone(), instance.vcpus.ok_or_else(slow)?, None, network, memory));
    };
    let sheet = world.catalog.accelerator(accelerator).ok_or_else(slow)?;
    // A slice of an accelerator is one device with that share of it.
    let mut device = share(sheet, instance.accelerator_count.clamp(0.0, 1.0));
    device.memory_bytes = instance.accelerator_memory_gib.map_or(device.memory_bytes, |gib| (gib * GIB) as u64);
    Ok(Hardware {
        facts: 0,
        alone: 0,
        devices: (instance.accelerator_count.floor() as u32).max(1),
        memory_bytes_per_device: device.memory_bytes,
        cores,
        watts: sheet.watts.map(|watts| watts * instance.accelerator_count),
        kind: accelerators(device, network),
        name,
    })
}

fn accelerators<'a>(device: Accelerator, network: Option<f64>) -> Kind<'a> {
    let rates = DataSheetMachine::accelerated(&device, 1.0, network).map(Rates::DataSheet);
    Kind::Accelerators { sheet: Sheet { device, network }, rates }
}

/// Part of an accelerator as a device of its own.
fn share(sheet: &Accelerator, share: f64) -> Accelerator {
    let scaled = |rate: Option<f64>| rate.map(|rate| rate * share);
    Accelerator {
        memory_bytes: (sheet.memory_bytes as f64 * share) as u64,
        memory_bytes_per_second: sheet.memory_bytes_per_second * share,
        fp32_flops: scaled(sheet.fp32_flops),
        tf32_flops: scaled(sheet.tf32_flops),
        half_flops: scaled(sheet.half_flops),
        fp8_flops: scaled(sheet.fp8_flops),
        ..sheet.clone()
    }
}

fn inline<'a>(world: &World<'a>, machine: &InlineMachine, name: String) -> Result<Hardware<'a>, Reason> {
    let network = machine.network.map(scenarios::units::Bandwidth::bytes_per_second);
    let cores = f64::from(machine.cores);
    let peak = machine.peak.map(|peak| peak.0);
    let Some(accelerator) = machine.accelerator.as_deref() else {
        return Ok(processors(name, cores / CORES_PER_VCPU, peak, network, machine.memory.0));
    };
    let unknown = || Reason::UnknownMachine { machine: accelerator.to_owned() };
    let mut device = world.catalog.accelerator(accelerator).ok_or_else(unknown)?.clone();
    device.fp32_flops = peak.or(device.fp32_flops);
    device.peer_bytes_per_second =
        machine.link.map_or(device.peer_bytes_per_second, scenarios::units::Bandwidth::bytes_per_second);
    let devices = machine.count.max(1);
    Ok(Hardware {
        facts: 0,
        alone: 0,
        devices,
        memory_bytes_per_device: device.memory_bytes,
        cores: Some(cores),
        watts: device.watts.map(|watts| watts * f64::from(devices)),
        kind: accelerators(device, network),
        name,
    })
}

/// A machine without accelerators: one device.
fn processors<'a>(name: String, vcpus: f64, peak: Option<f64>, network: Option<f64>, memory: u64) -> Hardware<'a> {
    let machine = DataSheetMachine::processor(vcpus, peak, network);
    let device = Accelerator {
        name: PROCESSOR.to_owned(),
        vendor: String::new(),
        memory_bytes: memory,
        memory_bytes_per_second: machine.bytes_per_second,
        fp32_flops: Some(machine.peak_flops),
        tf32_flops: None,
        half_flops: None,
        fp8_flops: None,
        watts: None,
        peer_bytes_per_second: PCIE_BYTES_PER_SECOND,
    };
    Hardware {
        name,
        facts: 0,
        alone: 0,
        kind: Kind::Processors { sheet: Sheet { device, network }, rates: Rates::DataSheet(machine) },
        devices: 1,
        memory_bytes_per_device: memory,
        cores: Some(vcpus * CORES_PER_VCPU),
        watts: None,
    }
}

impl Hardware<'_> {
    /// The data sheet of its devices; none of a profiled machine.
    pub const fn sheet(&self) -> Option<&Sheet> {
        match &self.kind {
            Kind::Profile(_) => None,
            Kind::Accelerators { sheet, .. } | Kind::Processors { sheet, .. } => Some(sheet),
        }
    }
}

impl Sheet {
    /// Whether the device is made of processors' cores.
    pub fn is_processor(&self) -> bool {
        self.device.name == PROCESSOR
    }

    /// Nodes as the training model sees them. One node needs no network.
    ///
    /// # Errors
    /// The network of several nodes is not known.
    pub fn cluster(&self, machine: &str, nodes: u32, devices: u32) -> Result<Cluster, Reason> {
        let network = if nodes > 1 { self.network } else { Some(self.device.peer_bytes_per_second) };
        let unknown = || Reason::UnknownNetwork { machine: machine.to_owned() };
        Ok(Cluster::new(&self.device, nodes, devices, Some(network.ok_or_else(unknown)?)))
    }
}
