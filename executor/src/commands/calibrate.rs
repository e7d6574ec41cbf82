use scenarios::document;
use scenarios::terminal::{Exit, Printer};

use super::no_device;
use crate::calibrate;
use crate::cli::CalibrateArgs;
use crate::device::{self, Devices};

pub(crate) fn calibrate(args: &CalibrateArgs, printer: Printer) -> Exit {
    let devices = match Devices::select(args.device) {
        Ok(devices) => devices,
        Err(error) => return no_device(&error, printer),
    };
    let host = device::host();
    let ranks = match &args.ranks[..] {
        [] => calibrate::usual_ranks(&devices, &host),
        ranks => ranks.to_vec(),
    };
    printer.status(&format!(
        "measuring {} ({}) with up to {} ranks",
        devices.description.name,
        devices.description.kind,
        ranks.iter().max().unwrap_or(&1)
    ));
    let started = std::time::Instant::now();
    let name = args.name.clone().unwrap_or_else(|| devices.description.name.clone());
    let mut profile = calibrate::calibrate(name, &devices, host, &ranks, &mut |text| printer.status(text));
    match document::write(&mut profile, &args.output) {
        Ok(()) => {
            let seconds = started.elapsed().as_secs_f64();
            let count =
                [profile.operations.len(), profile.pieces.len(), profile.transports.len(), profile.inputs.len()];
            let count: usize = count.iter().sum();
            printer.status(&format!("wrote {} with {count} measurements in {seconds:.0} s", args.output.display()));
            Exit::Done
        }
        Err(error) => {
            printer.error(&error, None);
            Exit::from(&error)
        }
    }
}
