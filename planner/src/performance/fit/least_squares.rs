//! Non-linear least squares for constants that differ a little from group to group.
//!
//! Every row has the same kinds of constants, in logarithms. A row's constant is the prior plus the deviations of
//! all groups that the row belongs to (all rows, its device, its software stack, …). Deviations are pulled
//! toward zero by a ridge, so that a group with few rows stays near the larger group that holds it (a maximum a
//! posteriori estimate of a mixed-effects model). Levenberg–Marquardt, solved by conjugate gradients; outliers are
//! weighted down as in Huber's M-estimator.

/// Groups of constants with the rows that inform them.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// Start of every constant, in logarithms.
    pub prior: Vec<f64>,
    /// Standard deviation of each constant (columns) in each group (rows), in logarithms; 0 holds it fixed.
    pub spread: Vec<Vec<f64>>,
    /// For each row of measurements the groups that it belongs to.
    pub members: Vec<Vec<usize>>,
    /// Rows whose squared errors count; others have been left out.
    pub used: Vec<bool>,
}

/// Steps at most.
const STEPS: usize = 80;
/// Share of the loss that a step must gain for another to follow.
const ENOUGH: f64 = 1e-5;
/// Damping beyond which no better point is expected.
const MOST_DAMPING: f64 = 1e4;
/// Conjugate-gradient steps of one step at most.
const INNER_STEPS: usize = 400;
/// Errors beyond this many standard deviations count by their size, not their square (Huber 1964).
const HUBER: f64 = 1.345;
/// Step of a numeric derivative in logarithms.
const DIFFERENCE: f64 = 1e-4;
/// Largest change of a constant in one step, in logarithms.
const LARGEST_CHANGE: f64 = 0.5;

impl Hierarchy {
    /// Constants of a row that belongs to `groups`.
    #[must_use]
    pub fn constants(&self, deviations: &[Vec<f64>], groups: &[usize]) -> Vec<f64> {
        let mut sum = self.prior.clone();
        for group in groups {
            for (value, deviation) in sum.iter_mut().zip(&deviations[*group]) {
                *value += deviation;
            }
        }
        sum
    }

    /// Deviations of every group that make the rows' errors small.
    ///
    /// `error(row, constants)` is a row's error in units of the standard deviation that is expected of it.
    pub fn fit(&self, error: impl Fn(usize, &[f64]) -> f64) -> Vec<Vec<f64>> {
        let mut at = vec![vec![0.0; self.prior.len()]; self.spread.len()];
        let mut best = self.loss(&at, &error);
        let mut damping = 0.0;
        let mut rows = self.linearise(&at, &error);
        for _ in 0..STEPS {
            let step = self.solve(&at, &rows, damping);
            let next = moved(&at, &step);
            let loss = self.loss(&next, &error);
            if loss < best {
                let gained = best - loss;
                (at, best) = (next, loss);
                if gained < ENOUGH * best {
                    break;
                }
                rows = self.linearise(&at, &error);
                damping = if damping < 0.1 { 0.0 } else { damping / 8.0 };
            } else if damping > MOST_DAMPING {
                break;
            } else {
                damping = (8.0 * damping).max(0.1);
            }
        }
        at
    }

    /// Huber's loss of all rows plus the ridge.
    fn loss(&self, at: &[Vec<f64>], error: &impl Fn(usize, &[f64]) -> f64) -> f64 {
        let rows = self.rows().map(|row| {
            let size = error(row, &self.constants(at, &self.members[row])).abs();
            if size <= HUBER { 0.5 * size * size } else { HUBER * (size - 0.5 * HUBER) }
        });
        let ridge = at.iter().zip(&self.spread).flat_map(|(deviations, spreads)| deviations.iter().zip(spreads));
        rows.sum::<f64>() + ridge.map(|(value, spread)| 0.5 * scaled(*value, *spread).powi(2)).sum::<f64>()
    }

    fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.members.len()).filter(|row| self.used[*row])
    }

    fn linearise(&self, at: &[Vec<f64>], error: &impl Fn(usize, &[f64]) -> f64) -> Vec<Linear> {
        self.rows()
            .map(|row| {
                let mut constants = self.constants(at, &self.members[row]);
                let value = error(row, &constants);
                let slopes = (0..constants.len()).map(|k| {
                    let before = constants[k];
                    constants[k] = before + DIFFERENCE;
                    let slope = (error(row, &constants) - value) / DIFFERENCE;
                    constants[k] = before;
                    slope
                });
                let slopes = slopes.collect();
                let weight = if value.abs() <= HUBER { 1.0 } else { HUBER / value.abs() };
                Linear { row, value, slopes, weight }
            })
            .collect()
    }

    /// Solves (JᵀWJ + R + damping) x = −(JᵀWe + R·at) by conjugate gradients, in units of each deviation's spread.
    fn solve(&self, at: &[Vec<f64>], rows: &[Linear], damping: f64) -> Vec<Vec<f64>> {
        let zero = || vec![vec![0.0; self.prior.len()]; self.spread.len()];
        let mut residual = zero();
        for linear in rows {
            self.scatter(linear, -linear.weight * linear.value, &mut residual);
        }
        each(&mut residual, |g, k, value| *value -= scaled(at[g][k], self.spread[g][k]));
        let (mut solution, mut direction) = (zero(), residual.clone());
        let mut squared = dot(&residual, &residual);
        let enough = 1e-12 * squared;
        for _ in 0..INNER_STEPS {
            if squared <= enough {
                break;
            }
            let mut image = direction.clone();
            each(&mut image, |_, _, value| *value *= 1.0 + damping);
            for linear in rows {
                self.scatter(linear, linear.weight * self.gather(linear, &direction), &mut image);
            }
            let length = squared / dot(&direction, &image);
            each(&mut solution, |g, k, value| *value += length * direction[g][k]);
            each(&mut residual, |g, k, value| *value -= length * image[g][k]);
            let next = dot(&residual, &residual);
            each(&mut direction, |g, k, value| *value = residual[g][k] + next / squared * *value);
            squared = next;
        }
        each(&mut solution, |g, k, value| *value *= self.spread[g][k]);
        solution
    }

    fn scatter(&self, linear: &Linear, factor: f64, into: &mut [Vec<f64>]) {
        for group in &self.members[linear.row] {
            for (k, slope) in linear.slopes.iter().enumerate() {
                into[*group][k] += factor * slope * self.spread[*group][k];
            }
        }
    }

    fn gather(&self, linear: &Linear, from: &[Vec<f64>]) -> f64 {
        let groups = self.members[linear.row].iter();
        groups
            .map(|group| {
                let terms = linear.slopes.iter().enumerate();
                terms.map(|(k, slope)| slope * self.spread[*group][k] * from[*group][k]).sum::<f64>()
            })
            .sum()
    }
}

/// A row's error near the present constants.
struct Linear {
    row: usize,
    value: f64,
    slopes: Vec<f64>,
    weight: f64,
}

/// `at` moved by `step`, shortened so that no constant changes too much at once.
fn moved(at: &[Vec<f64>], step: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let largest = step.iter().flatten().fold(0.0, |largest: f64, change| largest.max(change.abs()));
    let length = (LARGEST_CHANGE / largest).min(1.0);
    let mut next = at.to_vec();
    each(&mut next, |g, k, value| *value += length * step[g][k]);
    next
}

fn scaled(value: f64, spread: f64) -> f64 {
    if spread > 0.0 { value / spread } else { 0.0 }
}

fn each(values: &mut [Vec<f64>], mut change: impl FnMut(usize, usize, &mut f64)) {
    for (g, row) in values.iter_mut().enumerate() {
        for (k, value) in row.iter_mut().enumerate() {
            change(g, k, value);
        }
    }
}

fn dot(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times a·x + b of two machines, of which the second is twice as slow and was measured less often.
    fn measured() -> Vec<(usize, f64, f64)> {
        let time = |machine: usize, x: f64| (if machine == 0 { 1.0 } else { 2.0 }) * (3.0 * x + 0.5);
        let rows = (1..=12).map(|i| (usize::from(i % 4 == 0), f64::from(i)));
        rows.map(|(machine, x)| (machine, x, time(machine, x))).collect()
    }

    fn hierarchy(spread_of_machines: f64) -> Hierarchy {
        let rows = measured();
        Hierarchy {
            prior: vec![0.0, 0.0],
            spread: vec![vec![3.0; 2], vec![spread_of_machines; 2], vec![spread_of_machines; 2]],
            members: rows.iter().map(|(machine, ..)| vec![0, 1 + machine]).collect(),
            used: vec![true; rows.len()],
        }
    }

    fn error(row: usize, constants: &[f64]) -> f64 {
        let (_, x, time) = measured()[row];
        ((constants[0].exp() * x + constants[1].exp()) / time).ln() / 0.01
    }

    #[test]
    fn groups_take_their_own_constants_as_far_as_the_ridge_lets_them() {
        let check = |spread: f64, slower: f64, tolerance: f64| {
            let hierarchy = hierarchy(spread);
            let fitted = hierarchy.fit(error);
            let slope = |machine: usize| hierarchy.constants(&fitted, &[0, 1 + machine])[0];
            let found = (slope(1) - slope(0)).exp();
            assert!((found - slower).abs() < tolerance, "{spread}: {found} instead of {slower}");
        };
        check(1.0, 2.0, 0.01);
        check(0.0, 1.0, 1e-12);
    }

    #[test]
    fn rows_that_are_left_out_do_not_count() {
        let mut hierarchy = hierarchy(1.0);
        for (row, (machine, ..)) in measured().into_iter().enumerate() {
            hierarchy.used[row] = machine == 0;
        }
        let fitted = hierarchy.fit(error);
        assert_eq!(fitted[2], [0.0, 0.0]);
        let slope = hierarchy.constants(&fitted, &[0, 1])[0].exp();
        assert!((slope - 3.0).abs() < 0.01, "{slope}");
    }
}
