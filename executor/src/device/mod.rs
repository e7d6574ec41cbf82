//! Devices that can train, and the choice between them.

mod host;
pub mod memory;
mod reference;

pub use host::host;
pub use reference::Reference;

use std::time::{Duration, Instant};

use burn::tensor::Device;
use scenarios::machine::{self, DeviceKind};

/// What the user asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// GPUs where there are any, else the processor.
    #[default]
    Auto,
    /// GPUs only.
    Gpu,
    /// The processor.
    Cpu,
}

/// Devices of one kind in this machine.
#[derive(Debug, Clone)]
pub struct Devices {
    /// What they are.
    pub description: machine::Device,
    /// Handles, one a device. Ranks take them in turn.
    pub handles: Vec<Device>,
}

/// Why there is no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// A GPU was asked for.
    #[error("no GPU: {}", match software { Some(name) => format!("the only Vulkan adapter, `{name}`, is a software driver"), None => "no adapter was found through Vulkan, Metal or DirectX 12".to_owned() })]
    NoGpu {
        /// Name of a software driver that is there.
        software: Option<String>,
    },
    /// This build has no GPU support.
    #[error("no GPU: this build of the executor has no GPU support")]
    NotBuilt,
}

/// Waits until a device has done everything.
pub fn wait(device: &Device) {
    // A device that fails here fails in the next operation too, which reports it.
    let _ = device.sync();
}

/// Time of work from when everything before it is done until a device has done it itself.
pub fn waited<T>(device: &Device, work: impl FnOnce() -> T) -> Duration {
    wait(device);
    let started = Instant::now();
    work();
    wait(device);
    started.elapsed()
}

impl Devices {
    /// The devices that `choice` gives.
    ///
    /// # Errors
    /// A GPU is asked for and there is none.
    pub fn select(choice: Choice) -> Result<Self, DeviceError> {
        match choice {
            Choice::Cpu => Ok(Self::cpu()),
            Choice::Gpu => Self::gpus(),
            Choice::Auto => Ok(Self::gpus().unwrap_or_else(|_| Self::cpu())),
        }
    }

    /// The processor. burn's CPU back end computes each rank on one core.
    #[must_use]
    pub fn cpu() -> Self {
        let host = host();
        let description = machine::Device {
            kind: DeviceKind::Cpu,
            name: host.cpu,
            backend: "flex".to_owned(),
            count: 1,
            memory_bytes: host.memory_bytes,
        };
        Self { description, handles: vec![Device::flex()] }
    }

    /// The hardware GPUs.
    #[cfg(feature = "gpu")]
    fn gpus() -> Result<Self, DeviceError> {
        let (handles, software) = adapters();
        let Some(first) = handles.first() else {
            return Err(DeviceError::NoGpu { software: software.as_ref().map(name) });
        };
        let name = name(first);
        let description = machine::Device {
            kind: DeviceKind::Gpu,
            backend: "wgpu".to_owned(),
            count: handles.len() as u32,
            memory_bytes: memory_of(&name),
            name,
        };
        Ok(Self { description, handles: handles.clone() })
    }

    #[cfg(not(feature = "gpu"))]
    fn gpus() -> Result<Self, DeviceError> {
        Err(DeviceError::NotBuilt)
    }

    /// Everything that can be found, GPUs first. A software driver comes last, and is never chosen.
    #[must_use]
    pub fn list() -> Vec<Listed> {
        let selected = Self::gpus().into_iter().chain([Self::cpu()]).enumerate();
        let mut listed: Vec<_> = selected
            .map(|(at, devices)| Listed { description: devices.description, chosen: at == 0, note: "" })
            .collect();
        listed.extend(software_driver());
        listed
    }

    /// The device of a rank.
    #[must_use]
    pub fn of_rank(&self, rank: usize) -> &Device {
        &self.handles[rank % self.handles.len()]
    }
}

/// A device as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What it is.
    pub description: machine::Device,
    /// Whether `--device auto` takes it.
    pub chosen: bool,
    /// What there is to say about it.
    pub note: &'static str,
}

/// Hardware adapters, and the software one if there is any. They are looked for once.
#[cfg(feature = "gpu")]
fn adapters() -> &'static (Vec<Device>, Option<Device>) {
    static ADAPTERS: std::sync::LazyLock<(Vec<Device>, Option<Device>)> = std::sync::LazyLock::new(|| {
        let software = Device::wgpu(burn::tensor::DeviceKind::Cpu);
        let found = Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec();
        let (rasterizers, hardware): (Vec<_>, Vec<_>) = found.into_iter().partition(|device| *device == software);
        (hardware, rasterizers.into_iter().next())
    });
    &ADAPTERS
}

#[cfg(feature = "gpu")]
fn name(device: &Device) -> String {
    device.identity().map_or_else(|| "unnamed adapter".to_owned(), |identity| identity.name)
}

/// Memory by the data sheet of the accelerator whose name is in `name`: graphics interfaces do not
/// tell it. 0 for an accelerator that the catalogue does not know.
#[cfg(feature = "gpu")]
fn memory_of(name: &str) -> u64 {
    let catalog = scenarios::catalog::Catalog::bundled();
    let known = name.split(|c: char| !(c.is_alphanumeric() || c == '-')).find_map(|word| catalog.accelerator(word));
    known.map_or(0, |accelerator| accelerator.memory_bytes)
}

#[cfg(feature = "gpu")]
fn software_driver() -> Option<Listed> {
    let device = adapters().1.as_ref()?;
    let description = machine::Device {
        kind: DeviceKind::Cpu,
        name: name(device),
        backend: "wgpu".to_owned(),
        count: 1,
        memory_bytes: host().memory_bytes,
    };
    Some(Listed { description, chosen: false, note: "software driver: for tests of the GPU path only" })
}

#[cfg(not(feature = "gpu"))]
fn software_driver() -> Option<Listed> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there_and_a_software_driver_is_no_gpu() {
        let listed = Devices::list();
        assert_eq!(listed.iter().filter(|device| device.chosen).count(), 1);
        assert!(listed.iter().any(|device| device.description.backend == "flex"));
        assert!(listed.iter().all(|device| device.note.is_empty() || !device.chosen));
        match Devices::select(Choice::Gpu) {
            Ok(devices) => assert_eq!(devices.description.kind, DeviceKind::Gpu),
            Err(error) => assert!(error.to_string().starts_with("no GPU: ")),
        }
    }
}
