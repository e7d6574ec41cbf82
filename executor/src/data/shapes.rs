//! Shapes drawn with known boxes, for detectors on machines without photographs.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Grey images with the boxes of the shapes in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shapes {
    /// Rows and columns of each image.
    pub side: usize,
    /// Pixels of all images, row by row.
    pub pixels: Vec<u8>,
    /// Boxes of each image: class (0 circle, 1 square, 2 triangle), then centre, width and height as shares of the image.
    pub boxes: Vec<Vec<(usize, [f32; 4])>>,
}

/// Kinds of shapes.
pub const KINDS: usize = 3;
/// Shapes of an image, at most.
const MOST: usize = 3;

/// Draws `count` images of `side` pixels a side with one to three shapes each, which do not touch, on noise.
#[must_use]
pub fn draw(count: usize, side: usize, seed: u64) -> Shapes {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shapes = Shapes { side, ..Shapes::default() };
    for _ in 0..count {
        let drawn = scene(side as f32, &mut random);
        for pixel in 0..side * side {
            let at = [(pixel % side) as f32 + 0.5, (pixel / side) as f32 + 0.5];
            let light = drawn.iter().find(|shape| shape.covers(at)).map_or(0.15, |shape| shape.light);
            let noise: f32 = random.random_range(-0.15..0.15);
            shapes.pixels.push(((light + noise).clamp(0.0, 1.0) * 255.0) as u8);
        }
        shapes.boxes.push(drawn.iter().map(|shape| (shape.kind, shape.place(side as f32))).collect());
    }
    shapes
}

/// One shape, in pixels.
#[derive(Debug, Clone, Copy)]
struct Shape {
    kind: usize,
    centre: [f32; 2],
    half: f32,
    light: f32,
}

/// Shapes whose boxes keep a pixel between them.
fn scene(side: f32, random: &mut ChaCha8Rng) -> Vec<Shape> {
    let wanted = random.random_range(1..=MOST);
    let mut drawn: Vec<Shape> = Vec::new();
    for _ in 0..20 * wanted {
        let half = side * random.random_range(0.09..0.18);
        let shape = Shape {
            kind: random.random_range(0..KINDS),
            centre: [0, 1].map(|_| random.random_range(half..side - half)),
            half,
            light: random.random_range(0.55..0.95),
        };
        if drawn.len() < wanted && drawn.iter().all(|other| shape.is_apart_from(other)) {
            drawn.push(shape);
        }
    }
    drawn
}

impl Shape {
    fn is_apart_from(&self, other: &Self) -> bool {
        (0..2).any(|axis| (self.centre[axis] - other.centre[axis]).abs() > self.half + other.half + 1.0)
    }

    /// Whether a point lies in the shape; triangles stand on their base.
    fn covers(&self, at: [f32; 2]) -> bool {
        let [x, y] = [0, 1].map(|axis| (at[axis] - self.centre[axis]) / self.half);
        match self.kind {
            0 => x * x + y * y <= 1.0,
            1 => x.abs() <= 1.0 && y.abs() <= 1.0,
            _ => y.abs() <= 1.0 && x.abs() <= f32::midpoint(y, 1.0),
        }
    }

    fn place(&self, side: f32) -> [f32; 4] {
        [self.centre[0] / side, self.centre[1] / side, 2.0 * self.half / side, 2.0 * self.half / side]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::detector::boxes::overlap;

    #[test]
    fn a_seed_draws_the_same_shapes_inside_their_boxes() {
        let drawn = draw(40, 48, 5);
        assert_eq!((drawn.pixels.len(), drawn.boxes.len()), (40 * 48 * 48, 40));
        assert_eq!(drawn, draw(40, 48, 5));
        assert_ne!(drawn, draw(40, 48, 6));
        let counts = (1..=MOST).map(|count| drawn.boxes.iter().filter(|boxes| boxes.len() == count).count());
        assert!(counts.clone().all(|count| count > 3), "{:?}", counts.collect::<Vec<_>>());
        for (image, boxes) in drawn.pixels.chunks(48 * 48).zip(&drawn.boxes) {
            for (number, (kind, place)) in boxes.iter().enumerate() {
                assert!(boxes[..number].iter().all(|(_, other)| overlap(*place, *other) == 0.0));
                let [left, top] = [0, 1].map(|axis| place[axis] - place[axis + 2] / 2.0);
                assert!(left >= 0.0 && top >= 0.0 && left + place[2] <= 1.0 && top + place[3] <= 1.0);
                let bright = |(at, value): (usize, &u8)| {
                    let [x, y] = [at % 48, at / 48].map(|pixel| (pixel as f32 + 0.5) / 48.0);
                    let inside = (x - place[0]).abs() < place[2] / 2.0 && (y - place[1]).abs() < place[3] / 2.0;
                    inside && *value > 90
                };
                let covered = image.iter().enumerate().filter(|pixel| bright(*pixel)).count() as f32;
                let share = covered / (place[2] * place[3] * 48.0 * 48.0);
                let expected = [std::f32::consts::FRAC_PI_4, 1.0, 0.5][*kind];
                assert!((share - expected).abs() < 0.13, "kind {kind} covers {share} of its box");
            }
        }
    }
}
