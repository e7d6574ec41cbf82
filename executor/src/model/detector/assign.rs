//! Which anchors are to find which objects.

use super::boxes::{Place, overlap};

/// Overlap with an object from which on an anchor is to find it (RetinaNet, arXiv 1708.02002, section 4).
const FINDS: f32 = 0.5;
/// Overlap up to which an anchor is to find nothing; between the two it is asked for neither.
const FINDS_NOTHING: f32 = 0.4;

/// What an anchor is to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigned {
    /// The object of this number.
    Object(usize),
    /// Nothing.
    Nothing,
    /// It is not asked.
    Unasked,
}

/// What each anchor is to find of the objects of one record: the one that it overlaps most if by half or more, nothing if
/// by less than two fifths. Each object besides has the anchor that overlaps it most, if any does.
#[must_use]
pub fn assign(anchors: &[Place], objects: &[Place]) -> Vec<Assigned> {
    let mut most = vec![(0.0_f32, 0); objects.len()];
    let mut assigned = Vec::with_capacity(anchors.len());
    for (at, anchor) in anchors.iter().enumerate() {
        let mut nearest = (0.0, 0);
        for (number, object) in objects.iter().enumerate() {
            let shared = overlap(*anchor, *object);
            if shared > nearest.0 {
                nearest = (shared, number);
            }
            if shared > most[number].0 {
                most[number] = (shared, at);
            }
        }
        assigned.push(match nearest {
            (shared, number) if shared >= FINDS => Assigned::Object(number),
            (shared, _) if shared < FINDS_NOTHING => Assigned::Nothing,
            _ => Assigned::Unasked,
        });
    }
    for (number, (shared, at)) in most.into_iter().enumerate() {
        if shared > 0.0 {
            assigned[at] = Assigned::Object(number);
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::Assigned::{Nothing, Object, Unasked};
    use super::*;

    #[test]
    fn anchors_are_assigned_by_overlap_and_no_object_is_left_out() {
        let anchor = |x: f32| [x, 0.5, 0.2, 0.2];
        let anchors = [anchor(0.2), anchor(0.25), anchor(0.28), anchor(0.6), anchor(0.9)];
        let check = |objects: &[Place], expected: [Assigned; 5]| assert_eq!(assign(&anchors, objects), expected);
        check(&[], [Nothing; 5]);
        // Overlaps with the first: 1, 0.6, 0.43, 0, 0.
        check(&[anchor(0.2)], [Object(0), Object(0), Unasked, Nothing, Nothing]);
        // The second is small and inside one anchor only: overlap 0.0625.
        check(&[anchor(0.2), [0.9, 0.5, 0.05, 0.05]], [Object(0), Object(0), Unasked, Nothing, Object(1)]);
        check(&[[5.0, 5.0, 0.1, 0.1]], [Nothing; 5]);
    }
}
