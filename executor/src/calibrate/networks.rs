//! Networks whose pieces are measured: a fixed grid, apart from all networks that anyone predicts.

use scenarios::model::Model;
use serde::Deserialize;

/// A network, and how many records it is given at once.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Records of a pass.
    pub records: usize,
    /// The network.
    pub model: Model,
    /// Ranks of the tensor group that one is measured of.
    #[serde(default = "alone")]
    pub tensor: u32,
}

const fn alone() -> u32 {
    1
}

/// All of them. Between them they have every kind of piece at sizes that lie apart.
///
/// # Panics
/// Never: a test reads the list.
#[must_use]
pub fn all() -> Vec<Measured> {
    serde_json::from_str(include_str!("networks.json")).expect("the list is valid")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use scenarios::model::PRESETS;
    use scenarios::model::pieces::pieces;

    use super::*;

    #[test]
    fn kinds_are_met_at_several_sizes_and_in_no_preset() {
        let mut sizes: BTreeMap<_, usize> = BTreeMap::new();
        for Measured { model, tensor, .. } in all() {
            assert!(PRESETS.iter().all(|preset| preset.model() != model), "{model:?} has a name");
            let pieces = pieces(&model, tensor).expect("it is valid");
            for operation in pieces.list.iter().filter_map(|piece| piece.operation).chain([pieces.loss]) {
                *sizes.entry((operation.kind, tensor > 1)).or_default() += 1;
            }
        }
        // The losses of one number differ in the records alone.
        assert!(sizes.values().all(|count| *count >= 2), "{sizes:?}");
    }
}
