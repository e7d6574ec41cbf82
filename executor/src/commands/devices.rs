use scenarios::terminal::{Exit, Printer, Table};
use scenarios::units::Bytes;
use serde::Serialize;

use crate::cli::DevicesArgs;
use crate::device::{self, Devices, Listed};

#[derive(Debug, Serialize)]
struct View {
    host: scenarios::machine::Host,
    devices: Vec<DeviceView>,
}

#[derive(Debug, Serialize)]
struct DeviceView {
    #[serde(flatten)]
    device: scenarios::machine::Device,
    chosen: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'static str,
}

pub(crate) fn devices(args: &DevicesArgs, printer: Printer) -> Exit {
    let (host, listed) = (device::host(), Devices::list());
    let mut table = Table::new(&["device", "kind", "count", "memory", "back end", "note"]);
    table.rows = listed.iter().map(row).collect();
    let memory = Bytes(host.memory_bytes).rounded();
    printer.status(&format!("{}, {}: {} cores, {memory}", host.os, host.cpu, host.cores));
    let view = |listed: Listed| DeviceView { device: listed.description, chosen: listed.chosen, note: listed.note };
    printer.table(args.format, &table, &View { host, devices: listed.into_iter().map(view).collect() });
    Exit::Done
}

fn row(listed: &Listed) -> Vec<String> {
    let device = &listed.description;
    let memory = if device.memory_bytes > 0 { Bytes(device.memory_bytes).rounded() } else { "not known".to_owned() };
    let note = if listed.chosen { "used by default" } else { listed.note };
    let texts = [&device.name, &device.kind.to_string(), &device.count.to_string(), &memory, &device.backend, note];
    texts.map(str::to_owned).to_vec()
}
