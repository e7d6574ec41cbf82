//! `planner catalog`: instance types with price and accelerator.

use scenarios::catalog::{Catalog, Instance};
use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::failure::Failure;
use crate::cli::{CatalogArguments, Global};

/// An instance type as programs read it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    provider: &'a str,
    region: &'a str,
    country: &'a str,
    instance_type: &'a str,
    vcpus: Option<f64>,
    memory_gib: Option<f64>,
    accelerator: Option<&'a str>,
    accelerator_count: f64,
    on_demand_usd_per_hour: Option<rust_decimal::Decimal>,
    price_date: &'a str,
    source: &'a str,
}

#[allow(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn run(arguments: &CatalogArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let catalog = Catalog::bundled();
    let wanted = catalog.instances().iter().filter(|instance| matches(arguments, instance));
    let rows: Vec<Row<'_>> = wanted.map(|instance| row(catalog, instance)).collect();
    printer.table(global.format, &table(&rows), &rows);
    printer.status(&format!("{} instance types, prices up to {}.", rows.len(), catalog.as_of()));
    Ok(Exit::Done)
}

fn matches(arguments: &CatalogArguments, instance: &Instance) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let holds = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    let named = arguments.search.as_ref().is_none_or(|part| {
        holds(&instance.instance_type, part) || instance.accelerator.as_ref().is_some_and(|name| holds(name, part))
    });
    named && is(&arguments.provider, &instance.provider) && is(&arguments.region, &instance.region)
}

fn row<'a>(catalog: &'a Catalog, instance: &'a Instance) -> Row<'a> {
    let region = catalog.region(&instance.provider, &instance.region);
    Row {
        provider: &instance.provider,
        region: &instance.region,
        country: region.map_or("", |region| &region.country),
        instance_type: &instance.instance_type,
        vcpus: instance.vcpus,
        memory_gib: instance.memory_gib,
        accelerator: instance.accelerator.as_deref(),
        accelerator_count: instance.accelerator_count,
        on_demand_usd_per_hour: instance.on_demand_usd_per_hour,
        price_date: &instance.price_date,
        source: &instance.source,
    }
}

fn table(rows: &[Row<'_>]) -> Table {
    let header =
        ["provider", "region", "country", "instance type", "vCPU", "GiB", "accelerator", "count", "USD/h", "date"];
    let mut table = Table::new(&header);
    for row in rows {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        table.rows.push(vec![
            row.provider.to_owned(),
            row.region.to_owned(),
            row.country.to_owned(),
            row.instance_type.to_owned(),
            number(row.vcpus),
            number(row.memory_gib),
            row.accelerator.unwrap_or_default().to_owned(),
            if row.accelerator.is_some() { row.accelerator_count.to_string() } else { String::new() },
            row.on_demand_usd_per_hour.map(|price| price.to_string()).unwrap_or_default(),
            row.price_date.to_owned(),
        ]);
    }
    table
}
