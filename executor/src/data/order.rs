//! Which records a step reads: a function of the seed and the step alone.

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What draws orders; records draw by their positions.
const ORDER: u64 = u64::MAX;
/// What draws the place where the windows of a text begin.
const OFFSET: u64 = u64::MAX - 1;
/// What draws windows with replacement, in the place of the epoch.
const WINDOWS: u32 = u32::MAX;

/// Positions `0..count` in an order drawn by the seed and the epoch.
pub(super) fn of_epoch(count: usize, seed: u64, epoch: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut stream(seed, epoch, ORDER));
    order
}

/// Place from 0 to `slack` where the windows of a text begin in an epoch.
pub(super) fn offset(slack: usize, seed: u64, epoch: u32) -> usize {
    below(&mut stream(seed, epoch, OFFSET), slack + 1)
}

/// Starts of `count` windows of a text, each drawn from the first `starts` places, of one step.
pub(super) fn windows(count: usize, starts: usize, seed: u64, step: u64) -> Vec<usize> {
    let mut random = stream(seed, WINDOWS, step);
    (0..count).map(|_| below(&mut random, starts)).collect()
}

/// A number below a limit; the bias is below limit / 2^64.
pub(super) fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    ((u128::from(random.next_u64()) * limit as u128) >> 64) as usize
}

/// Random numbers for one purpose in one epoch.
pub(super) fn stream(seed: u64, epoch: u32, purpose: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&purpose.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_depend_on_seed_and_epoch_only() {
        assert_eq!(of_epoch(50, 1, 1), of_epoch(50, 1, 1));
        assert_ne!(of_epoch(50, 1, 1), of_epoch(50, 1, 2));
        assert_ne!(of_epoch(50, 1, 1), of_epoch(50, 2, 1));
        assert_eq!(windows(9, 50, 1, 3), windows(9, 50, 1, 3));
        assert_ne!(windows(9, 50, 1, 3), windows(9, 50, 1, 4));
    }

    #[test]
    fn every_place_is_drawn_and_none_beyond() {
        let offsets: Vec<usize> = (1..400).map(|epoch| offset(6, 1, epoch)).collect();
        assert!((0..=6).all(|place| offsets.contains(&place)) && offsets.iter().all(|&place| place <= 6));
        let starts = windows(400, 7, 1, 0);
        assert!((0..7).all(|place| starts.contains(&place)) && starts.iter().all(|&place| place < 7));
        assert_eq!(offset(0, 1, 1), 0);
    }
}
