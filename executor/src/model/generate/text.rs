//! A text that grows, and how its tokens are chosen.

use std::num::NonZeroUsize;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How a token is chosen by the scores of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The first one with the greatest score.
    Greedy,
    /// Drawn by softmax(score / temperature).
    Drawn {
        /// Above 0; below 1 likely tokens become more likely.
        temperature: f32,
        /// Only among so many with the greatest scores.
        top: Option<NonZeroUsize>,
        /// With the number of the prompt it decides every draw.
        seed: u64,
    },
}

/// A text as it grows.
pub(super) struct Text {
    pub number: usize,
    pub tokens: Vec<usize>,
    /// Length at which it ends; what the batch computes beyond is not of the text.
    pub end: usize,
    random: ChaCha8Rng,
}

impl Text {
    pub fn new(number: usize, prompt: &[usize], count: usize, sampling: Sampling) -> Self {
        let seed = match sampling {
            Sampling::Greedy => 0,
            Sampling::Drawn { seed, .. } => seed,
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number as u64);
        Self { number, tokens: prompt.to_vec(), end: prompt.len() + count, random }
    }

    pub const fn is_done(&self) -> bool {
        self.tokens.len() >= self.end
    }

    pub fn choose(&mut self, scores: &[f32], sampling: Sampling) -> usize {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let first = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
        let Sampling::Drawn { temperature, top, .. } = sampling else {
            return order.into_iter().min_by(first).unwrap_or(0);
        };
        order.sort_unstable_by(first);
        order.truncate(top.map_or(usize::MAX, NonZeroUsize::get));
        let greatest = scores[order[0]];
        let weight = |token: &usize| f64::from((scores[*token] - greatest) / temperature).exp();
        let mut rest = self.random.random::<f64>() * order.iter().map(weight).sum::<f64>();
        let chosen = order.iter().find(|token| {
            rest -= weight(token);
            rest < 0.0
        });
        chosen.or(order.last()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_draws_are_the_probabilities() {
        let mut text = Text::new(0, &[0], 1, Sampling::Drawn { temperature: 2.0, top: None, seed: 5 });
        let sampling = Sampling::Drawn { temperature: 2.0, top: None, seed: 5 };
        let scores = [0.0, 2.0, 4.0, -2.0];
        let mut counts = [0.0; 4];
        (0..20_000).for_each(|_| counts[text.choose(&scores, sampling)] += 1.0 / 20_000.0);
        let sum: f64 = scores.iter().map(|score| f64::from(score / 2.0).exp()).sum();
        for (count, score) in counts.iter().zip(scores) {
            assert!((count - f64::from(score / 2.0).exp() / sum).abs() < 0.02, "{counts:?}");
        }
    }
}
