//! Boxes that a detector's answers start from.

use super::boxes::Place;
use super::{Level, Plan};

/// Ratios of height to width.
const RATIOS: [f32; 3] = [1.0, 0.5, 2.0];
/// Side of a level's smallest anchors in steps between its places (RetinaNet: 32 pixels where they are 8 apart).
const STEPS: f32 = 4.0;
/// Side of the smallest anchors of a level, at most, as a share of the image's shorter side (SSD).
const LARGEST: f32 = 0.9;

/// The anchors of all levels in the order of what the heads give: level by level, row by row, place by place.
///
/// Around the centre of each place of a feature map stand its anchors: squares of four steps between places, then the same
/// area with ratios 1:2 and 2:1, then all three again with sides 2^(1/k) times as large, where k = ⌈anchors / 3⌉, so that
/// the sizes fill the octave up to the next level. Nine anchors are RetinaNet's.
#[must_use]
pub fn anchors(plan: &Plan) -> Vec<Place> {
    let (height, width) = match plan.trunk.image {
        scenarios::model::TensorShape::Image { height, width, .. } => (height as f32, width as f32),
        scenarios::model::TensorShape::Vector(_) => unreachable!("detectors look at images"),
    };
    plan.levels.iter().flat_map(|level| of_level(*level, [height, width])).collect()
}

fn of_level(level: Level, [height, width]: [f32; 2]) -> impl Iterator<Item = Place> {
    let (rows, columns) = (level.rows as f32, level.columns as f32);
    let step = (height / rows).max(width / columns);
    let base = (STEPS * step).min(LARGEST * height.min(width));
    let scales = level.anchors.div_ceil(RATIOS.len()) as f32;
    let size = move |index: usize| {
        let side = base * ((index / RATIOS.len()) as f32 / scales).exp2();
        let root = RATIOS[index % RATIOS.len()].sqrt();
        [side / root / width, side * root / height]
    };
    let places = (0..level.rows).flat_map(move |row| (0..level.columns).map(move |column| (row, column)));
    places.flat_map(move |(row, column)| {
        let centre = [(column as f32 + 0.5) / columns, (row as f32 + 0.5) / rows];
        (0..level.anchors).map(move |index| {
            let [wide, high] = size(index);
            [centre[0], centre[1], wide, high]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_stand_around_places_and_fill_an_octave() {
        let check = |level: Level, image: [f32; 2], expected: &[Place]| {
            let found: Vec<_> = of_level(level, image).collect();
            assert_eq!(found.len(), level.rows * level.columns * level.anchors);
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
            }
        };
        let level = |rows, columns, anchors| Level { channels: 1, rows, columns, anchors };
        let (root, half) = (2.0_f32.sqrt(), 0.5);
        // Steps of 8 pixels, sides of 32 in an image of 64 × 64.
        check(
            level(8, 8, 4),
            [64.0, 64.0],
            &[
                [0.0625, 0.0625, half, half],
                [0.0625, 0.0625, half * root, half / root],
                [0.0625, 0.0625, half / root, half * root],
                [0.0625, 0.0625, half * root, half * root],
                [0.1875, 0.0625, half, half],
            ],
        );
        check(level(2, 4, 1), [32.0, 64.0], &[[0.125, 0.25, 0.45, 0.9], [0.375, 0.25, 0.45, 0.9]]);
    }
}
