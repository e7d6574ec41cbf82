//! Predictions that are shared are those that would be made anew.

use super::super::enumerate::Common;
use super::super::listing::Listing;
use super::super::{Network, World};
use super::{loaded, words};
use crate::clock::Clock;
use scenarios::catalog::Catalog;

#[test]
fn cached_predictions_are_those_made_anew() {
    let loaded = loaded(
        "
sites:
  a: { kind: public, provider: aws, region: eu-central-1, pools: { v100: { machine: { instance: p3.16xlarge }, nodes: 4 }, t4: { machine: { instance: g4dn.12xlarge }, nodes: 2 } } }
  b: { kind: public, provider: aws, region: us-east-1, pools: { v100: { machine: { instance: p3.16xlarge }, nodes: 2 }, v: { machine: { instance: p3.8xlarge }, nodes: 4 } } }
datasets:
  d: { class: public, at: [a, b], size: 10 GB, records: 100000 }
workloads:
  w: { job: { train: { model: { preset: bert-large }, data: d, epochs: 1, global_batch: 256, precision: fp16, optimizer: { adam: { learning_rate: 0.001 } } } } }
  v: { job: { train: { model: { preset: bert-large }, data: d, epochs: 1, global_batch: 64, precision: fp16, optimizer: { adam: { learning_rate: 0.001 } } } } }
  u: { job: { batch_inference: { model: { preset: resnet50 }, data: d } } }
",
    );
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let network = Network::new(world);
    let list = |forgetful: bool| {
        let mut common = Common::new(&world, &network);
        common.predictor.forgetful = forgetful;
        let mut all = Vec::new();
        for (name, workload) in &loaded.scenario.workloads {
            let mut listing = Listing::new(&mut common, name, workload, None);
            listing.all(Clock::new(60.0)).expect("in time");
            let shown = |column| format!("{} {:?}", words(&loaded, column), column.prediction);
            all.extend(listing.found.columns.iter().map(shown));
        }
        all
    };
    let (cached, anew) = (list(false), list(true));
    assert!(cached.len() > 10);
    assert_eq!(cached, anew);
}
