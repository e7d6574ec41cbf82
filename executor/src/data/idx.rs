//! The IDX format of MNIST: big-endian header, then unsigned bytes; plain or gzip.

use std::path::{Path, PathBuf};

#[cfg(test)]
use super::records::{Columns, Truth};
use super::records::{Images, Records};
use super::store::Stored;

const IMAGES_MAGIC: u32 = 0x0000_0803;
const LABELS_MAGIC: u32 = 0x0000_0801;

/// Why files are no IDX data.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    /// The file begins with something else.
    #[error("`{}` is no IDX file of {what}: it begins with {found:#010x}, expected {expected:#010x}", path.display())]
    Magic {
        /// Its path.
        path: PathBuf,
        /// `images` or `labels`.
        what: &'static str,
        /// First four bytes.
        found: u32,
        /// What they should be.
        expected: u32,
    },
    /// The file is shorter than its header.
    #[error("`{}` is truncated: its header has {found} of {expected} bytes", path.display())]
    Header {
        /// Its path.
        path: PathBuf,
        /// Bytes that are there.
        found: usize,
        /// Bytes of a header.
        expected: usize,
    },
    /// The content is not as long as the header says.
    #[error("`{}` has {found} bytes of {what}, but its header promises {expected}", path.display())]
    Length {
        /// Its path.
        path: PathBuf,
        /// `images` or `labels`.
        what: &'static str,
        /// Bytes that are there.
        found: u64,
        /// Bytes that the header promises.
        expected: u64,
    },
    /// Images and labels do not belong together.
    #[error("`{}` has {images} images, but `{}` has {labels} labels", images_path.display(), labels_path.display())]
    Counts {
        /// File of the images.
        images_path: PathBuf,
        /// Number of images.
        images: usize,
        /// File of the labels.
        labels_path: PathBuf,
        /// Number of labels.
        labels: usize,
    },
}

/// Images with their labels from files that were read.
///
/// # Errors
/// A file has another format or length, or the two have different counts.
pub fn of(images: &Stored, labels: &Stored) -> Result<Records, IdxError> {
    joined((&images.bytes, &images.path), (&labels.bytes, &labels.path))
}

/// Images of a file that was read; their classes are not known.
///
/// # Errors
/// It has another format or length.
pub fn images(stored: &Stored) -> Result<Images, IdxError> {
    images_of(&stored.bytes, &stored.path)
}

fn joined(images: (&[u8], &Path), labels: (&[u8], &Path)) -> Result<Records, IdxError> {
    let found = images_of(images.0, images.1)?;
    let ([count], content) = header::<1>(labels.0, LABELS_MAGIC, "labels", labels.1)?;
    let classes = content_of(content, u64::from(count), "labels", labels.1)?;
    let count = found.pixels.len().checked_div(found.values()).unwrap_or(0);
    if count != classes.len() {
        let (images_path, labels_path) = (images.1.to_owned(), labels.1.to_owned());
        return Err(IdxError::Counts { images_path, images: count, labels_path, labels: classes.len() });
    }
    Ok(Records::grey(found.height, found.width, found.pixels, &classes))
}

fn images_of(bytes: &[u8], path: &Path) -> Result<Images, IdxError> {
    let ([count, height, width], content) = header::<3>(bytes, IMAGES_MAGIC, "images", path)?;
    let expected = u64::from(count).saturating_mul(u64::from(height)).saturating_mul(u64::from(width));
    let pixels = content_of(content, expected, "images", path)?;
    Ok(Images { channels: 1, height: height as usize, width: width as usize, pixels })
}

/// The sizes in the header, and what follows it.
fn header<'a, const N: usize>(
    bytes: &'a [u8],
    expected: u32,
    what: &'static str,
    path: &Path,
) -> Result<([u32; N], &'a [u8]), IdxError> {
    let short = || IdxError::Header { path: path.to_owned(), found: bytes.len(), expected: 4 + 4 * N };
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let found = u32::from_be_bytes(*magic);
    if found != expected {
        return Err(IdxError::Magic { path: path.to_owned(), what, found, expected });
    }
    let (sizes, content) = rest.split_at_checked(4 * N).ok_or_else(short)?;
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(sizes.as_chunks::<4>().0) {
        *number = u32::from_be_bytes(*bytes);
    }
    Ok((numbers, content))
}

fn content_of(content: &[u8], expected: u64, what: &'static str, path: &Path) -> Result<Vec<u8>, IdxError> {
    let found = content.len() as u64;
    if found == expected {
        Ok(content.to_vec())
    } else {
        Err(IdxError::Length { path: path.to_owned(), what, found, expected })
    }
}

/// Grey images and their classes as IDX files hold them.
#[cfg(test)]
pub(crate) fn encode(records: &Records) -> [Vec<u8>; 2] {
    let (Columns::Images(images), Truth::Classes(classes)) = (&records.columns, &records.truth) else {
        unreachable!("they are images with classes")
    };
    let sizes = [records.len(), images.height, images.width].map(|size| (size as u32).to_be_bytes());
    let labels: Vec<u8> = classes.iter().map(|&class| class as u8).collect();
    [
        [&IMAGES_MAGIC.to_be_bytes()[..], sizes.as_flattened(), &images.pixels].concat(),
        [&LABELS_MAGIC.to_be_bytes()[..], &(labels.len() as u32).to_be_bytes(), &labels].concat(),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::store::stored;
    use super::*;

    fn records() -> Records {
        Records::grey(2, 3, (0..24).collect(), &[3, 1, 4, 1])
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn read_back(images: &[u8], labels: &[u8]) -> Result<Records, String> {
        let file = |name: &str, bytes: &[u8]| stored(name.into(), bytes.to_vec()).map_err(|error| error.to_string());
        of(&file("images", images)?, &file("labels", labels)?).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_read_plain_and_compressed() {
        let [images, labels] = encode(&records());
        assert_eq!(read_back(&images, &labels), Ok(records()));
        assert_eq!(read_back(&gzip(&images), &gzip(&labels)), Ok(records()));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let [images, labels] = encode(&records());
        let check = |images: &[u8], labels: &[u8], expected: &str| {
            assert_eq!(read_back(images, labels), Err(expected.to_owned()));
        };
        check(&labels, &labels, "`images` is no IDX file of images: it begins with 0x00000801, expected 0x00000803");
        check(
            &images,
            b"PNG!....",
            "`labels` is no IDX file of labels: it begins with 0x504e4721, expected 0x00000801",
        );
        check(&images[..10], &labels, "`images` is truncated: its header has 10 of 16 bytes");
        check(b"", &labels, "`images` is truncated: its header has 0 of 16 bytes");
        check(&images[..30], &labels, "`images` has 14 bytes of images, but its header promises 24");
        check(&[&images[..], b"x"].concat(), &labels, "`images` has 25 bytes of images, but its header promises 24");
        let huge = [&IMAGES_MAGIC.to_be_bytes()[..], &[0xff; 12]].concat();
        check(&huge, &labels, "`images` has 0 bytes of images, but its header promises 18446744073709551615");
        let [_, fewer] = encode(&records().select(&[0, 1]));
        check(&images, &fewer, "`images` has 4 images, but `labels` has 2 labels");
        check(&gzip(&images)[..20], &labels, "cannot read `images`: incomplete deflate stream");
    }
}
