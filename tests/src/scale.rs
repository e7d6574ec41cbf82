//! Scenarios of any size over the catalogue's regions and accelerator types.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scenarios::catalog::Catalog;

/// Size of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Trainings, evaluations of what they make, and successors.
    pub workloads: usize,
    /// Regions; those that hold data come first.
    pub sites: usize,
    /// Length of the planning period.
    pub days: u32,
}

/// Provider, region, and instance types with whether they can be had on spot.
type Region<'a> = (&'a str, &'a str, Vec<(&'a str, bool)>);

/// Data sets: name, class, site, size, records.
const DATA: [(&str, &str, &str, &str, u32); 4] = [
    ("photos", "public", "aws-us-east-1", "150 GB", 1_280_000),
    ("scans", "health", "aws-eu-central-1", "60 GB", 400_000),
    ("forms", "public", "azure-westeurope", "5 GB", 900_000),
    ("parts", "internal", "gcp-us-central1", "20 GB", 250_000),
];

const MODELS: [&str; 8] =
    ["resnet50", "bert-large", "gpt2", "gpt3-13b", "llama-7b", "resnet18", "bert-base", "gpt2-medium"];

const POLICIES: &str = "policies:
  health-in-the-eea: { effect: allow, classes: [health], forms: [raw], places: [eea] }
  internal-anywhere: { effect: allow, classes: [internal], forms: [raw], places: [anywhere] }
  not-in-mainland-china: { effect: deny, classes: [internal, health], forms: [raw], places: [cn-mainland] }
";

impl Scale {
    /// The scenario: every accelerator type that the regions sell, on demand and spot where they do, 4 to 8 nodes of
    /// each; one of four data sets for each workload, one confined to the EEA; deadlines, dependencies.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("format: causeway.scenario/1\nname: scale\nhorizon: {} d\nsites:\n", self.days);
        text.push_str(&self.sites());
        text.push_str("datasets:\n");
        for (name, class, at, size, records) in DATA {
            let _ = writeln!(text, "  {name}: {{ class: {class}, at: [{at}], size: {size}, records: {records} }}");
        }
        text.push_str(POLICIES);
        text.push_str("workloads:\n");
        (0..self.workloads).for_each(|index| self.workload(index, &mut text));
        text
    }

    fn workload(&self, index: usize, text: &mut String) {
        let data = DATA[index % 4].0;
        if index % 5 == 4 {
            let trained = index - 1;
            let _ = writeln!(
                text,
                "  w{index}: {{ job: {{ evaluate: {{ weights_of: w{trained}, data: {data}, records: 50000, batch: 64 }} }} }}"
            );
            return;
        }
        let samples = [2_000_000, 500_000, 1_000_000, 100_000][index % 4] * (1 + index % 3);
        let after = if index % 7 == 3 { format!(", after: [w{}]", index - 2) } else { String::new() };
        let deadline =
            if index.is_multiple_of(3) { format!(", deadline: {} h", self.days * 15) } else { String::new() };
        let _ = writeln!(
            text,
            "  w{index}: {{ job: {{ train: {{ model: {{ preset: {} }}, data: {data}, samples: {samples}, global_batch: 256, \
             precision: bf16, optimizer: {{ adam: {{ learning_rate: 0.001 }} }} }} }}{after}{deadline} }}",
            MODELS[index % MODELS.len()]
        );
    }

    fn sites(&self) -> String {
        let mut pools: BTreeMap<(bool, String), Region<'_>> = BTreeMap::new();
        for instance in Catalog::bundled().instances() {
            if instance.accelerator.is_some() && instance.on_demand_usd_per_hour.is_some() {
                let name = format!("{}-{}", instance.provider, instance.region);
                let holds_data = DATA.iter().any(|(_, _, at, _, _)| *at == name);
                let site = pools.entry((!holds_data, name)).or_insert((&instance.provider, &instance.region, vec![]));
                site.2.push((&instance.instance_type, instance.spot_usd_per_hour.is_some()));
            }
        }
        let mut text = String::new();
        for ((_, name), (provider, region, types)) in pools.into_iter().take(self.sites.max(DATA.len())) {
            let _ = writeln!(
                text,
                "  {name}:\n    kind: public\n    provider: {provider}\n    region: {region}\n    pools:"
            );
            for (index, (kind, spot)) in types.into_iter().enumerate() {
                let spot = if spot { ", spot: { interruptions: 0.2 /d }" } else { "" };
                let nodes = 4 + index % 5;
                let _ = writeln!(
                    text,
                    "      p{index}: {{ machine: {{ instance: \"{kind}\" }}, nodes: {nodes}, purchase: {{ on_demand: {{}}{spot} }} }}"
                );
            }
        }
        text
    }
}
