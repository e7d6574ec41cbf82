//! Cuts a chain of layers into stages for devices that need not be equal.

/// A cut of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Layers of every stage, in order.
    pub layers: Vec<usize>,
    /// Time of the slowest stage, in seconds.
    pub slowest_seconds: f64,
}

/// Why a chain cannot be cut.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PartitionError {
    /// Fewer layers than stages, or no stage.
    #[error("{layers} layers cannot be cut into {stages} stages")]
    Stages {
        /// Layers.
        layers: usize,
        /// Stages.
        stages: usize,
    },
    /// An exact cut would take too long.
    #[error("{layers} layers and {stages} stages are too many for an exact cut")]
    TooMany {
        /// Layers.
        layers: usize,
        /// Stages.
        stages: usize,
    },
    /// A layer's time is negative or no number.
    #[error("layer {layer} has a time of {seconds} s")]
    Time {
        /// Layer from 0.
        layer: usize,
        /// Its time.
        seconds: f64,
    },
    /// A speed is not above zero.
    #[error("stage {stage} has a speed of {speed}")]
    Speed {
        /// Stage from 0.
        stage: usize,
        /// Its speed.
        speed: f64,
    },
}

/// Most stages · layers².
const MOST_STEPS: usize = 1 << 28;

/// The cut whose slowest stage is fastest; every stage gets at least one layer.
///
/// `seconds` are the layers' times on a device of speed 1, `speeds` the devices in the order of the chain. Exact, by
/// dynamic programming over T(j, i) = min over k of max(T(j − 1, k), (t_{k+1} + … + t_i) / speed_j), in
/// O(stages · layers²).
///
/// # Errors
/// Fewer layers than stages, no stages, too many of them, or times and speeds that are none.
pub fn partition(seconds: &[f64], speeds: &[f64]) -> Result<Partition, PartitionError> {
    check(seconds, speeds)?;
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(seconds.iter().scan(0.0, |sum, time| {
            *sum += time;
            Some(*sum)
        }))
        .collect();
    // Times of the best cut of the first `i` layers, and where its last stage begins, for each number of stages.
    let mut best: Vec<f64> = vec![f64::INFINITY; sums.len()];
    best[0] = 0.0;
    let mut begins: Vec<Vec<usize>> = Vec::with_capacity(speeds.len());
    for (stage, speed) in speeds.iter().enumerate() {
        let row: Vec<(f64, usize)> = (0..sums.len()).map(|end| last_stage(&best, &sums, stage, end, *speed)).collect();
        best = row.iter().map(|(time, _)| *time).collect();
        begins.push(row.into_iter().map(|(_, begin)| begin).collect());
    }
    let mut layers = Vec::with_capacity(speeds.len());
    let mut end = seconds.len();
    for row in begins.iter().rev() {
        layers.push(end - row[end]);
        end = row[end];
    }
    layers.reverse();
    Ok(Partition { layers, slowest_seconds: best[seconds.len()] })
}

/// Best beginning of stage `stage`, which ends before layer `end`: the slowest time, and where it begins.
fn last_stage(best: &[f64], sums: &[f64], stage: usize, end: usize, speed: f64) -> (f64, usize) {
    if end <= stage {
        return (f64::INFINITY, 0);
    }
    if stage == 0 {
        return (sums[end] / speed, 0);
    }
    let own = |begin: usize| (sums[end] - sums[begin]) / speed;
    let slowest = |begin: usize| (best[begin].max(own(begin)), begin);
    (stage..end).map(slowest).fold((f64::INFINITY, stage), |best, other| if other.0 < best.0 { other } else { best })
}

fn check(seconds: &[f64], speeds: &[f64]) -> Result<(), PartitionError> {
    let (layers, stages) = (seconds.len(), speeds.len());
    if stages == 0 || layers < stages {
        return Err(PartitionError::Stages { layers, stages });
    }
    if layers.saturating_mul(layers).saturating_mul(stages) > MOST_STEPS {
        return Err(PartitionError::TooMany { layers, stages });
    }
    if let Some(layer) = seconds.iter().position(|time| !(0.0..=1e15).contains(time)) {
        return Err(PartitionError::Time { layer, seconds: seconds[layer] });
    }
    match speeds.iter().position(|speed| !(1e-15..=1e15).contains(speed)) {
        Some(stage) => Err(PartitionError::Speed { stage, speed: speeds[stage] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faster_devices_take_more_layers() {
        let check = |seconds: &[f64], speeds: &[f64], expected: &[usize], slowest: f64| {
            let found = partition(seconds, speeds).expect("it can be cut");
            assert_eq!(found.layers, expected);
            assert!((found.slowest_seconds - slowest).abs() < 1e-12, "{found:?}");
        };
        check(&[1.0; 8], &[1.0; 4], &[2; 4], 2.0);
        check(&[1.0; 9], &[2.0, 1.0], &[6, 3], 3.0);
        check(&[5.0, 1.0, 1.0, 1.0], &[1.0, 1.0], &[1, 3], 5.0);
        check(&[0.0; 3], &[1.0; 3], &[1; 3], 0.0);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let check = |seconds: &[f64], speeds: &[f64], expected: &str| {
            let message = partition(seconds, speeds).err().map(|error| error.to_string());
            assert_eq!(message.as_deref(), Some(expected));
        };
        check(&[1.0], &[1.0, 1.0], "1 layers cannot be cut into 2 stages");
        check(&[1.0], &[], "1 layers cannot be cut into 0 stages");
        check(&[1.0, f64::NAN], &[1.0], "layer 1 has a time of NaN s");
        check(&[1.0], &[0.0], "stage 0 has a speed of 0");
    }

    /// Slowest stage of the best of all cuts.
    fn best_of_all(seconds: &[f64], speeds: &[f64]) -> f64 {
        let Some((speed, others)) = speeds.split_first() else {
            return if seconds.is_empty() { 0.0 } else { f64::INFINITY };
        };
        let cuts = 1..=seconds.len();
        let slowest =
            |cut: usize| (seconds[..cut].iter().sum::<f64>() / speed).max(best_of_all(&seconds[cut..], others));
        cuts.map(slowest).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn no_cut_is_better(
            seconds in prop::collection::vec(0.0..3.0, 4..10), speeds in prop::collection::vec(0.5..3.0, 1..5),
        ) {
            let found = partition(&seconds, &speeds).expect("it can be cut");
            prop_assert_eq!(found.layers.iter().sum::<usize>(), seconds.len());
            prop_assert!(found.layers.iter().all(|layers| *layers > 0));
            prop_assert!((found.slowest_seconds - best_of_all(&seconds, &speeds)).abs() < 1e-9);
        }
    }
}
