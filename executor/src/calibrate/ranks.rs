//! The same work in several ranks at the same time.

use burn::tensor::Device;

use crate::device::Devices;
use crate::transport::{ThreadTransport, thread_group};

/// Runs `work` in every rank with its device and transport; what all ranks measured, joined.
pub fn in_ranks<T: Send>(
    devices: &Devices,
    ranks: u32,
    work: impl Fn(&Device, &mut ThreadTransport) -> Vec<T> + Sync,
) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let started: Vec<_> = thread_group(ranks as usize)
            .into_iter()
            .enumerate()
            .map(|(rank, mut transport)| scope.spawn(move || work(devices.of_rank(rank), &mut transport)))
            .collect();
        started
            .into_iter()
            .flat_map(|rank| rank.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
