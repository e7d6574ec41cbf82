//! Training steps of GPT-2 small and ResNet-50 beside the same steps in a plain burn loop, on the devices that the executor
//! chooses, and by one rank on each of several GPUs. `scripts/gpu-bench` runs it and keeps the result.

#![expect(clippy::print_stderr, reason = "a benchmark prints its result")]

mod bare;
mod gpt;
mod ours;
mod resnet;
mod sizes;

use std::path::PathBuf;

use clap::Parser;
use executor::device::Devices;
use scenarios::machine::DeviceKind;
use serde_json::{Value, json};

use sizes::Size;

#[derive(Debug, Parser)]
struct Options {
    /// How large the trainings are.
    #[arg(long, value_enum, default_value = "small")]
    size: Size,
    /// File for the results, as JSON.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A training by both.
struct Case {
    name: &'static str,
    batch: usize,
    bare: Box<dyn bare::Loop>,
    ours: ours::Recipe,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let devices = Devices::select(executor::device::Choice::Auto).unwrap_or_else(|_| Devices::cpu());
    let device = &devices.handles[0];
    let reading = match devices.description.kind {
        DeviceKind::Gpu => ours::GPU_STEPS_PER_READING,
        DeviceKind::Cpu => 1,
    };
    // The executor's own timing leaves out ten readings.
    let (warm_up, steps) = (10 * reading, 10 * reading);
    let (gpt, resnet) = (options.size.gpt(), options.size.resnet());
    let cases = [
        Case {
            name: "gpt2-small",
            batch: gpt.batch,
            bare: Box::new(gpt::Training::new(gpt, device)),
            ours: ours::Recipe::gpt(gpt),
        },
        Case {
            name: "resnet50",
            batch: resnet.batch,
            bare: Box::new(resnet::Training::new(resnet, device)),
            ours: ours::Recipe::resnet(resnet),
        },
    ];
    let mut rows: Vec<Value> = Vec::new();
    for Case { name, batch, mut bare, ours } in cases {
        let plain = bare::seconds(&mut *bare, (warm_up, steps), reading, device);
        drop(bare);
        let one = ours.seconds(&devices, 1, warm_up + steps);
        eprintln!("{name}: plain burn loop {:.2} ms, executor {:.2} ms: {:.3}×", 1e3 * plain, 1e3 * one, plain / one);
        rows.push(row(name, "plain burn loop", 1, batch, plain));
        rows.push(row(name, "executor", 1, batch, one));
        let gpus = devices.handles.len();
        if gpus > 1 {
            let all = ours.seconds(&devices, gpus, warm_up + steps);
            eprintln!("{name}: {gpus} ranks, one a GPU: {:.2} ms, {:.3} of the speed-up", 1e3 * all, one / all);
            rows.push(row(name, "executor", gpus, batch, all));
        }
    }
    let description = &devices.description;
    let result = json!({
        "device": description.name, "backend": description.backend, "devices": description.count,
        "size": format!("{:?}", options.size).to_lowercase(), "steps": steps, "results": rows,
    });
    match options.output {
        Some(path) => std::fs::write(path, format!("{result:#}\n")),
        None => Ok(()),
    }
}

fn row(model: &str, by: &str, ranks: usize, batch: usize, seconds: f64) -> Value {
    let throughput = (batch * ranks) as f64 / seconds;
    json!({
        "model": model, "by": by, "ranks": ranks, "records_per_rank": batch, "step_seconds": seconds,
        "records_per_second": throughput,
    })
}
