//! Boxes as centre, width and height, each a share of the image.

/// Centre (x, y), width and height as shares of the image.
pub type Place = [f32; 4];

/// Shared area over the area of both together (Jaccard 1912): 0 for boxes apart or empty, 1 for equal ones.
#[must_use]
pub fn overlap(a: Place, b: Place) -> f32 {
    let shared = |axis: usize| {
        let [(a_low, a_high), (b_low, b_high)] =
            [a, b].map(|place| (place[axis] - place[axis + 2] / 2.0, place[axis] + place[axis + 2] / 2.0));
        (a_high.min(b_high) - a_low.max(b_low)).max(0.0)
    };
    let both = shared(0) * shared(1);
    let all = a[2] * a[3] + b[2] * b[3] - both;
    if all > 0.0 { both / all } else { 0.0 }
}

/// How a box differs from an anchor: distances of the centres in widths and heights of the anchor, and logarithms of the
/// ratios of the sizes (Girshick et al. 2014, arXiv 1311.2524, appendix C).
#[must_use]
pub fn coded(place: Place, anchor: Place) -> [f32; 4] {
    let ratio = |axis: usize| (place[axis].max(SMALLEST) / anchor[axis]).ln();
    [(place[0] - anchor[0]) / anchor[2], (place[1] - anchor[1]) / anchor[3], ratio(2), ratio(3)]
}

/// The box that differs from an anchor so. Sizes stay below e⁴ anchors, whatever an untrained network gives.
#[must_use]
pub fn decoded(code: [f32; 4], anchor: Place) -> Place {
    let size = |axis: usize| anchor[axis] * code[axis].min(4.0).exp();
    [anchor[0] + code[0] * anchor[2], anchor[1] + code[1] * anchor[3], size(2), size(3)]
}

/// Side of a box that counts as empty.
const SMALLEST: f32 = 1e-4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_shares_of_areas() {
        let check = |a: Place, b: Place, expected: f32| {
            assert!((overlap(a, b) - expected).abs() < 1e-6, "{a:?} {b:?}: {}", overlap(a, b));
            assert!((overlap(b, a) - expected).abs() < 1e-6, "{b:?} {a:?}: {}", overlap(b, a));
        };
        let square = [0.5, 0.5, 0.2, 0.2];
        check(square, square, 1.0);
        check(square, [0.6, 0.5, 0.2, 0.2], 1.0 / 3.0);
        check(square, [0.5, 0.5, 0.1, 0.1], 0.25);
        check(square, [0.7, 0.5, 0.2, 0.2], 0.0);
        check(square, [0.9, 0.1, 0.1, 0.1], 0.0);
        check([0.5, 0.5, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], 0.0);
    }

    #[test]
    fn a_code_gives_its_box_back() {
        let anchor = [0.4, 0.6, 0.2, 0.1];
        assert!(coded(anchor, anchor).iter().all(|difference| difference.abs() < 1e-9));
        let found = coded([0.5, 0.55, 0.2, 0.2], anchor);
        for (found, expected) in found.iter().zip([0.5, -0.5, 0.0, 2.0_f32.ln()]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        for place in [[0.5, 0.55, 0.2, 0.2], [0.1, 0.9, 0.05, 0.7], anchor] {
            let again = decoded(coded(place, anchor), anchor);
            assert!(place.iter().zip(again).all(|(a, b)| (a - b).abs() < 1e-6), "{place:?} {again:?}");
        }
        assert!(decoded([0.0, 0.0, 90.0, 90.0], anchor)[2] < 11.0);
    }
}
