//! Assumptions and provenance: what every figure rests on.

use askama::Template;
use scenarios::plan::{Plan, SolverStatus};
use scenarios::run::RunStatus;
use scenarios::scenario::SiteKind;

use super::Section;
use crate::error::ReportError;
use crate::evidence::{Evidence, is_generated, status_word};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/provenance.html")]
struct Body<'a> {
    tables: Vec<&'a Table>,
    profiles: usize,
}

/// What the figures rest on.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let plan = &evidence.plan;
    let all = [documents(evidence), solver(plan), sites(plan), runs(evidence), workloads(evidence), data(evidence)];
    let tables: Vec<_> = all.iter().filter(|table| !table.is_empty()).collect();
    let body = Body { tables: tables.clone(), profiles: plan.scenario.profiles.len() };
    Section::new("provenance", "Assumptions and provenance", &body, &[], &tables)
}

fn documents(evidence: &Evidence) -> Table {
    let plan = &evidence.plan;
    let columns = [
        ("Document", "document"),
        ("Name or file", "name"),
        ("SHA-256", "digest"),
        ("Remark", "remark"),
        ("", "detail"),
    ];
    let mut table = Table::new("tables/documents", "Documents that this report is made of", &columns);
    let mut add = |document: &str, name: &str, digest: &str, remark: &str, detail: &str| {
        let remark = Cell::text(remark).with_note(detail);
        table.row([Cell::text(document), Cell::name(name), Cell::digest(digest), remark, Cell::text(detail)]);
    };
    let scenario = &plan.scenario;
    let path = scenario.path.as_deref().unwrap_or("standard input");
    add("scenario", &scenario.name, &scenario.digest, path, &format!("seed {}", scenario.seed));
    for (path, digest) in &scenario.profiles {
        add("machine profile", path, digest, "measured by `executor calibrate`", "");
    }
    let as_of = format!("newest fact of {}", plan.catalog.as_of);
    add("catalogue", "bundled", &plan.catalog.digest, "list prices without tax or discounts", &as_of);
    add("plan", &evidence.plan_path, &plan.digest, &format!("format `{}`", plan.format), "");
    for (named, number) in evidence.runs.iter().zip(1..) {
        let (remark, detail) = if evidence.is_of_plan(&named.run) {
            ("of this plan", String::new())
        } else {
            ("of another plan", format!("plan {}", named.run.plan_digest))
        };
        add(&format!("run {number}"), &named.path, &named.run.digest, remark, &detail);
    }
    table
}

fn solver(plan: &Plan) -> Table {
    let solver = &plan.solver;
    let columns = [
        ("Solver", "solver"),
        ("Status", "status"),
        ("Minimised", "minimizes"),
        ("Objective", "objective"),
        ("Bound", "bound"),
        ("Gap", "gap"),
        ("Nodes", "nodes"),
        ("Iterations", "iterations"),
        ("Columns", "columns_considered"),
        ("Pruned", "columns_pruned"),
    ];
    let mut table = Table::new("tables/solver", "How the plan was found", &columns);
    let unit = if solver.minimizes == "cost_usd" { "USD" } else { "s" };
    let status = match solver.status {
        SolverStatus::Optimal => "optimal",
        SolverStatus::Feasible => "feasible, not proven optimal",
    };
    table.row([
        Cell::name(&solver.name),
        Cell::text(status),
        Cell::name(&solver.minimizes),
        Cell::number(solver.objective, unit),
        Cell::number(solver.bound, unit),
        Cell::percent(solver.gap),
        Cell::count(solver.nodes),
        Cell::count(solver.iterations),
        Cell::count(solver.columns_considered),
        Cell::count(solver.columns_pruned),
    ]);
    table
}

fn sites(plan: &Plan) -> Table {
    let columns = [
        ("Site", "site"),
        ("Kind", "kind"),
        ("Provider", "provider"),
        ("Region", "region"),
        ("Country", "country"),
        ("Names of places that cover it", "places"),
    ];
    let mut table = Table::new("tables/sites", "Sites as the residency rules see them", &columns);
    for (name, site) in &plan.sites {
        let kind = if site.kind == SiteKind::Private { "private" } else { "public" };
        let text = |value: &Option<String>| value.as_ref().map_or_else(Cell::none, Cell::name);
        table.row([
            Cell::name(name),
            Cell::text(kind),
            text(&site.provider),
            text(&site.region),
            text(&site.country),
            Cell::text(site.places.join(", ")),
        ]);
    }
    table
}

fn runs(evidence: &Evidence) -> Table {
    let columns = [
        ("Run", "run"),
        ("Status", "status"),
        ("Started", "started_at"),
        ("Processor", "cpu"),
        ("Cores", "cores"),
        ("Memory", "memory_bytes"),
        ("System", "os"),
        ("Software", "software"),
    ];
    let mut table = Table::new("tables/runs", "Runs and the computers that they ran on", &columns);
    for (named, number) in evidence.runs.iter().zip(1_u64..) {
        let (run, host) = (&named.run, &named.run.host);
        table.row([
            Cell::count(number),
            status(run.status),
            Cell::name(&run.started_at),
            Cell::name(&host.cpu),
            Cell::count(host.cores.into()),
            Cell::bytes(host.memory_bytes),
            Cell::name(&host.os),
            Cell::name(&run.software),
        ]);
    }
    table
}

fn status(status: RunStatus) -> Cell {
    Cell::judged(status == RunStatus::Completed, status_word(status), status_word(status))
}

fn workloads(evidence: &Evidence) -> Table {
    let columns = [
        ("Run", "run"),
        ("Workload", "workload"),
        ("Status", "status"),
        ("Site that it stood for", "site"),
        ("Strategy", "strategy"),
        ("Device", "device"),
        ("Steps timed", "steps"),
        ("Wall time", "seconds"),
        ("Checkpoint", "checkpoint"),
    ];
    let mut table = Table::new("tables/workload-runs", "What ran", &columns);
    for m in evidence.measurements() {
        let (w, device) = (m.workload, &m.workload.device);
        let words = format!("{} × {}, {}", device.count, device.kind, device.name);
        table.row([
            Cell::count(m.run_number as u64),
            Cell::name(&w.workload),
            status(w.status),
            Cell::name(&w.site),
            Cell::text(w.strategy.to_string()),
            Cell::name(&words).with_note(&format!("burn back end {}", device.backend)),
            Cell::count(w.steps),
            Cell::duration(w.seconds),
            w.checkpoint.as_ref().map_or_else(Cell::none, Cell::name),
        ]);
    }
    table
}

fn data(evidence: &Evidence) -> Table {
    let columns = [
        ("Run", "run"),
        ("Workload", "workload"),
        ("Data set", "dataset"),
        ("Source", "source"),
        ("", "generated"),
        ("SHA-256", "digest"),
        ("Training", "train_records"),
        ("Validation", "validation_records"),
        ("Test", "test_records"),
        ("Dropped, malformed", "dropped_malformed"),
        ("Dropped, duplicate", "dropped_duplicates"),
    ];
    let mut table = Table::new("tables/data", "Data that was read, in records", &columns);
    for m in evidence.measurements() {
        let d = &m.workload.data;
        let generated = is_generated(d);
        let source = Cell::text(&d.source);
        let source = if generated { source.with_note("⚠ generated, not the data set itself") } else { source };
        table.row([
            Cell::count(m.run_number as u64),
            Cell::name(&m.workload.workload),
            Cell::name(&d.dataset),
            source.with_class("wide"),
            Cell::text(if generated { "yes" } else { "no" }),
            Cell::digest(&d.digest),
            Cell::count(d.train_records),
            Cell::count(d.validation_records),
            Cell::count(d.test_records),
            Cell::count(d.dropped_malformed),
            Cell::count(d.dropped_duplicates),
        ]);
    }
    table
}
