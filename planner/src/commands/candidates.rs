//! `planner candidates`: every placement of every workload, possible or refused.

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::terminal::{Exit, Printer, Table};
use scenarios::units::{Bytes, Seconds};
use serde::Serialize;

use super::failure::Failure;
use super::load;
use crate::candidates::{Candidates, Column, Network, Place, Refused, Replica, World, enumerate, prune};
use crate::cli::{CandidatesArguments, Global};
use crate::clock::Clock;
use crate::explain::machines;
use crate::planning::PlanError;

/// A placement as programs read it.
#[derive(Debug, Clone, Serialize)]
struct Row {
    workload: String,
    site: String,
    pool: String,
    machine: String,
    purchase: String,
    nodes: u32,
    strategy: String,
    verdict: &'static str,
    seconds: Option<f64>,
    throughput: Option<f64>,
    memory_bytes_per_device: Option<u64>,
    cost_usd: Option<Decimal>,
    reason: String,
}

pub(super) fn run(arguments: &CandidatesArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(&arguments.file, global)?;
    let held = load::held(&loaded, &arguments.held)?;
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let network = Network::new(world);
    let clock = Clock::new(loaded.scenario.time_limit.get());
    let all = enumerate(&world, &network, &held, clock).and_then(|all| prune(&world, &network, all, clock));
    let candidates = all.map_err(PlanError::from)?;
    let rows = rows(&world, &candidates);
    printer.table(global.format, &table(&rows), &rows);
    let refused: usize = candidates.workloads.iter().map(|workload| workload.refused.len()).sum();
    let (possible, pruned) = (candidates.count(), candidates.pruned());
    printer.status(&format!(
        "{possible} placements are possible, {pruned} are dominated by others, {refused} are refused."
    ));
    Ok(Exit::Done)
}

fn rows(world: &World<'_>, candidates: &Candidates) -> Vec<Row> {
    let mut rows = Vec::new();
    for workload in &candidates.workloads {
        let copies = |column: &Column| column.copies.iter().map(|copy| &candidates.copies[*copy]).collect::<Vec<_>>();
        let full = |column: &Column, verdict, reason| {
            let moved: Decimal = copies(column).iter().map(|copy| copy.usd + copy.storage_usd).sum();
            let usd =
                column.compute_usd + moved + column.exchanges.iter().map(|exchange| exchange.usd).sum::<Decimal>();
            priced(world, &workload.workload, column, usd, verdict, reason)
        };
        for column in &workload.columns {
            let after = copies(column)
                .into_iter()
                .map(|copy| format!("after a copy of `{}` from `{}`", copy.what, world.site_name(copy.from)));
            let beside = column.groups.iter().skip(1).map(|group| format!("with {}", machines(world, group)));
            rows.push(full(column, "possible", beside.chain(after).collect::<Vec<_>>().join(", ")));
        }
        for dominated in &workload.dominated {
            let by = &workload.columns[dominated.by];
            let first = by.first().place;
            let place = format!("`{}` of `{}`", world.pool_name(first), world.site_name(first.site));
            let more = if dominated.places > 1 { format!(" and {} more", dominated.places - 1) } else { String::new() };
            let reason = format!("no better than {} in {place}{more}", by.strategy);
            rows.push(full(&dominated.column, "dominated", reason));
        }
        rows.extend(
            workload
                .service
                .iter()
                .flat_map(|service| &service.replicas)
                .map(|r| replica(world, &workload.workload, r)),
        );
        rows.extend(workload.refused.iter().map(|refused| refusal(world, &workload.workload, refused)));
    }
    rows
}

fn place(world: &World<'_>, workload: &str, place: Place) -> Row {
    Row {
        workload: workload.to_owned(),
        site: world.site_name(place.site).to_owned(),
        pool: world.pool_name(place).to_owned(),
        machine: world.machine_name(place),
        purchase: String::new(),
        nodes: 0,
        strategy: String::new(),
        verdict: "refused",
        seconds: None,
        throughput: None,
        memory_bytes_per_device: None,
        cost_usd: None,
        reason: String::new(),
    }
}

fn priced(
    world: &World<'_>,
    workload: &str,
    column: &Column,
    usd: Decimal,
    verdict: &'static str,
    reason: String,
) -> Row {
    Row {
        purchase: column.first().purchase.to_string(),
        nodes: column.first().layout.nodes,
        strategy: column.strategy.to_string(),
        verdict,
        seconds: Some(column.seconds),
        throughput: Some(column.prediction.predicted.throughput),
        memory_bytes_per_device: Some(column.prediction.memory.total()),
        cost_usd: Some(usd.normalize()),
        reason,
        ..place(world, workload, column.first().place)
    }
}

/// One replica of a service for its whole window.
fn replica(world: &World<'_>, workload: &str, replica: &Replica) -> Row {
    Row {
        purchase: replica.group.purchase.to_string(),
        nodes: replica.group.layout.nodes,
        strategy: replica.strategy.to_string(),
        verdict: "possible",
        throughput: Some(replica.prediction.predicted.throughput),
        memory_bytes_per_device: Some(replica.prediction.predicted.memory_bytes_per_device),
        cost_usd: Some(replica.usd.normalize()),
        reason: "one replica for the whole time".to_owned(),
        ..place(world, workload, replica.group.place)
    }
}

fn refusal(world: &World<'_>, workload: &str, refused: &Refused) -> Row {
    Row {
        purchase: refused.purchase.to_string(),
        nodes: refused.nodes,
        strategy: refused.strategy.to_string(),
        reason: refused.reason.to_string(),
        ..place(world, workload, refused.place)
    }
}

fn table(rows: &[Row]) -> Table {
    let header = [
        "workload",
        "site",
        "pool",
        "machine",
        "purchase",
        "nodes",
        "strategy",
        "verdict",
        "time",
        "samples/s",
        "memory",
        "USD",
        "reason",
    ];
    let mut table = Table::new(&header);
    for row in rows {
        let text = |value: Option<String>| value.unwrap_or_default();
        table.rows.push(vec![
            row.workload.clone(),
            row.site.clone(),
            row.pool.clone(),
            row.machine.clone(),
            row.purchase.clone(),
            row.nodes.to_string(),
            row.strategy.clone(),
            row.verdict.to_owned(),
            text(row.seconds.map(|seconds| Seconds::new(seconds).rounded())),
            text(row.throughput.map(|throughput| format!("{throughput:.0}"))),
            text(row.memory_bytes_per_device.map(|bytes| Bytes(bytes).rounded())),
            text(row.cost_usd.map(|usd| usd.to_string())),
            row.reason.clone(),
        ]);
    }
    table
}
