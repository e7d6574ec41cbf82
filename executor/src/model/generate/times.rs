//! How long tokens take.

use std::time::Instant;

use scenarios::units::Interval;

/// When the tokens of texts came.
#[derive(Debug, Clone)]
pub struct Times {
    started: Instant,
    /// Seconds from the start to each token of each text.
    of_texts: Vec<Vec<f64>>,
}

impl Times {
    /// Nothing has come of so many texts, which begin now.
    #[must_use]
    pub fn start(texts: usize) -> Self {
        Self { started: Instant::now(), of_texts: vec![Vec::new(); texts] }
    }

    /// A token of a text has come.
    pub fn token(&mut self, text: usize) {
        if let Some(times) = self.of_texts.get_mut(text) {
            times.push(self.started.elapsed().as_secs_f64());
        }
    }

    /// Seconds from the start to the first token of each text that has one.
    #[must_use]
    pub fn first_token(&self) -> Vec<f64> {
        self.of_texts.iter().filter_map(|times| times.first().copied()).collect()
    }

    /// Seconds between tokens that follow each other in a text.
    #[must_use]
    pub fn per_token(&self) -> Vec<f64> {
        self.of_texts.iter().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0])).collect()
    }

    /// Seconds from the start to the last token of each text that has one.
    #[must_use]
    pub fn whole(&self) -> Vec<f64> {
        self.of_texts.iter().filter_map(|times| times.last().copied()).collect()
    }

    /// Tokens of all texts in a second; none before the first.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let tokens: usize = self.of_texts.iter().map(Vec::len).sum();
        let last = self.whole().into_iter().fold(0.0, f64::max);
        (last > 0.0).then(|| tokens as f64 / last)
    }

    /// Percentiles of the times to the first token, and of those between tokens.
    #[must_use]
    pub fn intervals(&self) -> [Option<Interval>; 2] {
        [Interval::of(&self.first_token()), Interval::of(&self.per_token())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_within_texts() {
        let times = Times { started: Instant::now(), of_texts: vec![vec![1.0, 3.0, 4.0], vec![], vec![2.0]] };
        assert_eq!(times.first_token(), [1.0, 2.0]);
        assert_eq!((times.per_token(), times.whole()), (vec![2.0, 1.0], vec![4.0, 2.0]));
        assert_eq!((times.tokens_per_second(), Times::start(2).tokens_per_second()), (Some(1.0), None));
    }
}
