//! Random changes of training records, drawn by the seed, the epoch and the record.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Normal};
use scenarios::scenario::Augmentation;

use super::records::Images;

/// How one image is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Pixels down and to the right; negative: up, left.
    shift: (isize, isize),
    /// Whether what enters is the mirror image of what is there, and not black.
    mirrors: bool,
    /// Whether left and right change places.
    flips: bool,
}

impl Change {
    /// Draws the change of an image.
    pub fn draw(augmentation: &Augmentation, random: &mut ChaCha8Rng) -> Self {
        let mirrors = augmentation.crop > 0;
        let limit = if mirrors { augmentation.crop } else { augmentation.shift };
        let mut draw =
            || ((random.next_u32() % (2 * limit + 1)) as usize).cast_signed() - (limit as usize).cast_signed();
        let shift = if limit > 0 { (draw(), draw()) } else { (0, 0) };
        let flips = augmentation.flip && random.next_u32().is_multiple_of(2);
        Self { shift, mirrors, flips }
    }

    /// Gives every pixel of the changed image to `put`, channel after channel, row by row.
    pub fn image(self, images: &Images, position: usize, mut put: impl FnMut(u8)) {
        let image = images.image(position);
        if self == Self::default() {
            return image.iter().copied().for_each(put);
        }
        let (height, width) = (images.height.cast_signed(), images.width.cast_signed());
        for plane in image.chunks(images.height * images.width) {
            for row in 0..height {
                let from_row = self.from(row - self.shift.0, height);
                for column in 0..width {
                    let column = if self.flips { width - 1 - column } else { column };
                    let place = from_row.zip(self.from(column - self.shift.1, width));
                    put(place.map_or(0, |(row, column)| plane[row * images.width + column]));
                }
            }
        }
    }

    /// The row or column that is moved to where `at` was; none where black enters.
    fn from(self, at: isize, size: isize) -> Option<usize> {
        let at = match at {
            _ if (0..size).contains(&at) => at,
            _ if !self.mirrors => return None,
            _ if at < 0 => -at,
            _ => 2 * (size - 1) - at,
        };
        Some(at.clamp(0, size - 1).cast_unsigned())
    }

    /// What becomes of objects: boxes move and turn with the image. What leaves it is cut off, and gone if its centre leaves.
    pub fn objects(self, images: &Images, objects: &[(usize, [f32; 4])]) -> Vec<(usize, [f32; 4])> {
        if self == Self::default() {
            return objects.to_vec();
        }
        let by = |pixels: isize, size: usize| pixels as f32 / size as f32;
        let (down, right) = (by(self.shift.0, images.height), by(self.shift.1, images.width));
        let moved = objects.iter().filter_map(|&(class, [x, y, width, height])| {
            let (x, y) = (x + right, y + down);
            let x = if self.flips { 1.0 - x } else { x };
            let ((x, width), (y, height)) = (cut(x, width)?, cut(y, height)?);
            Some((class, [x, y, width, height]))
        });
        moved.collect()
    }
}

/// Centre and size of what is left of a span inside of the image; none if its centre is outside.
fn cut(centre: f32, size: f32) -> Option<(f32, f32)> {
    let (from, to) = ((centre - size / 2.0).max(0.0), (centre + size / 2.0).min(1.0));
    (0.0..=1.0).contains(&centre).then_some((f32::midpoint(from, to), to - from))
}

/// Adds normal noise to numbers.
pub(super) fn add_noise(values: &mut [f32], deviation: f32, random: &mut ChaCha8Rng) {
    if let Some(normal) = Normal::new(0.0, deviation).ok().filter(|_| deviation > 0.0) {
        for value in values.iter_mut() {
            *value += normal.sample(random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::stream;
    use super::*;

    fn changed(change: Change) -> Vec<u8> {
        let images = Images { channels: 1, height: 2, width: 3, pixels: vec![1, 2, 3, 4, 5, 6] };
        let mut found = Vec::new();
        change.image(&images, 0, |pixel| found.push(pixel));
        found
    }

    #[test]
    fn images_are_shifted_mirrored_and_flipped() {
        let change = |shift, mirrors, flips| Change { shift, mirrors, flips };
        assert_eq!(changed(Change::default()), [1, 2, 3, 4, 5, 6]);
        assert_eq!(changed(change((1, -1), false, false)), [0, 0, 0, 2, 3, 0]);
        assert_eq!(changed(change((0, 0), false, true)), [3, 2, 1, 6, 5, 4]);
        assert_eq!(changed(change((0, 1), true, false)), [2, 1, 2, 5, 4, 5]);
        assert_eq!(changed(change((-1, -2), true, false)), [6, 5, 4, 3, 2, 1]);
        assert_eq!(changed(change((0, 1), false, true)), [2, 1, 0, 5, 4, 0]);
    }

    #[test]
    fn boxes_move_with_the_image() {
        let images = Images { channels: 1, height: 10, width: 10, pixels: vec![0; 100] };
        let check = |shift, flips, expected: &[[f32; 4]]| {
            let objects = [(3, [0.2, 0.5, 0.2, 0.2])];
            let found = Change { shift, mirrors: false, flips }.objects(&images, &objects);
            assert_eq!(found.len(), expected.len());
            for ((class, found), expected) in found.iter().zip(expected) {
                let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
                assert!(close && *class == 3, "{found:?} and {expected:?}");
            }
        };
        check((0, 0), true, &[[0.8, 0.5, 0.2, 0.2]]);
        check((-1, 3), false, &[[0.5, 0.4, 0.2, 0.2]]);
        check((0, -1), false, &[[0.1, 0.5, 0.2, 0.2]]);
        check((5, -2), false, &[[0.05, 0.95, 0.1, 0.1]]);
        check((0, -3), false, &[]);
    }

    #[test]
    fn changes_are_drawn_within_their_limits() {
        let augmentation = Augmentation { shift: 2, flip: true, ..Augmentation::default() };
        let draw = |record| Change::draw(&augmentation, &mut stream(1, 1, record));
        let changes: Vec<Change> = (0..1000).map(draw).collect();
        assert!(changes.iter().all(|change| change.shift.0.abs() <= 2 && change.shift.1.abs() <= 2));
        assert!((-2..=2).all(|step| changes.iter().any(|change| change.shift.1 == step)));
        let flipped = changes.iter().filter(|change| change.flips).count();
        assert!((400..600).contains(&flipped), "{flipped} of 1000");
        assert_eq!(draw(7), changes[7]);
    }

    #[test]
    fn noise_has_its_deviation() {
        let mut values = vec![1.0; 20_000];
        add_noise(&mut values, 0.5, &mut stream(1, 1, 1));
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!((mean - 1.0).abs() < 0.02 && (variance.sqrt() - 0.5).abs() < 0.02, "{mean} {variance}");
        let mut same = vec![1.0; 3];
        add_noise(&mut same, 0.0, &mut stream(1, 1, 1));
        assert_eq!(same, [1.0; 3]);
    }
}
