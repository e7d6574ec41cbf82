//! Rankings: what stands before what.

/// Normalised discounted cumulative gain of the best `depth` of the items of one user or query: DCG over the DCG of the
/// best order, where DCG = Σ (2^gain − 1) / log₂(1 + rank) (Järvelin and Kekäläinen 2002; Burges et al. 2005 for the
/// exponential). Items are given as score and gain; equal scores share the mean of their gains, so that their order does
/// not matter. `None` where no item has a gain: such a user says nothing.
#[must_use]
pub fn ndcg(items: &[(f64, f64)], depth: usize) -> Option<f64> {
    let worth = |gain: f64| gain.exp2() - 1.0;
    let mut best: Vec<f64> = items.iter().map(|(_, gain)| worth(*gain)).collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal = discounted(&best, depth);
    if ideal <= 0.0 {
        return None;
    }
    let mut ranked = items.to_vec();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let shared = ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).flat_map(|equal| {
        let mean = equal.iter().map(|(_, gain)| worth(*gain)).sum::<f64>() / equal.len() as f64;
        std::iter::repeat_n(mean, equal.len())
    });
    Some(discounted(&shared.collect::<Vec<_>>(), depth) / ideal)
}

fn discounted(worths: &[f64], depth: usize) -> f64 {
    worths.iter().take(depth).zip(2_u32..).map(|(worth, rank)| worth / f64::from(rank).log2()).sum()
}

/// Area under the receiver operating characteristic: the share of pairs of a positive and a negative record in which the
/// positive one has the higher score, equal scores counting half (Hanley and McNeil 1982; the Mann–Whitney statistic).
/// Records are given as score and whether they are positive. `None` where all are of one kind.
#[must_use]
pub fn area_under_curve(records: &[(f64, bool)]) -> Option<f64> {
    let mut ranked = records.to_vec();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for equal in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let yes = equal.iter().filter(|(_, positive)| *positive).count() as f64;
        let no = equal.len() as f64 - yes;
        won += yes * (below + no / 2.0);
        below += no;
        positives += yes;
    }
    (positives > 0.0 && below > 0.0).then(|| won / (positives * below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: Option<f64>) -> bool {
        match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        }
    }

    #[test]
    fn gains_are_discounted_by_rank() {
        let check = |items: &[(f64, f64)], depth: usize, expected: Option<f64>| {
            assert!(near(ndcg(items, depth), expected), "{items:?}: {:?}", ndcg(items, depth));
        };
        let second = 1.0 / 3.0_f64.log2();
        check(&[], 10, None);
        check(&[(1.0, 0.0), (2.0, 0.0)], 10, None);
        check(&[(2.0, 3.0), (1.0, 1.0)], 10, Some(1.0));
        check(&[(1.0, 3.0), (2.0, 1.0)], 10, Some((1.0 + 7.0 * second) / (7.0 + second)));
        check(&[(1.0, 1.0), (2.0, 0.0)], 1, Some(0.0));
        check(&[(1.0, 1.0), (2.0, 0.0)], 2, Some(second));
        // Equal scores: the gain of 1 is at each of both ranks half of the time.
        check(&[(1.0, 1.0), (1.0, 0.0)], 2, Some(f64::midpoint(1.0, second)));
    }

    #[test]
    fn areas_are_shares_of_pairs_in_order() {
        let check = |records: &[(f64, bool)], expected: Option<f64>| {
            assert!(near(area_under_curve(records), expected), "{records:?}: {:?}", area_under_curve(records));
        };
        check(&[], None);
        check(&[(0.3, true)], None);
        check(&[(0.3, true), (0.1, false)], Some(1.0));
        check(&[(0.1, true), (0.3, false)], Some(0.0));
        check(&[(0.2, true), (0.2, false)], Some(0.5));
        // scikit-learn's example: scores 0.1, 0.4, 0.35, 0.8 of records 0, 0, 1, 1.
        check(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)], Some(0.75));
    }
}
