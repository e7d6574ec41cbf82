//! What the machines of a pool are.

use scenarios::scenario::{Machine, Pool};

use super::{Place, Reason, World};
use crate::performance::{DataSheetMachine, Layout, MeasuredMachine, Rates};

/// A machine with what placement needs to know.
#[derive(Debug, Clone)]
pub(super) struct Hardware<'a> {
    pub name: String,
    pub rates: Rates<'a>,
    pub devices: u32,
    pub memory_bytes_per_device: u64,
}

/// What tells equal machines apart: predictions of one serve for all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Instance { provider: &'a str, name: &'a str },
    Profile(&'a str),
    Inline(Place),
}

fn pool<'a>(world: &World<'a>, place: Place) -> Option<(Option<&'a str>, Option<&'a str>, &'a str, &'a Pool)> {
    let (_, site) = world.loaded.scenario.sites.get_index(place.site)?;
    let (name, pool) = site.pools.get_index(place.pool)?;
    Some((site.provider.as_deref(), site.region.as_deref(), name, pool))
}

pub(super) fn key<'a>(world: &World<'a>, place: Place) -> Key<'a> {
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

pub(super) fn of<'a>(world: &World<'a>, place: Place) -> Result<Hardware<'a>, Reason> {
    let name = name(world, place);
    let unknown = || Reason::UnknownMachine { machine: name.clone() };
    let (provider, region, _, pool) = pool(world, place).ok_or_else(unknown)?;
    match &pool.machine {
        Machine::Profile(path) => {
            let profile = &world.loaded.profiles.get(path).ok_or_else(unknown)?.profile;
            let (devices, memory) = (profile.device.count.max(1), profile.device.memory_bytes);
            let rates = Rates::Measured(MeasuredMachine::new(profile));
            Ok(Hardware { name, rates, devices, memory_bytes_per_device: memory })
        }
        Machine::Instance(kind) => {
            let (provider, region) = provider.zip(region).ok_or_else(unknown)?;
            let instance = world.catalog.instance(provider, region, kind).ok_or_else(unknown)?;
            instance_hardware(world, instance, name)
        }
        Machine::Inline(machine) => {
            let sheet = machine.accelerator.as_deref().map(|name| world.catalog.accelerator(name));
            let sheet = sheet.map(|found| found.ok_or_else(unknown)).transpose()?;
            let slow = || Reason::UnknownSpeed { machine: name.clone() };
            let rates = Rates::DataSheet(DataSheetMachine::inline(machine, sheet).ok_or_else(slow)?);
            let memory = sheet.map_or(machine.memory.0, |sheet| sheet.memory_bytes);
            let devices = if sheet.is_some() { machine.count.max(1) } else { 1 };
            Ok(Hardware { name, rates, devices, memory_bytes_per_device: memory })
        }
    }
}

fn instance_hardware<'a>(
    world: &World<'a>,
    instance: &'a scenarios::catalog::Instance,
    name: String,
) -> Result<Hardware<'a>, Reason> {
    const GIB: f64 = 1_073_741_824.0;
    let slow = || Reason::UnknownSpeed { machine: name.clone() };
    let network = instance.network_gbps.map(|gbps| gbps * 1e9 / 8.0);
    let Some(accelerator) = instance.accelerator.as_deref() else {
        let vcpus = instance.vcpus.ok_or_else(slow)?;
        let rates = Rates::DataSheet(DataSheetMachine::processor(vcpus, None, network));
        let memory = instance.memory_gib.map_or(u64::MAX, |gib| (gib * GIB) as u64);
        return Ok(Hardware { name, rates, devices: 1, memory_bytes_per_device: memory });
    };
    let sheet = world.catalog.accelerator(accelerator).ok_or_else(slow)?;
    // A slice of an accelerator is one device with that share of it.
    let share = instance.accelerator_count.clamp(0.0, 1.0);
    let rates = DataSheetMachine::accelerated(sheet, share, network).ok_or_else(slow)?;
    let memory = instance.accelerator_memory_gib.map_or(sheet.memory_bytes, |gib| (gib * GIB) as u64);
    Ok(Hardware {
        name,
        rates: Rates::DataSheet(rates),
        devices: (instance.accelerator_count.floor() as u32).max(1),
        memory_bytes_per_device: memory,
    })
}

impl Hardware<'_> {
    /// How ranks lie on nodes: one a device, over as few nodes as share them evenly. On a measured
    /// machine ranks may share a device, as far as that was measured, and stay on one node.
    pub(super) fn layout(&self, ranks: u32) -> Result<Layout, Reason> {
        if let Rates::Measured(machine) = &self.rates {
            let devices_per_node = self.devices.min(ranks);
            let layout = Layout { nodes: 1, devices_per_node, ranks_per_node: ranks };
            let measured = machine.max_ranks();
            let fits = layout.ranks_per_device() <= measured;
            let most = measured.saturating_mul(self.devices);
            return if fits { Ok(layout) } else { Err(Reason::NotMeasuredTogether { ranks, measured: most }) };
        }
        let nodes = (ranks.div_ceil(self.devices)..=ranks).find(|nodes| ranks.is_multiple_of(*nodes)).unwrap_or(ranks);
        let ranks_per_node = ranks / nodes.max(1);
        Ok(Layout { nodes, devices_per_node: ranks_per_node, ranks_per_node })
    }
}
