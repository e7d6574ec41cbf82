//! All series-parallel compositions of machines, by dynamic programming.
//!
//! `V(k, n)` is the most that machines `n` (a count of each class) carry over `k` layers:
//! the rate of a single machine that holds them; or two parts side by side, `V(k, m) + V(k, n − m)`; or two parts one
//! after the other, `min(V(j, m), V(k − j, n − m))`.

use super::fleet::Fleet;

/// Most steps of the program; about a second.
const MOST_STEPS: u64 = 400_000_000;

/// A machine in its place: class, first layer, layers held.
pub(super) type Held = (usize, usize, usize);

/// The best composition of all machines; none if there are too many of them to look at.
pub(super) fn best(fleet: &Fleet) -> Option<Vec<Held>> {
    let table = Table::new(fleet)?;
    let mut held = Vec::new();
    table.build(fleet.layers(), table.sets.len() - 1, 0, &mut held);
    Some(held)
}

struct Table<'a> {
    fleet: &'a Fleet,
    /// Machines of each class, by the index of a set; the index of a difference is the difference of the indices.
    sets: Vec<Vec<usize>>,
    /// For each set the indices of its subsets.
    subsets: Vec<Vec<u32>>,
    /// `V(k, n)` at `k · sets + n`.
    most: Vec<f64>,
}

impl<'a> Table<'a> {
    fn new(fleet: &'a Fleet) -> Option<Self> {
        let counts = fleet.counts();
        let pairs = counts.iter().try_fold(1_u64, |pairs, count| {
            let count = *count as u64;
            pairs.checked_mul((count + 1).checked_mul(count + 2)? / 2)
        })?;
        let splits = (fleet.layers() as u64).pow(2) / 4 + fleet.layers() as u64;
        pairs.checked_mul(splits).filter(|steps| *steps <= MOST_STEPS)?;
        let sets = sets(&counts);
        let subsets = sets.iter().map(|set| subsets(set, &counts)).collect();
        let most = vec![0.0; (fleet.layers() + 1) * sets.len()];
        let mut table = Self { fleet, sets, subsets, most };
        for layers in 1..=fleet.layers() {
            for set in 1..table.sets.len() {
                table.most[layers * table.sets.len() + set] = table.evaluate(layers, set);
            }
        }
        Some(table)
    }

    fn get(&self, layers: usize, set: usize) -> f64 {
        self.most[layers * self.sets.len() + set]
    }

    fn evaluate(&self, layers: usize, set: usize) -> f64 {
        let mut best = self.alone(layers, set).map_or(0.0, |(_, rate)| rate);
        for &part in &self.subsets[set] {
            let (part, rest) = (part as usize, set - part as usize);
            if part <= rest {
                best = best.max(self.get(layers, part) + self.get(layers, rest));
            }
        }
        for first in 1..=layers / 2 {
            let width = self.sets.len();
            let (front, back) = (&self.most[first * width..][..width], &self.most[(layers - first) * width..][..width]);
            for &part in &self.subsets[set] {
                best = best.max(front[part as usize].min(back[set - part as usize]));
            }
        }
        best
    }

    /// The class of the only machine of a set, and its rate.
    fn alone(&self, layers: usize, set: usize) -> Option<(usize, f64)> {
        let counts = &self.sets[set];
        let class = counts.iter().position(|count| *count == 1)?;
        (counts.iter().sum::<usize>() == 1).then(|| (class, self.fleet.classes()[class].rate(layers)))
    }

    /// Puts the machines of a set in their places from layer `start` on. Machines that carry nothing are left out.
    fn build(&self, layers: usize, set: usize, start: usize, held: &mut Vec<Held>) {
        let value = self.get(layers, set);
        if value <= 0.0 {
            return;
        }
        if let Some((class, _)) = self.alone(layers, set) {
            held.push((class, start, layers));
            return;
        }
        let parts = || self.subsets[set].iter().map(|part| (*part as usize, set - *part as usize));
        // The equalities are exact: the value was computed by the same operations.
        let is_value = |found: f64| found.total_cmp(&value).is_eq();
        let beside = parts().find(|(part, rest)| {
            *part != 0 && part <= rest && is_value(self.get(layers, *part) + self.get(layers, *rest))
        });
        let idle = parts().find(|(part, _)| *part != 0 && *part != set && is_value(self.get(layers, *part)));
        if let Some((part, _)) = idle {
            return self.build(layers, part, start, held);
        }
        if let Some((part, rest)) = beside {
            self.build(layers, part, start, held);
            return self.build(layers, rest, start, held);
        }
        for first in 1..=layers / 2 {
            let found =
                parts().find(|(part, rest)| is_value(self.get(first, *part).min(self.get(layers - first, *rest))));
            if let Some((part, rest)) = found {
                self.build(first, part, start, held);
                return self.build(layers - first, rest, start + first, held);
            }
        }
    }
}

/// All sets of machines, the last class counting fastest.
fn sets(counts: &[usize]) -> Vec<Vec<usize>> {
    let mut sets = vec![Vec::new()];
    for count in counts {
        let longer = |set: &Vec<usize>| {
            let set = set.clone();
            (0..=*count).map(move |more| [set.as_slice(), &[more]].concat()).collect::<Vec<_>>()
        };
        sets = sets.iter().flat_map(longer).collect();
    }
    sets
}

/// Indices of all subsets of a set.
fn subsets(set: &[usize], counts: &[usize]) -> Vec<u32> {
    let mut indices = vec![0_u32];
    for (held, count) in set.iter().zip(counts) {
        let longer = |index: &u32| {
            let base = index * (*count as u32 + 1);
            (0..=*held as u32).map(move |more| base + more)
        };
        indices = indices.iter().flat_map(longer).collect();
    }
    indices
}
