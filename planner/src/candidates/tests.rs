//! Placements of small scenarios.

mod whole_catalog;

use scenarios::catalog::Catalog;
use scenarios::scenario::{Loaded, load};

use super::{Candidates, Held, Network, WorkloadCandidates, World, enumerate};

/// Reads a scenario that is written here.
pub(super) fn loaded(text: &str) -> Loaded {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("scenario.yaml");
    std::fs::write(&path, format!("format: causeway.scenario/1\nname: test\n{text}")).expect("it can be written");
    match load(&path, None, Catalog::bundled()) {
        Ok(loaded) => loaded,
        Err(scenarios::scenario::LoadError::Invalid { name, text, problems }) => {
            panic!("{}", scenarios::diagnostics::render(&name, &text, &problems))
        }
        Err(error) => panic!("{error}"),
    }
}

/// All placements of a scenario.
pub(super) fn candidates(loaded: &Loaded) -> Candidates {
    let world = World { loaded, catalog: Catalog::bundled() };
    let network = Network::new(world);
    enumerate(&world, &network, &Held::new())
}

/// What the placements of the workload `w` are, in words.
fn described(text: &str) -> Vec<String> {
    let loaded = loaded(text);
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let found = candidates(&loaded);
    let workload: &WorkloadCandidates = &found.workloads[0];
    let column = |column: &super::Column| {
        let group = column.first();
        format!("{} {} × {}: {}", group.purchase, group.layout.nodes, world.machine_name(group.place), column.strategy)
    };
    workload.columns.iter().map(column).collect()
}

const AWS: &str = "
sites:
  cloud:
    kind: public
    provider: aws
    region: eu-central-1
    pools:
      a100: { machine: { instance: p4d.24xlarge }, nodes: 4 }
datasets:
  d: { class: public, at: [cloud], size: 100 GB, records: 1000000 }
";

#[test]
fn shown() {
    for line in described(&format!("{AWS}
workloads:
  w:
    job:
      train: {{ model: {{ preset: gpt3-13b }}, data: d, epochs: 1, global_batch: 512, precision: bf16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }}
")) {
        eprintln!("{line}");
    }
}
