//! IDX files under the names of MNIST.

use super::Sides;
use crate::data::idx;
use crate::data::reading::{ReadError, Reading};

/// Images and labels for training, then for the test.
pub(in crate::data) const NAMES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Reads the four files, or those that the data set names: images, then labels, of each side.
pub(super) fn read(reading: &mut Reading<'_>) -> Result<Sides, ReadError> {
    let given = |names: &[String], usual: [&str; 2]| match names {
        [images, labels] => [images.clone(), labels.clone()],
        _ => usual.map(str::to_owned),
    };
    let names = [given(&reading.files.train, [NAMES[0], NAMES[1]]), given(&reading.files.test, [NAMES[2], NAMES[3]])];
    let mut sides = Vec::new();
    for [images, labels] in names {
        sides.push(idx::of(&reading.required(&images)?, &reading.required(&labels)?)?);
    }
    let sides: [_; 2] = sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    for records in &sides {
        (0..records.len()).for_each(|_| reading.good());
    }
    Ok(Sides::plain(sides))
}
