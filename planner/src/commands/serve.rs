//! `planner serve`: one replica that answers requests.

use scenarios::catalog::Catalog;
use scenarios::model::Model;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::{Bytes, Interval};
use serde::Serialize;

use super::failure::{Failure, Unpredicted};
use super::predict;
use crate::cli::{Global, ServeArguments};
use crate::performance::serving::{Load, Server, Serving, ServingCalibration, predict as answer};

/// A prediction as programs read it.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    devices: u32,
    tokens_per_second: Interval,
    requests_per_second: Interval,
    first_token_seconds: Interval,
    token_seconds: Interval,
    requests_in_progress: f64,
    utilisation: f64,
    weights_bytes: f64,
    cache_tokens: f64,
    basis: &'static str,
}

pub(super) fn run(arguments: &ServeArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let server = server(arguments)?;
    let load = match (arguments.rate, arguments.batch) {
        (Some(rate), _) => Load::Rate(rate),
        (None, Some(batch)) => Load::Batches(batch),
        (None, None) => Load::Saturated,
    };
    let serving = answer(&server, &arguments.requests, load, &ServingCalibration::bundled());
    let report = report(&server, &serving.map_err(|error| Unpredicted::Unanswered(error.to_string()))?);
    match global.format {
        OutputFormat::Table => {
            printer.data(&table(&report).to_text());
            printer.data(&format!(
                "\n{:.0} requests in progress, {:.0} % of what the replica can do. Weights take {} of each device, the cache holds {:.0} tokens.\n{}\n",
                report.requests_in_progress,
                100.0 * report.utilisation,
                Bytes(report.weights_bytes as u64).rounded(),
                report.cache_tokens,
                report.basis,
            ));
        }
        format => printer.table(format, &table(&report), &report),
    }
    Ok(Exit::Done)
}

fn server(arguments: &ServeArguments) -> Result<Server, Failure> {
    let model = match predict::model(&arguments.model)? {
        Model::Transformer(model) => model,
        other => {
            let family = other.family();
            return Err(Unpredicted::Unanswered(format!("a {family} generates no tokens")).into());
        }
    };
    let device = Catalog::bundled().find_accelerator(&arguments.machine);
    Ok(Server {
        whole_attention: model.experts.is_some(),
        model,
        device: device.ok_or_else(|| predict::unknown_machine(&arguments.machine))?.clone(),
        tensor: arguments.tensor,
        pipeline: arguments.pipeline,
        weights: arguments.precision,
        cache: arguments.cache,
    })
}

fn report(server: &Server, serving: &Serving) -> Report {
    let calibrated = "Calibrated on runs of this device.";
    let wide = "No serving runs of this device: data sheet and other devices' efficiency, wide.";
    Report {
        device: server.device.name.clone(),
        devices: server.tensor.saturating_mul(server.pipeline).get(),
        tokens_per_second: serving.tokens_per_second,
        requests_per_second: serving.requests_per_second,
        first_token_seconds: serving.first_token_seconds,
        token_seconds: serving.token_seconds,
        requests_in_progress: serving.operation.running,
        utilisation: serving.operation.utilisation,
        weights_bytes: serving.operation.memory.weights,
        cache_tokens: serving.operation.memory.capacity_tokens,
        basis: if serving.is_calibrated { calibrated } else { wide },
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["figure", "p10", "p50", "p90", "unit"]);
    let figures = [
        ("throughput", report.tokens_per_second, "tokens/s"),
        ("requests", report.requests_per_second, "1/s"),
        ("first token", report.first_token_seconds, "s"),
        ("next token", report.token_seconds, "s"),
    ];
    for (name, Interval { p10, p50, p90 }, unit) in figures {
        let value = |value: f64| format!("{value:.4}");
        table.rows.push(vec![name.to_owned(), value(p10), value(p50), value(p90), unit.to_owned()]);
    }
    table
}
