//! Data sheets of accelerators.

use serde::Deserialize;

use super::table;

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

#[derive(Deserialize)]
struct Row {
    accelerator: String,
    vendor: String,
    mem_gib: f64,
    mem_bw_gbps: f64,
    fp32_tflops: Option<f64>,
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
        fp32_flops: row.fp32_tflops.map(|tflops| tflops * 1e12),
        watts: row.tdp_w,
        peer_bytes_per_second: match row.nvlink_gbps_total {
            Some(both_directions) if both_directions > 0.0 => both_directions / 2.0 * 1e9,
            _ => PCIE_BYTES_PER_SECOND,
        },
    }
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
