//! Prepared records as a file (CBOR), for workloads that read what another one has prepared.

use std::path::Path;

use scenarios::document;
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::needs::Needs;
use super::prepare::Prepared;
use super::records::{Columns, Records, Truth};
use super::source::{DataError, Found};

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What the records were to be.
    needs: Needs,
    codes: Codes,
    train: Records,
    test: Records,
}

/// Figures of prepared records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Records for training.
    pub train_records: usize,
    /// Records for the test.
    pub test_records: usize,
    /// Broken records, and those of classes that no network knows, which were left out.
    pub dropped_malformed: u64,
    /// Repeated records, which were left out.
    pub dropped_duplicates: u64,
    /// Names of the classes, where they have names.
    pub classes: Vec<String>,
    /// Training records of each class.
    pub records_of_classes: Vec<u64>,
    /// Mean of the training records' numbers, or of their pixels as shares of white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Their standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// Tokens of the training texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
}

/// The bytes of a file with prepared records.
///
/// # Errors
/// They cannot be put into the format.
pub fn encode(prepared: &Prepared, codes: &Codes, needs: &Needs) -> Result<Vec<u8>, DataError> {
    let (train, test) = (prepared.train.as_ref().clone(), prepared.test.clone());
    let kept = Kept { needs: needs.clone(), codes: codes.clone(), train, test };
    let mut bytes = Vec::new();
    ciborium::into_writer(&kept, &mut bytes).map_err(|error| DataError::Kept { reason: error.to_string() })?;
    Ok(bytes)
}

/// Reads prepared records for a network.
///
/// # Errors
/// There is no such file, it is damaged, or its records were prepared for another network.
pub fn read(path: &Path, needs: &Needs) -> Result<Found, DataError> {
    let fail = |reason: String| DataError::Kept { reason: format!("`{}`: {reason}", path.display()) };
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let kept: Kept = ciborium::from_reader(&bytes[..]).map_err(|error| fail(error.to_string()))?;
    if kept.needs != *needs {
        return Err(fail("its records were prepared for a network that reads something else".to_owned()));
    }
    let Kept { codes, train, test, .. } = kept;
    let source = format!("prepared records in {}", path.display());
    Ok(Found { train, test, codes, broken: 0, source, digest: document::sha256(&bytes) })
}

impl Statistics {
    /// Figures of records.
    #[must_use]
    pub fn of(prepared: &Prepared, codes: &Codes, broken: u64) -> Self {
        let mut records_of_classes = Vec::new();
        if let Truth::Classes(classes) = &prepared.train.truth {
            for &class in classes {
                records_of_classes.resize(records_of_classes.len().max(class as usize + 1), 0);
                records_of_classes[class as usize] += 1;
            }
        }
        let (mut numbers, mut tokens) = (None, None);
        match &prepared.train.columns {
            Columns::Images(images) => {
                numbers = spread(images.pixels.iter().map(|&pixel| f64::from(pixel) / 255.0));
            }
            Columns::Numbers { values, .. } | Columns::Clicks { values, .. } => {
                numbers = spread(values.iter().copied().map(f64::from));
            }
            Columns::Stream(stream) => tokens = Some(stream.tokens.len()),
            Columns::Documents(documents) => tokens = Some(documents.tokens.len()),
            Columns::Pairs(_) => {}
        }
        Self {
            train_records: prepared.train.len(),
            test_records: prepared.test.len(),
            dropped_malformed: prepared.dropped_malformed + broken,
            dropped_duplicates: prepared.dropped_duplicates,
            classes: codes.classes.clone(),
            records_of_classes,
            mean: numbers.map(|[mean, _]| mean),
            deviation: numbers.map(|[_, deviation]| deviation),
            tokens,
        }
    }
}

/// Mean and standard deviation; none without values.
fn spread(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let start = (0.0, 0.0, 0.0);
    let (count, sum, squares) =
        values.fold(start, |(count, sum, squares), value| (count + 1.0, sum + value, squares + value * value));
    let mean = sum / count;
    (count > 0.0).then(|| [mean, (squares / count - mean * mean).max(0.0).sqrt()])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scenarios::model::TensorShape;
    use scenarios::scenario::Split;

    use super::super::prepare::prepare;
    use super::super::records::{Documents, Layout, Stream};
    use super::*;

    #[test]
    fn records_of_every_kind_come_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("records");
        let needs = Needs::Numbers { shape: TensorShape::Vector(2), outputs: 2 };
        let layout = Layout { sequence: 4, vocabulary: 9, padding: 0, first: None, last: Some(3), mask: None };
        let kinds = [
            (Records::grey(1, 2, vec![1, 2, 3, 4], &[0, 1]).columns, Truth::Classes(vec![0, 1])),
            (
                Columns::Numbers { width: 1, values: vec![1.5, 2.5] },
                Truth::Numbers { width: 1, values: vec![0.1, 0.2] },
            ),
            (Columns::Stream(Stream { sequence: 2, tokens: Arc::new((0..9).collect()), starts: None }), Truth::Next),
            (Columns::Documents(Documents { layout, ends: vec![1, 3], tokens: vec![5, 6, 7] }), Truth::Masked),
            (Columns::Pairs(vec![[1, 2], [3, 4]]), Truth::Boxes(vec![vec![(1, [0.5; 4])], vec![]])),
            (Columns::Clicks { numbers: 1, lookups: 1, values: vec![1.0, 2.0], rows: vec![3, 4] }, Truth::Unknown),
        ];
        for (columns, truth) in kinds {
            let records = Records { columns, truth };
            let prepared = prepare(&records, &records, (usize::MAX, &[]), Split::default(), 1);
            let codes = Codes { classes: vec!["a".to_owned()], ..Codes::default() };
            std::fs::write(&path, encode(&prepared, &codes, &needs).expect("it is sound")).expect("it can be written");
            let found = read(&path, &needs).expect("it was written");
            assert_eq!((&found.train, found.test, found.codes), (&*prepared.train, prepared.test, codes));
        }
        let other = Needs::Pairs { users: 1, items: 1 };
        let error = read(&path, &other).expect_err("it is for another network").to_string();
        assert!(error.ends_with("for a network that reads something else"), "{error}");
    }

    #[test]
    fn figures_are_those_of_the_records() {
        let records = Records::grey(1, 1, vec![0, 255, 255, 0], &[2, 0, 2, 1]);
        let prepared = prepare(&records, &records, (3, &[]), Split::default(), 1);
        let found = Statistics::of(&prepared, &Codes::default(), 2);
        assert_eq!((found.records_of_classes, found.dropped_malformed), (vec![1, 1, 2], 2));
        assert_eq!((found.mean, found.deviation, found.tokens), (Some(0.5), Some(0.5), None));
    }
}
