//! What each replica of a training reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::batches::BatchShare;
use super::prepare::Prepared;
use super::records::Records;

/// What one replica of a training reads.
///
/// Replicas share all records, or, of a data set that lies at several sites in parts, those of their site: no record is
/// ever read elsewhere.
#[derive(Debug, Clone)]
pub struct Portion {
    /// Site that the replica stands for; empty where nobody says.
    pub site: String,
    /// Records to learn from.
    pub train: Arc<Records>,
    /// Records to look at after each epoch; there may be none.
    pub validation: Arc<Records>,
    /// Which of the records of each batch that is drawn from them it reads.
    pub batch: BatchShare,
    /// Its number among the replicas that share these records.
    peer: usize,
    /// Replicas that share them.
    peers: usize,
}

impl Portion {
    /// Portions of replicas at one place that share all records and take so many of each global batch.
    #[must_use]
    pub fn alike(train: &Arc<Records>, validation: &Arc<Records>, shares: &[usize]) -> Vec<Self> {
        let of = |peer| Self {
            site: String::new(),
            train: Arc::clone(train),
            validation: Arc::clone(validation),
            batch: BatchShare::of(shares, peer),
            peer,
            peers: shares.len(),
        };
        (0..shares.len()).map(of).collect()
    }

    /// Portions of replicas, given by their sites and their records of each global batch. `part_of` tells the part of the
    /// data set that a site holds; none where each replica may read everything.
    #[must_use]
    pub fn of_replicas(
        prepared: &Prepared,
        replicas: &[(String, usize)],
        part_of: impl Fn(&str) -> Option<usize>,
    ) -> Vec<Self> {
        let of_replicas: Vec<Option<usize>> = replicas.iter().map(|(site, _)| part_of(site)).collect();
        let parts: BTreeSet<Option<usize>> = of_replicas.iter().copied().collect();
        let mut portions: Vec<(usize, Self)> = Vec::with_capacity(replicas.len());
        for part in parts {
            let (train, validation) = match part.map(|part| &prepared.parts[part]) {
                None => (Arc::clone(&prepared.train), Arc::clone(&prepared.validation)),
                Some(ranges) => {
                    let train = prepared.train.range(ranges.train.clone());
                    (Arc::new(train), Arc::new(prepared.validation.range(ranges.validation.clone())))
                }
            };
            let peers: Vec<usize> = (0..replicas.len()).filter(|at| of_replicas[*at] == part).collect();
            let shares: Vec<usize> = peers.iter().map(|at| replicas[*at].1).collect();
            let at_site = |(at, portion): (usize, Self)| (at, Self { site: replicas[at].0.clone(), ..portion });
            portions.extend(peers.into_iter().zip(Self::alike(&train, &validation, &shares)).map(at_site));
        }
        portions.sort_by_key(|(at, _)| *at);
        portions.into_iter().map(|(_, portion)| portion).collect()
    }

    /// Positions of the validation records that it looks at.
    #[must_use]
    pub fn validated(&self) -> Vec<usize> {
        let all: Vec<usize> = (0..self.validation.len()).collect();
        let each = all.len().div_ceil(self.peers).max(1);
        all.chunks(each).nth(self.peer).unwrap_or_default().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{Preprocessing, Split};

    use super::super::host::HostInputs;
    use super::super::{Batches, prepare};
    use super::*;

    /// Pixels that a replica reads in so many steps, and how many it looks at.
    fn read(portion: &Portion, steps: u64) -> (Vec<f32>, usize) {
        let preprocessing = Preprocessing::default();
        let mut batches = Batches::new(&portion.train, &preprocessing, portion.batch.clone(), 5);
        let pixels = |step| match batches.batch(step).inputs {
            HostInputs::Numbers(_, values) => values.iter().map(|value| (255.0 * value).round()).collect::<Vec<_>>(),
            other => unreachable!("they are images, not {other:?}"),
        };
        ((0..steps).flat_map(pixels).collect(), portion.validated().len())
    }

    #[test]
    fn replicas_read_what_lies_at_their_site() {
        let records = Records::grey(1, 1, (0..100).collect(), &[0; 100]);
        let split = Split { validation: 0.2, test: 0.0 };
        let prepared = prepare(&records, &records, (1, &[60, 40]), split, 1);
        let replicas = [("a", 4), ("b", 3), ("a", 1)].map(|(site, records)| (site.to_owned(), records));
        let by_site = Portion::of_replicas(&prepared, &replicas, |site| Some(usize::from(site == "b")));
        let mut of_a = Vec::new();
        for (portion, (site, records)) in by_site.iter().zip(&replicas) {
            let bound = if site == "a" { 0.0..60.0 } else { 60.0..100.0 };
            let (pixels, _) = read(portion, 40);
            assert_eq!(pixels.len(), 40 * records);
            assert!(pixels.iter().all(|pixel| bound.contains(pixel)), "{site}: {pixels:?}");
            if site == "a" {
                let one_pass = (portion.train.len() / 5) * records;
                of_a.extend_from_slice(&pixels[..one_pass]);
            }
        }
        let seen = of_a.len();
        of_a.sort_by(f32::total_cmp);
        of_a.dedup();
        assert_eq!(of_a.len(), seen, "a record was read twice in one pass");
        assert_eq!(by_site.iter().map(|portion| portion.validated().len()).sum::<usize>(), 20);
        let of_all = Portion::of_replicas(&prepared, &replicas, |_| None);
        assert!(of_all.iter().all(|portion| portion.train.len() == 80 && portion.batch.global_batch() == 8));
        assert_eq!(of_all.iter().map(|portion| portion.validated().len()).sum::<usize>(), 20);
    }
}
