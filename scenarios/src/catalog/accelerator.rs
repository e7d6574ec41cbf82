//! Data sheets of accelerators.

use serde::Deserialize;

use super::table;
use crate::precision::Precision;

/// Data sheet of an accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// Name.
    pub name: String,
    /// Maker.
    pub vendor: String,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Memory bandwidth in bytes per second.
    pub memory_bytes_per_second: f64,
    /// Peak rate in 32-bit floating point, FLOP/s, where known.
    pub fp32_flops: Option<f64>,
    /// Peak rate of matrix units with 32-bit values shortened to 10 bits of mantissa, dense, where known.
    pub tf32_flops: Option<f64>,
    /// Peak rate of matrix units in 16 bits, dense, where known.
    pub half_flops: Option<f64>,
    /// Peak rate of matrix units in 8-bit floating point, dense, where the device has them.
    pub fp8_flops: Option<f64>,
    /// Board power in watts, where known.
    pub watts: Option<f64>,
    /// Rate in bytes per second, in one direction, of one accelerator to the others of its machine: half of what the
    /// data sheet gives for NVLink and its like, else [`PCIE_BYTES_PER_SECOND`].
    pub peer_bytes_per_second: f64,
}

/// PCI Express 4.0, 16 lanes, one direction: the link of accelerators that have no other.
pub const PCIE_BYTES_PER_SECOND: f64 = 31e9;

/// How instances name an accelerator, which data sheet that is, and the share of it that one device is.
///
/// Instance types don't say whether an A100, H100, P100 or V100 is the SXM or the PCIe card; here stands the form that
/// most of them carry. A cloud's "K80" is one of the board's two GPUs.
const ALIASES: &[(&str, &str, f64)] = &[
    ("A100", "A100-SXM4-40GB", 1.0),
    ("A100-80GB", "A100-SXM4-80GB", 1.0),
    ("A6000", "RTX-A6000", 1.0),
    ("B200", "B200-SXM-180GB", 1.0),
    ("GH200", "GH200-96GB", 1.0),
    ("H100", "H100-SXM5-80GB", 1.0),
    ("H200", "H200-SXM-141GB", 1.0),
    ("K80", "K80 (board of 2 GPUs)", 0.5),
    ("P100", "P100-PCIe-16GB", 1.0),
    ("RTXPRO6000", "RTX-PRO-6000-Blackwell-Server", 1.0),
    ("Trainium", "Trainium1 (per chip)", 1.0),
    ("V100", "V100-SXM2-16GB", 1.0),
    ("V100-32GB", "V100-SXM2-32GB", 1.0),
];

impl Accelerator {
    /// Dense peak of matrix products in `precision`, FLOP/s; `None` where the data sheet doesn't say.
    ///
    /// A format that the device lacks runs at the rate of the next longer one. Four bits run twice as fast as
    /// eight on devices that have them (Blackwell), which their data sheets state.
    #[must_use]
    pub fn peak_flops(&self, precision: Precision) -> Option<f64> {
        let half = self.half_flops.or(self.fp32_flops);
        match precision {
            Precision::Fp32 => self.fp32_flops,
            Precision::Tf32 => self.tf32_flops.or(self.fp32_flops),
            Precision::Fp16 | Precision::Bf16 => half,
            Precision::Fp4 if self.has_fp4() => self.fp8_flops.map(|flops| 2.0 * flops),
            Precision::Fp8 | Precision::Fp4 => self.fp8_flops.or(half),
        }
    }

    fn has_fp4(&self) -> bool {
        ["B200", "B300", "GB200", "GB300", "RTX-PRO-6000", "RTX-5090", "MI355X"]
            .iter()
            .any(|name| self.name.starts_with(name))
    }
}

/// The name of the data sheet that a free-form name of published tables means, such as `A100-SXM-80GB`,
/// `H100 80GB HBM3` or `MI300X-192GB`: of all sheets whose model number the name holds, the one that shares most
/// of its other parts; of equals, one that is no PCIe card, then the first.
pub(super) fn resolve<'a>(name: &str, sheets: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let parts = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        split.map(|part| part.to_ascii_uppercase().trim_start_matches("NVIDIA").to_owned()).collect()
    };
    let wanted = parts(name);
    let mut best: Option<(usize, &str)> = None;
    for sheet in sheets {
        let own = parts(sheet);
        let model = own.iter().find(|part| part.contains(|c: char| c.is_ascii_digit()));
        if !model.is_some_and(|model| wanted.contains(model)) {
            continue;
        }
        let alike = |part: &&String| wanted.iter().any(|other| other == *part || form(other) == form(part));
        // A card for a PCIe slot is named as such.
        let slot = own.iter().any(|part| part == "PCIE") && !wanted.iter().any(|part| part == "PCIE");
        let score = 10 * own.iter().filter(alike).count() + 9 - own.len().min(7) - 2 * usize::from(slot);
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, sheet));
        }
    }
    best.map(|(_, sheet)| sheet)
}

/// `SXM2` to `SXM5` are one form.
fn form(part: &str) -> &str {
    if part.starts_with("SXM") { "SXM" } else { part }
}

#[derive(Deserialize)]
struct Row {
    accelerator: String,
    vendor: String,
    mem_gib: f64,
    mem_bw_gbps: f64,
    fp32_tflops: Option<f64>,
    tf32_tflops: Option<f64>,
    fp16_bf16_dense_tflops: Option<f64>,
    fp8_dense_tflops: Option<f64>,
    nvlink_gbps_total: Option<f64>,
    tdp_w: Option<f64>,
}

/// Reads all data sheets and adds the names that instances use, sorted by the name to find each by.
pub(super) fn load() -> Vec<(String, Accelerator)> {
    let sheets: Vec<Accelerator> = table::ACCELERATORS.rows().map(sheet).collect();
    let aliases = ALIASES.iter().map(|(alias, name, share)| {
        let sheet = sheets.iter().find(|sheet| sheet.name == *name).expect("aliases name data sheets");
        ((*alias).to_owned(), part(sheet, alias, *share))
    });
    let mut named: Vec<_> = aliases.chain(sheets.iter().map(|sheet| (sheet.name.clone(), sheet.clone()))).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

fn sheet(row: Row) -> Accelerator {
    Accelerator {
        name: row.accelerator,
        vendor: row.vendor,
        memory_bytes: (row.mem_gib * 1_073_741_824.0) as u64,
        memory_bytes_per_second: row.mem_bw_gbps * 1e9,
        fp32_flops: row.fp32_tflops.map(tera),
        tf32_flops: row.tf32_tflops.map(tera),
        half_flops: row.fp16_bf16_dense_tflops.map(tera),
        fp8_flops: row.fp8_dense_tflops.map(tera),
        watts: row.tdp_w,
        peer_bytes_per_second: match row.nvlink_gbps_total {
            Some(both_directions) if both_directions > 0.0 => both_directions / 2.0 * 1e9,
            _ => PCIE_BYTES_PER_SECOND,
        },
    }
}

fn tera(tflops: f64) -> f64 {
    tflops * 1e12
}

/// One of the devices of a board.
fn part(board: &Accelerator, alias: &str, share: f64) -> Accelerator {
    if share >= 1.0 {
        return board.clone();
    }
    Accelerator {
        name: alias.to_owned(),
        memory_bytes: (board.memory_bytes as f64 * share) as u64,
        memory_bytes_per_second: board.memory_bytes_per_second * share,
        fp32_flops: board.fp32_flops.map(|flops| flops * share),
        tf32_flops: board.tf32_flops.map(|flops| flops * share),
        half_flops: board.half_flops.map(|flops| flops * share),
        fp8_flops: board.fp8_flops.map(|flops| flops * share),
        watts: board.watts.map(|watts| watts * share),
        ..board.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Catalog;

    #[test]
    fn names_of_instances_find_their_data_sheet() {
        let check = |name: &str, sheet: &str, gib: u64, tflops: Option<f64>| {
            let found = Catalog::bundled().accelerator(name).unwrap_or_else(|| panic!("{name} is not known"));
            let found_tflops = found.fp32_flops.map(|flops| flops / 1e12);
            assert_eq!((found.name.as_str(), found.memory_bytes >> 30, found_tflops), (sheet, gib, tflops), "{name}");
        };
        check("T4", "T4", 16, Some(8.1));
        check("A10G", "A10G", 24, Some(31.2));
        check("V100", "V100-SXM2-16GB", 16, Some(15.7));
        check("A100", "A100-SXM4-40GB", 40, Some(19.5));
        check("A100-PCIe-80GB", "A100-PCIe-80GB", 80, Some(19.5));
        check("H100", "H100-SXM5-80GB", 80, Some(67.0));
        check("K80", "K80", 12, Some(4.37));
        check("L4", "L4", 24, None);
        assert_eq!(Catalog::bundled().accelerator("Voodoo2"), None);
    }

    #[test]
    fn names_of_published_tables_find_their_data_sheet() {
        let check = |name: &str, sheet: Option<&str>| {
            let found = Catalog::bundled().find_accelerator(name).map(|found| found.name.as_str());
            assert_eq!(found, sheet, "{name}");
        };
        check("A100", Some("A100-SXM4-40GB"));
        check("A100-SXM-80GB", Some("A100-SXM4-80GB"));
        check("A100-SXM-40GB", Some("A100-SXM4-40GB"));
        check("A100-PCIe-40GB", Some("A100-PCIe-40GB"));
        check("A100-80GB", Some("A100-SXM4-80GB"));
        check("H100-80GB", Some("H100-SXM5-80GB"));
        check("NVIDIA H100 80GB HBM3", Some("H100-SXM5-80GB"));
        check("H100-96GB-HBM2e-500W", Some("H100-96GB-HBM2e-500W (Meta)"));
        check("V100-32GB", Some("V100-SXM2-32GB"));
        check("V100", Some("V100-SXM2-16GB"));
        check("MI300X-192GB", Some("MI300X"));
        check("Quadro-RTX-8000", Some("Quadro-RTX-8000"));
        check("GB300", Some("GB300"));
        check("L40S", Some("L40S"));
        check("RTX-PRO-6000-Blackwell-Server", Some("RTX-PRO-6000-Blackwell-Server"));
        check("Voodoo2", None);
        check("", None);
    }

    #[test]
    fn every_gpu_of_an_instance_has_a_data_sheet_or_is_known_to_have_none() {
        let catalog = Catalog::bundled();
        let unknown: BTreeSet<&str> = catalog
            .instances()
            .iter()
            .filter_map(|instance| instance.accelerator.as_deref())
            .filter(|name| !name.starts_with("tpu-") && catalog.accelerator(name).is_none())
            .collect();
        let expected = [
            "A800-40GB",
            "H-96GB",
            "H-e-141GB",
            "Inferentia",
            "Inferentia2",
            "L20N-72GB",
            "M60",
            "MI25",
            "P4",
            "Qualcomm-AI100",
            "RTX6000",
            "Radeon-Pro-V520",
        ];
        assert_eq!(unknown, BTreeSet::from(expected));
    }
}
