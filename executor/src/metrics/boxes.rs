//! Objects found in images.

use crate::model::detector::Detection;
use crate::model::detector::boxes::{Place, overlap};

/// Mean over the classes of the average precision at an overlap: the area under the precision of a class as a function of
/// its recall, where the precision at a recall is the highest at this or any higher one (all-point interpolation,
/// Everingham et al. 2015, "The PASCAL visual object classes challenge: a retrospective", section 3.1). A detection is
/// right if it overlaps an object of its class by `least` or more that no better one has found. Classes without objects
/// do not count; `None` without objects.
#[must_use]
pub fn mean_average_precision(found: &[Vec<Detection>], truth: &[Vec<(usize, Place)>], least: f32) -> Option<f64> {
    let mut classes: Vec<usize> = truth.iter().flatten().map(|(class, _)| *class).collect();
    classes.sort_unstable();
    classes.dedup();
    let each: Vec<f64> = classes.iter().map(|class| average_precision(found, truth, *class, least)).collect();
    (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
}

fn average_precision(found: &[Vec<Detection>], truth: &[Vec<(usize, Place)>], class: usize, least: f32) -> f64 {
    let objects = truth.iter().flatten().filter(|(of, _)| *of == class).count() as f64;
    let verdicts = verdicts(found, truth, class, least);
    let mut right = 0.0;
    let points: Vec<[f64; 2]> = (1..)
        .zip(verdicts)
        .map(|(rank, verdict)| {
            right += f64::from(u8::from(verdict));
            [right / objects, right / f64::from(rank)]
        })
        .collect();
    let (mut area, mut precision, mut above) = (0.0, 0.0_f64, points.last().map_or(0.0, |point| point[0]));
    for (at, point) in points.iter().enumerate().rev() {
        precision = precision.max(point[1]);
        let below = if at == 0 { 0.0 } else { points[at - 1][0] };
        area += (above - below) * precision;
        above = below;
    }
    area
}

/// Whether each detection of a class is right, from the highest score to the lowest. Each is compared with the object of
/// its class that it overlaps most.
fn verdicts(found: &[Vec<Detection>], truth: &[Vec<(usize, Place)>], class: usize, least: f32) -> Vec<bool> {
    let mut ranked: Vec<(usize, &Detection)> = found
        .iter()
        .enumerate()
        .flat_map(|(image, found)| found.iter().filter(|one| one.class == class).map(move |one| (image, one)))
        .collect();
    ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let mut taken: Vec<Vec<bool>> = truth.iter().map(|objects| vec![false; objects.len()]).collect();
    let verdict = |(image, one): (usize, &Detection)| {
        let objects = truth.get(image).map_or(&[][..], Vec::as_slice);
        let shares = objects.iter().enumerate().filter(|(_, (of, _))| *of == class);
        let shares = shares.map(|(number, (_, place))| (number, overlap(one.place, *place)));
        let most = shares.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, shared)| *shared >= least);
        most.is_some_and(|(number, _)| !std::mem::replace(&mut taken[image][number], true))
    };
    ranked.into_iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Place {
        [x, 0.5, 0.1, 0.1]
    }

    fn one(class: usize, score: f32, x: f32) -> Detection {
        Detection { class, score, place: at(x) }
    }

    #[test]
    fn precision_is_averaged_over_recall() {
        let check = |found: &[Vec<Detection>], truth: &[Vec<(usize, Place)>], expected: Option<f64>| {
            let mean = mean_average_precision(found, truth, 0.5);
            let near = match (mean, expected) {
                (Some(mean), Some(expected)) => (mean - expected).abs() < 1e-9,
                (mean, expected) => mean == expected,
            };
            assert!(near, "{found:?} {truth:?}: {mean:?}");
        };
        check(&[vec![one(0, 0.9, 0.2)]], &[vec![]], None);
        check(&[vec![]], &[vec![(0, at(0.2))]], Some(0.0));
        check(&[vec![one(0, 0.9, 0.2)]], &[vec![(0, at(0.2))]], Some(1.0));
        // The wrong class, the wrong image, too far away (overlap 1/3).
        check(&[vec![one(1, 0.9, 0.2)]], &[vec![(0, at(0.2))]], Some(0.0));
        check(&[vec![], vec![one(0, 0.9, 0.2)]], &[vec![(0, at(0.2))], vec![]], Some(0.0));
        check(&[vec![one(0, 0.9, 0.25)]], &[vec![(0, at(0.2))]], Some(0.0));
        // A second find of the same object is wrong, but stands behind all recall.
        check(&[vec![one(0, 0.9, 0.2), one(0, 0.8, 0.2)]], &[vec![(0, at(0.2))]], Some(1.0));
        // Wrong, right, right of three objects: precision 0, 1/2, 2/3 at recall 0, 1/3, 2/3.
        let truth = [vec![(0, at(0.2)), (0, at(0.4))], vec![(0, at(0.6))]];
        let found = [vec![one(0, 0.9, 0.8), one(0, 0.7, 0.4)], vec![one(0, 0.6, 0.6)]];
        check(&found, &truth, Some(4.0 / 9.0));
        // Right, wrong, right of two objects: 1/2·1 + 1/2·2/3. A class that is found rightly beside it.
        let truth = [vec![(0, at(0.2)), (0, at(0.4)), (1, at(0.7))]];
        let found = [vec![one(0, 0.9, 0.2), one(0, 0.8, 0.6), one(0, 0.7, 0.4), one(1, 0.1, 0.7), one(2, 0.9, 0.7)]];
        check(&found, &truth, Some(11.0 / 12.0));
    }
}
