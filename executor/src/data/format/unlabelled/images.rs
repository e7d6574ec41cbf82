//! Pictures, and files of many images.

use std::path::Path;

use scenarios::model::TensorShape;
use scenarios::scenario::FileFormat;

use super::super::cifar::{self, CIFAR_10, CIFAR_100};
use super::super::picture;
use super::{Batches, Manner, Row, load};
use crate::data::idx;
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, form};
use crate::data::records::{Columns, Images};
use crate::data::store::Stored;

/// Whether a file holds images and no rows of numbers.
pub(super) fn is_image(manner: Manner<'_>, stored: &Stored) -> bool {
    let is_shape = matches!(manner.needs, Needs::Numbers { shape: TensorShape::Image { .. }, .. });
    is_shape || stored.bytes.starts_with(&[0, 0, 8, 3])
}

/// Reads the pictures in a folder, in the order of their names.
pub(super) fn folder(batches: &mut Batches<'_>, path: &Path) -> Result<(), ReadError> {
    let unreadable = |error: std::io::Error| form_of(path, error);
    let entries = std::fs::read_dir(path).map_err(unreadable)?;
    let mut files: Vec<_> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable)?;
    files.retain(|file| picture::is_picture(&file.to_string_lossy()));
    files.sort();
    if files.is_empty() {
        return Err(form_of(path, "the folder has no pictures"));
    }
    for file in files {
        // A batch is of one file.
        let _ = batches.tell();
        batches.file = file.display().to_string();
        let stored = load(&file)?;
        self::file(batches, &stored)?;
    }
    Ok(())
}

fn form_of(path: &Path, cause: impl std::fmt::Display) -> ReadError {
    ReadError::Form { path: path.display().to_string(), cause: cause.to_string() }
}

/// Reads a picture, or a file of images in IDX or in the binary form of CIFAR.
pub(super) fn file(batches: &mut Batches<'_>, stored: &Stored) -> Result<(), ReadError> {
    if picture::is_picture(&stored.path.to_string_lossy()) {
        let like = picture::none(&batches.reading)?;
        let _ = batches.take("record", 1, picture::pixels(&stored.bytes, &like).map(Row::Pixels));
        return Ok(());
    }
    let images = match batches.manner.files.map(|files| &files.format) {
        Some(FileFormat::Cifar10) => cifar::images(&mut batches.reading, &CIFAR_10, stored),
        Some(FileFormat::Cifar100) => cifar::images(&mut batches.reading, &CIFAR_100, stored),
        _ => idx::images(stored)?,
    };
    let (found, expected) = (images.values(), batches.manner.needs.shape().elements());
    if found != expected {
        return Err(form(stored, format!("its images have {found} pixels, but the network takes {expected}")));
    }
    for (pixels, number) in images.pixels.chunks(found.max(1)).zip(1..) {
        if batches.take("record", number, Ok(Row::Pixels(pixels.to_vec()))).is_break() {
            break;
        }
    }
    Ok(())
}

/// Images, or rows of numbers, side by side.
pub(super) fn columns(shape: TensorShape, rows: Vec<Row>) -> Columns {
    let (mut pixels, mut values) = (Vec::new(), Vec::new());
    for row in rows {
        match row {
            Row::Pixels(of_row) => pixels.extend(of_row),
            Row::Numbers(of_row) => values.extend(of_row),
            Row::Tokens(_) | Row::Pair(_) | Row::Click(..) => {}
        }
    }
    if pixels.is_empty() {
        return Columns::Numbers { width: shape.elements(), values };
    }
    let (channels, height, width) = match shape {
        TensorShape::Image { channels, height, width } => (channels, height, width),
        TensorShape::Vector(values) => (1, 1, values),
    };
    Columns::Images(Images { channels, height, width, pixels })
}
