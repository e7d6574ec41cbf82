//! Digits drawn by strokes, for machines without the MNIST files. Easier than handwriting.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Records;

const SIDE: usize = 28;

type Point = [f32; 2];

/// Strokes of each digit as polylines in the unit square, x to the right and y down.
const STROKES: [&[&[Point]]; 10] = [
    &[&[
        [0.5, 0.0],
        [0.85, 0.2],
        [0.95, 0.5],
        [0.85, 0.8],
        [0.5, 1.0],
        [0.15, 0.8],
        [0.05, 0.5],
        [0.15, 0.2],
        [0.5, 0.0],
    ]],
    &[&[[0.25, 0.2], [0.55, 0.0], [0.55, 1.0]]],
    &[&[[0.1, 0.25], [0.3, 0.02], [0.7, 0.02], [0.88, 0.25], [0.75, 0.5], [0.1, 1.0], [0.9, 1.0]]],
    &[&[
        [0.1, 0.08],
        [0.6, 0.0],
        [0.88, 0.2],
        [0.75, 0.42],
        [0.4, 0.48],
        [0.8, 0.55],
        [0.92, 0.78],
        [0.65, 1.0],
        [0.1, 0.92],
    ]],
    &[&[[0.7, 1.0], [0.7, 0.0], [0.05, 0.68], [0.95, 0.68]]],
    &[&[[0.85, 0.0], [0.2, 0.0], [0.15, 0.45], [0.6, 0.4], [0.9, 0.65], [0.7, 0.97], [0.1, 0.95]]],
    &[&[[0.75, 0.0], [0.35, 0.2], [0.12, 0.65], [0.3, 0.98], [0.7, 0.98], [0.88, 0.72], [0.65, 0.5], [0.15, 0.65]]],
    &[&[[0.05, 0.0], [0.95, 0.0], [0.4, 1.0]]],
    &[
        &[[0.5, 0.48], [0.2, 0.3], [0.25, 0.05], [0.5, 0.0], [0.75, 0.05], [0.8, 0.3], [0.5, 0.48]],
        &[[0.5, 0.48], [0.88, 0.7], [0.8, 0.95], [0.5, 1.0], [0.2, 0.95], [0.12, 0.7], [0.5, 0.48]],
    ],
    &[&[
        [0.85, 0.3],
        [0.6, 0.52],
        [0.25, 0.45],
        [0.15, 0.2],
        [0.4, 0.0],
        [0.75, 0.05],
        [0.85, 0.3],
        [0.8, 0.7],
        [0.6, 1.0],
    ]],
];

/// Draws `count` images of the ten digits with random place, size, slant, stroke and noise.
#[must_use]
pub fn draw(count: usize, seed: u64) -> Records {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut pixels, mut classes) = (Vec::with_capacity(count * SIDE * SIDE), Vec::with_capacity(count));
    for index in 0..count {
        let digit = index % STROKES.len();
        classes.push(digit as u8);
        let pen = Pen::random(&mut random);
        let segments = pen.segments(STROKES[digit]);
        for pixel in 0..SIDE * SIDE {
            let ink = pen.ink(&segments, [(pixel % SIDE) as f32, (pixel / SIDE) as f32]);
            let noise = random.random_range(0.0..0.12);
            pixels.push(((ink + noise).min(1.0) * 255.0) as u8);
        }
    }
    Records::grey(SIDE, SIDE, pixels, &classes)
}

/// How one digit is drawn: a map from the unit square to pixels, and the width of the stroke.
struct Pen {
    size: Point,
    centre: Point,
    slant: f32,
    angle: f32,
    wobble: [f32; 2],
    radius: f32,
}

impl Pen {
    fn random(random: &mut ChaCha8Rng) -> Self {
        Self {
            size: [random.random_range(10.0..16.0), random.random_range(16.0..21.0)],
            centre: [random.random_range(12.0..16.0), random.random_range(12.5..15.5)],
            slant: random.random_range(-0.25..0.25),
            angle: random.random_range(-0.2..0.2),
            wobble: [random.random_range(-0.12..0.12), random.random_range(-0.12..0.12)],
            radius: random.random_range(0.9..1.7),
        }
    }

    fn place(&self, [x, y]: Point) -> Point {
        let (x, y) = (x + self.wobble[0] * (3.0 * y).sin() - 0.5, y + self.wobble[1] * (3.0 * x).sin() - 0.5);
        let (x, y) = ((x - self.slant * y) * self.size[0], y * self.size[1]);
        let (sin, cos) = self.angle.sin_cos();
        [x * cos - y * sin + self.centre[0], x * sin + y * cos + self.centre[1]]
    }

    fn segments(&self, strokes: &[&[Point]]) -> Vec<[Point; 2]> {
        let ends = strokes.iter().flat_map(|stroke| stroke.windows(2));
        ends.map(|pair| [self.place(pair[0]), self.place(pair[1])]).collect()
    }

    /// How dark a pixel is, 0..1: full inside the stroke, fading over one pixel.
    fn ink(&self, segments: &[[Point; 2]], at: Point) -> f32 {
        let nearest = segments.iter().map(|segment| squared_distance(at, *segment)).fold(f32::INFINITY, f32::min);
        (self.radius + 0.5 - nearest.sqrt()).clamp(0.0, 1.0)
    }
}

fn squared_distance(at: Point, [a, b]: [Point; 2]) -> f32 {
    let (along, to) = ([b[0] - a[0], b[1] - a[1]], [at[0] - a[0], at[1] - a[1]]);
    let length = along[0] * along[0] + along[1] * along[1];
    let share = ((to[0] * along[0] + to[1] * along[1]) / length.max(f32::EPSILON)).clamp(0.0, 1.0);
    let away = [to[0] - share * along[0], to[1] - share * along[1]];
    away[0] * away[0] + away[1] * away[1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::records::Columns;

    #[test]
    fn a_seed_draws_the_same_varied_digits() {
        let drawn = draw(40, 5);
        let Columns::Images(images) = &drawn.columns else { unreachable!("they are images") };
        assert_eq!(
            (0..12).map(|at| drawn.class(at)).collect::<Vec<_>>(),
            (0..12).map(|at| Some(at % 10)).collect::<Vec<_>>()
        );
        assert_eq!((drawn.len(), &drawn), (40, &draw(40, 5)));
        assert_ne!(images.image(0), images.image(10), "two zeros differ");
        for index in 0..drawn.len() {
            let dark = images.image(index).iter().filter(|&&pixel| pixel > 200).count();
            assert!((25..350).contains(&dark), "digit {index} has {dark} dark pixels");
        }
    }
}
