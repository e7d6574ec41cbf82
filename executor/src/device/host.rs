//! The computer that this process runs on.

use scenarios::machine::Host;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Operating system, processor, cores that the process may use, and memory.
#[must_use]
pub fn host() -> Host {
    let wanted =
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted);
    let unknown = || "unknown".to_owned();
    Host {
        os: System::long_os_version().unwrap_or_else(unknown),
        cpu: system.cpus().first().map_or_else(unknown, |cpu| cpu.brand().trim().to_owned()),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
        memory_bytes: system.total_memory(),
    }
}
