//! Measures what the performance model needs on the machine that this runs on.
//!
//! The shapes are those of common small and middling networks; none is taken from a model that is
//! to be predicted. Ranks are measured at the same time, as they run, since they share caches,
//! memory and sometimes the device.

mod input;
mod networks;
mod operations;
mod pieces;
mod probe;
mod ranks;
mod sample;
mod shapes;
mod transport;

use scenarios::machine::{DeviceKind, FORMAT, Host, MachineProfile};

use crate::device::Devices;
use crate::workflow::SOFTWARE;

/// Numbers of ranks to measure by default: powers of two up to the cores (or GPUs), and those.
#[must_use]
pub fn usual_ranks(devices: &Devices, host: &Host) -> Vec<u32> {
    let most = match devices.description.kind {
        DeviceKind::Cpu => host.cores,
        DeviceKind::Gpu => devices.description.count,
    };
    let mut ranks: Vec<u32> = (0..u32::BITS).map(|power| 1 << power).take_while(|ranks| *ranks < most).collect();
    ranks.push(most.max(1));
    ranks
}

/// Measures everything; `progress` is told what comes next.
#[must_use]
pub fn calibrate(
    name: String,
    devices: &Devices,
    host: Host,
    ranks: &[u32],
    progress: &mut dyn FnMut(&str),
) -> MachineProfile {
    let mut profile = MachineProfile {
        format: FORMAT.to_owned(),
        digest: String::new(),
        name,
        measured_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        host,
        device: devices.description.clone(),
        software: SOFTWARE.to_owned(),
        operations: Vec::new(),
        pieces: Vec::new(),
        waits: Vec::new(),
        references: Vec::new(),
        rank_bytes: None,
        transports: Vec::new(),
        inputs: Vec::new(),
    };
    let mut rounds: Vec<pieces::Rounds> = ranks.iter().map(|ranks| pieces::Rounds::new(*ranks)).collect();
    for round in 1..=pieces::ROUNDS {
        progress(&format!("pieces of networks, round {round} of {}", pieces::ROUNDS));
        for of_ranks in &mut rounds {
            of_ranks.measure(devices);
        }
    }
    for (&ranks, of_ranks) in ranks.iter().zip(rounds) {
        let summed = of_ranks.summed();
        profile.pieces.extend(summed.pieces);
        profile.waits.extend(summed.waits);
        profile.references.extend(summed.reference);
        if devices.description.kind == DeviceKind::Cpu {
            profile.rank_bytes = profile.rank_bytes.max(summed.rank_bytes);
        }
        progress(&format!("updates, input and transport, {ranks} rank(s) at a time"));
        profile.operations.extend(operations::measure(devices, ranks));
        profile.inputs.extend(input::measure(devices, ranks));
        if ranks > 1 {
            profile.transports.extend(transport::measure(ranks));
        }
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_powers_of_two_and_the_whole_machine() {
        let check = |cores, expected: &[u32]| {
            let host = Host { cores, ..crate::device::host() };
            assert_eq!(usual_ranks(&Devices::cpu(), &host), expected);
        };
        check(1, &[1]);
        check(2, &[1, 2]);
        check(6, &[1, 2, 4, 6]);
    }
}
