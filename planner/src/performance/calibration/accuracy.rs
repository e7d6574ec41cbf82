//! How far predictions miss measured runs that the fit has not seen.

use std::collections::BTreeMap;

use super::fit::{Lowered, fit};
use crate::performance::runs::Run;

/// Which runs are left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// None: the error of the fit itself.
    None,
    /// One of five parts of the runs at a time.
    Folds,
    /// One source at a time.
    Sources,
}

/// A run predicted by constants that were fitted without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// Logarithm of predicted over measured.
    pub error: f64,
}

/// Errors of all runs, in their order; `None` where nothing was measured that is predicted.
pub type Accuracy = Vec<Option<Predicted>>;

/// Predicts every run by constants that were fitted to the others.
#[must_use]
pub fn cross_validate(runs: &[Run], split: Split) -> Accuracy {
    let parts = parts(runs, split);
    let mut accuracy = vec![None; runs.len()];
    for rows in parts.values() {
        let fitted = fit(runs, |row| split == Split::None || !rows.contains(&row));
        for row in rows {
            accuracy[*row] = Lowered::new(&runs[*row]).and_then(|lowered| {
                let constants = fitted.constants(&runs[*row].training, &runs[*row].stack);
                lowered.error(&constants).ok().map(|error| Predicted { error })
            });
        }
    }
    accuracy
}

/// Rows by part.
fn parts(runs: &[Run], split: Split) -> BTreeMap<String, Vec<usize>> {
    let mut parts = BTreeMap::<String, Vec<usize>>::new();
    for (row, run) in runs.iter().enumerate() {
        let part = match split {
            Split::None => String::new(),
            Split::Folds => (fingerprint(&run.id) % 5).to_string(),
            Split::Sources => run.source.clone(),
        };
        parts.entry(part).or_default().push(row);
    }
    parts
}

/// FNV-1a of a text: the same fold on every machine.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
