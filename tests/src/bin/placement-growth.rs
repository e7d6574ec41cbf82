//! How the time to a plan grows with workloads, sites and the length of the period.
//!
//! Changes one size at a time and solves with the `planner` binary, start-up included. Time is continuous in the
//! program, so the period has no slots to count. `placement-growth [-o DIR]` writes the chart as SVG.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use reports::charts::{Caption, Line, lines};
use reports::table;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use serde::Serialize;
use tests::{Scale, succeed, text};

/// Measures how the time to a plan grows.
#[derive(Debug, Parser)]
struct Arguments {
    /// Numbers of workloads, over all sites and the longest period.
    #[arg(long, value_delimiter = ',', default_value = "5,10,20,30,40,50")]
    workloads: Vec<usize>,
    /// Numbers of sites, for the largest number of workloads and the longest period.
    #[arg(long, value_delimiter = ',', default_value = "30,50,100,150,200")]
    sites: Vec<usize>,
    /// Lengths of the period in days, for the largest numbers of workloads and sites.
    #[arg(long, value_delimiter = ',', default_value = "20,40,60")]
    days: Vec<u32>,
    /// Relative gap that counts as solved.
    #[arg(long, default_value = "0.01")]
    gap: String,
    /// Folder for the chart; by default none is drawn.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Time for one size.
#[derive(Debug, Clone, Serialize)]
struct Row {
    changes: &'static str,
    workloads: usize,
    sites: usize,
    days: u32,
    seconds: f64,
    share: f64,
}

fn main() -> Exit {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let rows = measure(&arguments, folder.path());
    let mut table = Table::new(&["changes", "workloads", "sites", "days", "seconds"]);
    let cells = |row: &Row| {
        let sizes = [row.workloads.to_string(), row.sites.to_string(), row.days.to_string()];
        [row.changes.to_owned()].into_iter().chain(sizes).chain([format!("{:.2}", row.seconds)]).collect()
    };
    table.rows = rows.iter().map(cells).collect();
    Printer::default().table(arguments.format, &table, &rows);
    if let Some(folder) = &arguments.output {
        fs_err::create_dir_all(folder).expect("the folder can be made");
        fs_err::write(folder.join("placement-growth.svg"), chart(&rows)).expect("the chart can be written");
    }
    Exit::Done
}

fn measure(arguments: &Arguments, folder: &Path) -> Vec<Row> {
    let most = |sizes: &[usize]| sizes.iter().copied().max().unwrap_or(1);
    let (workloads, sites) = (most(&arguments.workloads), most(&arguments.sites));
    let days = arguments.days.iter().copied().max().unwrap_or(1);
    let whole = Scale { workloads, sites, days };
    let by_workloads = arguments.workloads.iter().map(|n| ("workloads", Scale { workloads: *n, ..whole }));
    let by_sites = arguments.sites.iter().map(|n| ("sites", Scale { sites: *n, ..whole }));
    let by_days = arguments.days.iter().map(|n| ("days", Scale { days: *n, ..whole }));
    let row = |(changes, scale): (&'static str, Scale)| {
        let share = match changes {
            "workloads" => scale.workloads as f64 / workloads as f64,
            "sites" => scale.sites as f64 / sites as f64,
            _ => f64::from(scale.days) / f64::from(days),
        };
        let seconds = solve(arguments, folder, scale);
        Printer::default().status(&format!("{scale:?}: {seconds:.2} s"));
        Row { changes, workloads: scale.workloads, sites: scale.sites, days: scale.days, seconds, share }
    };
    by_workloads.chain(by_sites).chain(by_days).map(row).collect()
}

fn solve(arguments: &Arguments, folder: &Path, scale: Scale) -> f64 {
    let (scenario, plan) = (folder.join("scale.yaml"), folder.join("plan.json"));
    fs_err::write(&scenario, scale.text()).expect("the scenario can be written");
    let begun = Instant::now();
    succeed("planner", &["solve", text(&scenario), "-o", text(&plan), "--gap", &arguments.gap, "--quiet"]);
    begun.elapsed().as_secs_f64()
}

fn chart(rows: &[Row]) -> String {
    let line = |name: &str| {
        let points = rows.iter().filter(|row| row.changes == name).map(|row| (100.0 * row.share, row.seconds));
        let of = rows.iter().filter(|row| row.changes == name).max_by(|a, b| a.share.total_cmp(&b.share));
        let whole = of.map_or(0, |row| match name {
            "workloads" => row.workloads,
            "sites" => row.sites,
            _ => row.days as usize,
        });
        Line { name: format!("{name} (100 % = {whole})"), points: points.collect() }
    };
    let series = ["workloads", "sites", "days"].map(line);
    let slowest = rows.iter().map(|row| row.seconds).fold(0.0, f64::max);
    let caption = Caption {
        name: "placement-growth",
        title: "Time to a plan over the size of the scenario",
        finding: &format!("The largest scenario takes {slowest:.1} s; one size is changed at a time."),
    };
    let figures = table::Table::new("charts/placement-growth", caption.title, &[("size", "size")]);
    let drawn = lines(caption, figures, ("size (% of the largest)", "time to a verified plan (s)"), &series);
    drawn.expect("the chart can be drawn").to_svg()
}
