//! Electric energy and greenhouse gas of the chosen machines, where both are known.

use scenarios::catalog::Instance;
use scenarios::scenario::Machine;

use super::Decision;

/// Energy in kWh and greenhouse gas in kg of CO₂ equivalent; each only if it is known for every
/// workload. Accelerators at board power, times the region's PUE.
pub(super) fn of(decision: &Decision<'_>) -> (Option<f64>, Option<f64>) {
    let jobs = 0..decision.candidates.workloads.len();
    let used: Option<Vec<(f64, Option<f64>)>> = jobs.map(|job| one(decision, job)).collect();
    let Some(used) = used else { return (None, None) };
    let carbon: Option<Vec<f64>> = used.iter().map(|(_, carbon)| *carbon).collect();
    (Some(used.iter().map(|(energy, _)| energy).sum()), carbon.map(|carbon| carbon.iter().sum()))
}

fn one(decision: &Decision<'_>, job: usize) -> Option<(f64, Option<f64>)> {
    let column = decision.column(job);
    let world = decision.world;
    let (_, site) = world.loaded.scenario.sites.get_index(column.place.site)?;
    let (_, pool) = site.pools.get_index(column.place.pool)?;
    let Machine::Instance(name) = &pool.machine else { return None };
    let (provider, region) = (site.provider.as_deref()?, site.region.as_deref()?);
    let instance: &Instance = world.catalog.instance(provider, region, name)?;
    let watts = world.catalog.accelerator(instance.accelerator.as_deref()?)?.watts?;
    let carbon = world.catalog.region(provider, region).and_then(|region| region.carbon.as_ref());
    let devices = instance.accelerator_count * f64::from(column.layout.nodes);
    let overhead = carbon.and_then(|carbon| carbon.pue).unwrap_or(1.0);
    let energy = devices * watts * overhead * column.seconds / 3.6e6;
    Some((energy, carbon.map(|carbon| energy * carbon.gco2e_per_kwh / 1000.0)))
}
