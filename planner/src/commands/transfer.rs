//! `planner transfer`: the cheapest bulk copy between regions.

use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::{Bytes, Seconds};

use super::failure::Failure;
use super::load;
use crate::cli::{Global, TransferArguments};
use crate::transfer::{TransferDocument, TransferPlan, cheapest};

/// The rule that an option of the command line is.
const AVOIDED: &str = "--avoid";

pub(super) fn run(arguments: &TransferArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let document = TransferDocument::parse(&load::bytes(&arguments.file, "transfer")?)?;
    let network = document.network()?;
    let mut request = document.request();
    request.rate = arguments.rate.unwrap_or(request.rate);
    for place in &arguments.avoid {
        request.forbidden.entry(place.clone()).or_insert_with(|| AVOIDED.to_owned());
    }
    let plan = cheapest(&network, &request)?;
    match global.format {
        OutputFormat::Table => {
            printer.data(&paths(&plan).to_text());
            printer.data("\n");
            printer.data(&links(&plan).to_text());
            printer.data("\n");
            printer.data(&gateways(&plan).to_text());
            printer.data(&format!("\n{}\n", summary(&plan)));
        }
        format => printer.table(format, &links(&plan), &plan),
    }
    Ok(Exit::Done)
}

fn summary(plan: &TransferPlan) -> String {
    let proven =
        if plan.is_optimal { "Nothing is cheaper at this rate." } else { "It is not proven that nothing is cheaper." };
    format!(
        "{} USD: {} for egress, {} for gateways; {} at {} Gbit/s. {proven}",
        plan.total_usd.round_dp(4).normalize(),
        plan.egress_usd.round_dp(4).normalize(),
        plan.gateway_usd.round_dp(4).normalize(),
        Seconds::new(plan.seconds).rounded(),
        plan.gbps,
    )
}

fn paths(plan: &TransferPlan) -> Table {
    let mut table = Table::new(&["path", "Gbit/s", "amount"]);
    for path in &plan.paths {
        table.rows.push(vec![path.places.join(" → "), gbps(path.gbps), Bytes(path.bytes).rounded()]);
    }
    table
}

fn links(plan: &TransferPlan) -> Table {
    let mut table = Table::new(&["from", "to", "Gbit/s", "connections", "amount", "egress USD"]);
    for link in &plan.links {
        table.rows.push(vec![
            link.from.clone(),
            link.to.clone(),
            gbps(link.gbps),
            format!("{:.1}", link.connections),
            Bytes(link.bytes).rounded(),
            link.egress_usd.to_string(),
        ]);
    }
    table
}

fn gateways(plan: &TransferPlan) -> Table {
    let mut table = Table::new(&["gateways at", "count", "USD"]);
    for gateway in &plan.gateways {
        table.rows.push(vec![gateway.place.clone(), gateway.gateways.to_string(), gateway.usd.to_string()]);
    }
    table
}

fn gbps(rate: f64) -> String {
    format!("{rate:.4}")
}
