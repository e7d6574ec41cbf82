//! Picture files as pixels.

use image::imageops::FilterType;
use scenarios::model::TensorShape;

use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading};
use crate::data::records::Images;

/// Endings of the names of picture files.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// No pictures yet, of the size that the network reads.
pub(super) fn none(reading: &Reading<'_>) -> Result<Images, ReadError> {
    match reading.needs {
        Needs::Numbers { shape: TensorShape::Image { channels, height, width }, .. }
        | Needs::Objects { shape: TensorShape::Image { channels, height, width }, .. } => {
            Ok(Images { channels: *channels, height: *height, width: *width, pixels: Vec::new() })
        }
        _ => Err(reading.other_kind("images")),
    }
}

/// Whether a name is that of a picture.
pub(super) fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Pixels of a picture file, brought to the size of other images: channel after channel. With one channel it is grey.
pub(super) fn pixels(bytes: &[u8], like: &Images) -> Result<Vec<u8>, String> {
    let picture = image::load_from_memory(bytes).map_err(|error| error.to_string())?;
    let (width, height) = (like.width as u32, like.height as u32);
    let picture = if (picture.width(), picture.height()) == (width, height) {
        picture
    } else {
        picture.resize_exact(width, height, FilterType::Triangle)
    };
    let interleaved = match like.channels {
        1 => picture.into_luma8().into_raw(),
        3 => picture.into_rgb8().into_raw(),
        4 => picture.into_rgba8().into_raw(),
        channels => return Err(format!("pictures have 1, 3 or 4 channels, the network reads {channels}")),
    };
    let of_channel = |channel| interleaved.iter().skip(channel).step_by(like.channels).copied();
    Ok((0..like.channels).flat_map(of_channel).collect())
}

/// A picture file for tests: every pixel has one colour, but the left half is black.
#[cfg(test)]
pub(super) fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let pixel = |x, _| image::Rgb(if x < width / 2 { [0; 3] } else { colour });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, pixel)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("memory takes it");
    bytes.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_the_size_and_channels_of_the_network() {
        let like = |channels, height, width| Images { channels, height, width, pixels: Vec::new() };
        let picture = png(4, 2, [10, 20, 30]);
        let row = |value| [0, 0, value, value];
        let planes: Vec<u8> = [10, 20, 30].iter().flat_map(|&value| [row(value), row(value)].concat()).collect();
        assert_eq!(pixels(&picture, &like(3, 2, 4)), Ok(planes));
        assert_eq!(pixels(&picture, &like(1, 2, 4)).map(|grey| grey.len()), Ok(8));
        assert_eq!(pixels(&png(8, 8, [9; 3]), &like(3, 4, 4)).map(|colours| colours.len()), Ok(48));
        assert!(pixels(b"no picture", &like(3, 2, 4)).is_err());
        assert!([is_picture("a/b.PNG"), is_picture("b.jpeg"), !is_picture("b.txt")].iter().all(|&right| right));
    }
}
