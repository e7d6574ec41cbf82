//! The learning rate of a step.

use scenarios::scenario::{CosineRate, Rate, StepRate};

/// The learning rate of a step, from 0, of a training of `steps` steps.
#[must_use]
pub fn at(rate: Rate, base: f64, step: u64, steps: u64) -> f64 {
    match rate {
        Rate::Constant => base,
        Rate::Step(StepRate { every, factor }) => {
            let times = i32::try_from(step / u64::from(every.get())).unwrap_or(i32::MAX);
            base * factor.powi(times)
        }
        Rate::Cosine(CosineRate { warm_up, .. }) if step < u64::from(warm_up) => {
            base * (step + 1) as f64 / f64::from(warm_up)
        }
        Rate::Cosine(CosineRate { warm_up, floor }) => {
            let falling = steps.saturating_sub(u64::from(warm_up) + 1).max(1) as f64;
            let share = ((step - u64::from(warm_up)) as f64 / falling).min(1.0);
            let cosine = 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
            base * (floor + (1.0 - floor) * cosine)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn rates_follow_their_course() {
        let check = |rate: Rate, expected: &[(u64, f64)]| {
            for (step, expected) in expected {
                let found = at(rate, 2.0, *step, 101);
                assert!((found - expected).abs() < 1e-12, "{rate:?} at {step}: {found} instead of {expected}");
            }
        };
        check(Rate::Constant, &[(0, 2.0), (500, 2.0)]);
        let every = NonZeroU32::new(30).expect("not zero");
        check(Rate::Step(StepRate { every, factor: 0.5 }), &[(0, 2.0), (29, 2.0), (30, 1.0), (90, 0.25)]);
        let cosine = |warm_up, floor| Rate::Cosine(CosineRate { warm_up, floor });
        check(cosine(0, 0.0), &[(0, 2.0), (50, 1.0), (100, 0.0), (200, 0.0)]);
        check(cosine(10, 0.1), &[(0, 0.2), (9, 2.0), (10, 2.0), (55, 1.1), (100, 0.2)]);
        check(cosine(1000, 0.0), &[(0, 0.002), (100, 0.202)]);
    }
}
