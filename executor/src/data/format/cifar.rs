//! The binary form of CIFAR: label bytes, then a plane of pixels for each colour.

use super::Sides;
use crate::data::reading::{ReadError, Reading, Side};
use crate::data::records::{Columns, Images, Records, Truth};
use crate::data::store::Stored;

const SIDE: usize = 32;
const CHANNELS: usize = 3;
const PIXELS: usize = CHANNELS * SIDE * SIDE;

/// One of the two data sets (Krizhevsky, 2009).
pub(super) struct Cifar {
    /// Bytes before the pixels; the last of them is the class.
    labels: usize,
    classes: u8,
    /// Usual names of the training files.
    pub train: &'static [&'static str],
    test: &'static [&'static str],
}

/// Ten classes.
pub(super) const CIFAR_10: Cifar = Cifar {
    labels: 1,
    classes: 10,
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: &["test_batch.bin"],
};

/// A hundred classes; each record has its coarse class before the fine one.
pub(super) const CIFAR_100: Cifar = Cifar { labels: 2, classes: 100, train: &["train.bin"], test: &["test.bin"] };

pub(super) fn read(reading: &mut Reading<'_>, cifar: &Cifar) -> Result<Sides, ReadError> {
    let mut sides = Vec::new();
    for (side, usual) in [(Side::Train, cifar.train), (Side::Test, cifar.test)] {
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        for stored in reading.side(side, usual, false)? {
            append(reading, cifar, &stored, &mut pixels, &mut classes);
        }
        sides.push(Records { columns: Columns::Images(images_of(pixels)), truth: Truth::Classes(classes) });
    }
    Ok(Sides::plain(sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"))))
}

/// The images of a file; their classes are left out.
pub(super) fn images(reading: &mut Reading<'_>, cifar: &Cifar, stored: &Stored) -> Images {
    let mut pixels = Vec::new();
    append(reading, cifar, stored, &mut pixels, &mut Vec::new());
    images_of(pixels)
}

const fn images_of(pixels: Vec<u8>) -> Images {
    Images { channels: CHANNELS, height: SIDE, width: SIDE, pixels }
}

fn append(reading: &mut Reading<'_>, cifar: &Cifar, stored: &Stored, pixels: &mut Vec<u8>, classes: &mut Vec<u32>) {
    let size = cifar.labels + PIXELS;
    for (record, number) in stored.bytes.chunks(size).zip(1..) {
        let checked = match record.get(cifar.labels - 1) {
            _ if record.len() < size => Err(format!("it has {} of {size} bytes", record.len())),
            Some(&class) if class < cifar.classes => Ok(class),
            class => Err(format!("its class is {}, not below {}", class.unwrap_or(&0), cifar.classes)),
        };
        if let Some(class) = reading.record(stored, number, checked) {
            classes.push(u32::from(class));
            pixels.extend_from_slice(&record[cifar.labels..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{FileFormat, Files};

    use super::super::testing::{Folder, shared};
    use super::*;
    use crate::data::needs::Needs;

    fn needs() -> Needs {
        Needs::of(&scenarios::model::Model::Preset("resnet20".to_owned())).expect("it is a preset")
    }

    fn record(labels: &[u8], pixel: u8) -> Vec<u8> {
        [labels, &[pixel; PIXELS]].concat()
    }

    #[test]
    fn records_of_both_data_sets_are_read_in_order() {
        let folder = Folder::new();
        folder.write("data_batch_1.bin", &[record(&[3], 1), record(&[9], 2)].concat());
        folder.write("data_batch_3.bin", &record(&[0], 3));
        folder.write("train.bin", &record(&[4, 77], 5));
        let read = |format| folder.read(&Files::new(format, "."), &needs()).expect("sound files");
        let ten = read(FileFormat::Cifar10);
        assert_eq!((ten.train.truth, ten.test.len()), (Truth::Classes(vec![3, 9, 0]), 0));
        let Columns::Images(images) = ten.train.columns else { unreachable!("they are images") };
        assert_eq!([images.image(0)[0], images.image(1)[3071], images.image(2)[7]], [1, 2, 3]);
        assert_eq!(read(FileFormat::Cifar100).train.truth, Truth::Classes(vec![77]));
    }

    #[test]
    fn broken_records_are_skipped_up_to_a_limit() {
        let folder = Folder::new();
        folder.write("data_batch_1.bin", &[record(&[3], 1), record(&[10], 2), record(&[4], 3)].concat());
        let files = Files::new(FileFormat::Cifar10, ".");
        let sides = folder.read(&files, &needs()).expect("one may be broken");
        assert_eq!(sides.train.truth, Truth::Classes(vec![3, 4]));
        let none = Files { max_broken: 0.0, ..files.clone() };
        folder.check_error(
            &none,
            &needs(),
            "1 of 3 records are broken, more than the 0 allowed; the first is record 2 of `data_batch_1.bin`: its class is 10, not below 10",
        );
        folder.write("data_batch_1.bin", &record(&[3], 1)[..9]);
        folder.write("data_batch_2.bin", b"");
        folder.check_error(
            &none,
            &needs(),
            "1 of 1 records are broken, more than the 0 allowed; the first is record 1 of `data_batch_1.bin`: it has 9 of 3073 bytes",
        );
        let missing = Files { train: vec!["other.bin".to_owned()], ..files };
        folder.check_error(&missing, &needs(), "there is no file `other.bin`");
    }

    #[test]
    fn the_shared_subset_has_as_many_images_of_each_class() {
        let Some(folder) = shared("cifar10_subset") else { return };
        let files = Files {
            train: vec!["train_5000.bin.gz".to_owned()],
            test: vec!["test_1000.bin".to_owned()],
            ..Files::new(FileFormat::Cifar10, ".")
        };
        let sides = folder.read(&files, &needs()).expect("it is sound");
        for (records, count) in [(sides.train, 500), (sides.test, 100)] {
            let Truth::Classes(classes) = records.truth else { unreachable!("they have classes") };
            assert!((0..10).all(|class| classes.iter().filter(|&&found| found == class).count() == count));
        }
    }
}
