//! The best single pipeline: each stage is one machine, and the slowest sets the rate.

use super::fleet::Fleet;

/// Stages of a pipeline as (class, layers held), and the rate of its slowest.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pipeline {
    pub stages: Vec<(usize, usize)>,
    pub rate: f64,
}

/// The fastest pipeline over some machines of each class; none if they cannot hold all layers.
///
/// For each rate that a machine can have, the highest first, machines hold whatever number of layers leaves them as fast;
/// the first rate at which those numbers can add up to all layers is the best.
pub(super) fn fastest(fleet: &Fleet, counts: &[usize]) -> Option<Pipeline> {
    let in_use = fleet.classes().iter().zip(counts).filter(|(_, count)| **count > 0);
    let mut rates: Vec<f64> = in_use.flat_map(|(class, _)| class.tokens_per_second.iter().copied()).collect();
    rates.retain(|rate| *rate > 0.0);
    rates.sort_by(|a, b| b.total_cmp(a));
    rates.dedup();
    // What is possible at a rate is possible at every lower one.
    let possible = rates.partition_point(|rate| stages(fleet, counts, *rate).is_none());
    let rate = *rates.get(possible)?;
    Some(Pipeline { stages: stages(fleet, counts, rate)?, rate })
}

/// Stages that hold exactly all layers at no less than a rate.
fn stages(fleet: &Fleet, counts: &[usize], rate: f64) -> Option<Vec<(usize, usize)>> {
    let sums: Vec<Vec<Option<(usize, usize)>>> = fleet
        .classes()
        .iter()
        .zip(counts)
        .map(|(class, count)| {
            let layers: Vec<usize> = (1..=fleet.layers()).filter(|layers| class.rate(*layers) >= rate).collect();
            sums(&layers, *count, fleet.layers())
        })
        .collect();
    let mut left = shares(&sums, fleet.layers())?;
    let mut stages = Vec::new();
    for (class, sums) in sums.iter().enumerate() {
        let mut share = left.remove(0);
        while let Some((_, layers)) = sums[share].filter(|(_, layers)| *layers > 0) {
            stages.push((class, layers));
            share -= layers;
        }
    }
    Some(stages)
}

/// For each number of layers that at most `count` machines can hold together: the fewest machines, and what the last of
/// them holds.
fn sums(allowed: &[usize], count: usize, most: usize) -> Vec<Option<(usize, usize)>> {
    let mut sums: Vec<Option<(usize, usize)>> = vec![None; most + 1];
    sums[0] = Some((0, 0));
    for total in 1..=most {
        let before = |layers: &usize| {
            let (machines, _) = sums[total.checked_sub(*layers)?]?;
            (machines < count).then_some((machines + 1, *layers))
        };
        sums[total] = allowed.iter().filter_map(before).min();
    }
    sums
}

/// How many layers each class holds, so that all are held.
fn shares(sums: &[Vec<Option<(usize, usize)>>], layers: usize) -> Option<Vec<usize>> {
    // reached[i][t]: what class i − 1 holds if the first i classes hold t layers.
    let mut reached: Vec<Vec<Option<usize>>> = vec![vec![None; layers + 1]];
    reached[0][0] = Some(0);
    for class in sums {
        let shares: Vec<usize> = (0..=layers).filter(|share| class[*share].is_some()).collect();
        let last = &reached[reached.len() - 1];
        let next = (0..=layers)
            .map(|total| shares.iter().copied().find(|share| *share <= total && last[total - share].is_some()))
            .collect();
        reached.push(next);
    }
    let mut total = layers;
    let mut shares = Vec::new();
    for reached in reached.iter().skip(1).rev() {
        let share = reached[total]?;
        shares.push(share);
        total -= share;
    }
    shares.reverse();
    (total == 0).then_some(shares)
}
