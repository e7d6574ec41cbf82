//! Figures of merit of answers, by task.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::answer::Answer;
use super::jackknife::{self, GROUPS};
use crate::metrics;
use crate::model::detector::Detection;
use crate::model::detector::boxes::Place;

/// Items that a user is shown.
const DEPTH: usize = 10;

/// Figures by name.
pub type Figures = IndexMap<&'static str, Figure>;

/// A figure of merit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// Where it lies in 95 of 100 draws of as many records; none of fewer than 20.
    pub interval: Option<[f64; 2]>,
}

/// A figure as a function of answers; none where they do not define it.
type Metric = fn(&[&Answer]) -> Option<f64>;

/// What a figure can be, at most.
type Range = [f64; 2];

const SHARE: Range = [0.0, 1.0];
const POSITIVE: Range = [0.0, f64::INFINITY];

/// The figures of the task of these answers. Accuracies have Wilson's interval, all others that of the jackknife over records,
/// or over users.
pub(super) fn of(answers: &[Answer]) -> Figures {
    let all: Vec<&Answer> = answers.iter().collect();
    let mut figures = Figures::new();
    for (name, metric, range) in metrics_of(answers.first()) {
        let Some(value) = metric(&all) else { continue };
        let interval = if *name == "accuracy" {
            Some(jackknife::of_share(value, all.len() as f64))
        } else {
            let half = jackknife::half_width(|group| metric(&without(&all, group)));
            half.map(|half| [(value - half).max(range[0]), (value + half).min(range[1])])
        };
        figures.insert(name, Figure { value, interval: interval.filter(|_| all.len() >= GROUPS) });
    }
    figures
}

const fn metrics_of(first: Option<&Answer>) -> &'static [(&'static str, Metric, Range)] {
    match first {
        None => &[],
        Some(Answer::Class { .. }) => {
            &[("accuracy", accuracy, SHARE), ("loss", loss, POSITIVE), ("macro_f1", macro_f1, SHARE)]
        }
        Some(Answer::Tokens { .. }) => {
            &[("loss", loss, POSITIVE), ("perplexity", perplexity, POSITIVE), ("token_accuracy", token_accuracy, SHARE)]
        }
        Some(Answer::Numbers { .. }) => &[("rmse", rmse, POSITIVE), ("ndcg_at_10", ndcg, SHARE)],
        Some(Answer::Click { .. }) => &[("accuracy", accuracy, SHARE), ("loss", loss, POSITIVE), ("auc", auc, SHARE)],
        Some(Answer::Objects { .. }) => &[("map_50", map_50, SHARE), ("map_50_95", map_50_95, SHARE)],
    }
}

/// Answers but those of one group of records or users.
fn without<'a>(answers: &[&'a Answer], group: usize) -> Vec<&'a Answer> {
    let of = |(place, answer): (usize, &Answer)| match answer {
        Answer::Numbers { user: Some(user), .. } => user % GROUPS,
        _ => place % GROUPS,
    };
    answers
        .iter()
        .enumerate()
        .filter(|(place, answer)| of((*place, answer)) != group)
        .map(|(_, answer)| *answer)
        .collect()
}

/// Rows are true classes, columns found ones.
pub(super) fn confusion(answers: &[&Answer]) -> Vec<Vec<u64>> {
    let mut confusion = Vec::new();
    for answer in answers {
        if let Answer::Class { truth, found, of, .. } = **answer {
            confusion.resize_with(of, || vec![0; of]);
            confusion[truth][found] += 1;
        }
    }
    confusion
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

fn accuracy(answers: &[&Answer]) -> Option<f64> {
    let is_right = |answer: &&Answer| match **answer {
        Answer::Class { truth, found, .. } => truth == found,
        Answer::Click { logit, clicked } => (logit > 0.0) == clicked,
        _ => false,
    };
    mean(answers.iter().map(|answer| f64::from(u8::from(is_right(answer)))))
}

/// Mean cross-entropy in nats of records, of clicks or of tokens.
fn loss(answers: &[&Answer]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for answer in answers {
        let (loss, of) = match **answer {
            Answer::Class { loss, .. } => (loss, 1.0),
            Answer::Tokens { loss, count, .. } => (loss, count),
            Answer::Click { logit, clicked } => {
                let against = if clicked { -logit } else { logit };
                (against.max(0.0) + (-against.abs()).exp().ln_1p(), 1.0)
            }
            Answer::Numbers { .. } | Answer::Objects { .. } => (0.0, 0.0),
        };
        sum += loss;
        count += of;
    }
    (count > 0.0).then(|| sum / count)
}

fn perplexity(answers: &[&Answer]) -> Option<f64> {
    loss(answers).map(metrics::perplexity)
}

fn macro_f1(answers: &[&Answer]) -> Option<f64> {
    (!answers.is_empty()).then(|| metrics::macro_f1(&confusion(answers)))
}

fn token_accuracy(answers: &[&Answer]) -> Option<f64> {
    let tokens = answers.iter().filter_map(|answer| match **answer {
        Answer::Tokens { right, count, .. } => Some((right, count)),
        _ => None,
    });
    let (right, count) = tokens.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    (count > 0.0).then(|| right / count)
}

fn rmse(answers: &[&Answer]) -> Option<f64> {
    let pairs = answers.iter().filter_map(|answer| match answer {
        Answer::Numbers { pairs, .. } => Some(pairs.iter().copied()),
        _ => None,
    });
    (!answers.is_empty()).then(|| metrics::root_mean_square_error(pairs.flatten()))
}

/// Mean over the users with several test ratings of how well these are ranked. The gain of a rating is what it is above the
/// lowest one.
fn ndcg(answers: &[&Answer]) -> Option<f64> {
    let mut of_users: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for answer in answers {
        if let Answer::Numbers { user: Some(user), pairs } = answer {
            of_users.entry(*user).or_default().extend(pairs);
        }
    }
    let lowest = of_users.values().flatten().map(|(_, rating)| *rating).fold(f64::INFINITY, f64::min);
    let of_user = |ratings: &Vec<(f64, f64)>| {
        let items: Vec<(f64, f64)> = ratings.iter().map(|(score, rating)| (*score, rating - lowest)).collect();
        (items.len() > 1).then(|| metrics::ndcg(&items, DEPTH)).flatten()
    };
    mean(of_users.values().filter_map(of_user))
}

fn auc(answers: &[&Answer]) -> Option<f64> {
    let clicks = answers.iter().filter_map(|answer| match **answer {
        Answer::Click { logit, clicked } => Some((logit, clicked)),
        _ => None,
    });
    metrics::area_under_curve(&clicks.collect::<Vec<_>>())
}

/// Objects that were found in each image, and those that are there.
type Objects = (Vec<Vec<Detection>>, Vec<Vec<(usize, Place)>>);

fn objects(answers: &[&Answer]) -> Objects {
    let of = answers.iter().filter_map(|answer| match answer {
        Answer::Objects { found, truth } => Some((found.clone(), truth.clone())),
        _ => None,
    });
    of.unzip()
}

fn map_50(answers: &[&Answer]) -> Option<f64> {
    let (found, truth) = objects(answers);
    metrics::mean_average_precision(&found, &truth, 0.5)
}

/// Mean over overlaps of 0.5, 0.55, … 0.95 (COCO; Lin et al. 2014).
fn map_50_95(answers: &[&Answer]) -> Option<f64> {
    let (found, truth) = objects(answers);
    let least = (10..20).map(|twentieth| twentieth as f32 / 20.0);
    let each: Option<Vec<f64>> = least.map(|least| metrics::mean_average_precision(&found, &truth, least)).collect();
    mean(each?.into_iter())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn check(answers: &[Answer], expected: &[(&str, f64)]) {
        let figures = of(answers);
        let names: Vec<&str> = figures.keys().copied().collect();
        assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for (name, expected) in expected {
            assert!((figures[name].value - expected).abs() < 1e-9, "{name}: {:?}", figures[name]);
            assert_eq!(figures[name].interval, None, "too few records");
        }
    }

    #[test]
    fn each_task_has_its_figures() {
        let class = |truth, found, loss| Answer::Class { truth, found, of: 3, loss };
        check(
            &[class(0, 0, 0.5), class(0, 1, 1.5), class(1, 1, 0.1)],
            &[("accuracy", 2.0 / 3.0), ("loss", 0.7), ("macro_f1", 2.0 / 3.0)],
        );
        let text = |loss, right, count| Answer::Tokens { loss, right, count };
        check(
            &[text(2.0, 1.0, 2.0), text(0.0, 2.0, 2.0)],
            &[("loss", 0.5), ("perplexity", 0.5_f64.exp()), ("token_accuracy", 0.75)],
        );
        let click = |logit, clicked| Answer::Click { logit, clicked };
        let worth = (2.0_f64.ln() + (4.0_f64 / 3.0).ln() + 4.0_f64.ln()) / 3.0;
        check(
            &[click(0.0, false), click(3.0_f64.ln(), true), click(-(3.0_f64.ln()), true)],
            &[("accuracy", 2.0 / 3.0), ("loss", worth), ("auc", 0.5)],
        );
        check(&[], &[]);
    }

    #[test]
    fn ratings_are_ranked_user_by_user() {
        let rating = |user, found, truth| Answer::Numbers { user: Some(user), pairs: vec![(found, truth)] };
        // The first user's items stand right, the second's the wrong way round, the third has one.
        let answers =
            [rating(1, 2.0, 3.0), rating(1, 1.0, 1.0), rating(2, 1.0, 3.0), rating(2, 2.0, 1.0), rating(3, 1.0, 1.0)];
        check(&answers, &[("rmse", (6.0_f64 / 5.0).sqrt()), ("ndcg_at_10", f64::midpoint(1.0, 1.0 / 3.0_f64.log2()))]);
        check(&[Answer::Numbers { user: None, pairs: vec![(1.0, 2.0), (3.0, 3.0)] }], &[("rmse", 0.5_f64.sqrt())]);
    }

    #[test]
    fn objects_have_to_fit_more_tightly_for_the_higher_figure() {
        let place = [0.5, 0.5, 0.2, 0.2];
        // An overlap of 0.16 / 0.24 or two thirds: right at 0.5, 0.55, 0.6 and 0.65.
        let found = vec![Detection { class: 0, score: 0.9, place: [0.54, 0.5, 0.2, 0.2] }];
        check(&[Answer::Objects { found, truth: vec![(0, place)] }], &[("map_50", 1.0), ("map_50_95", 0.4)]);
    }

    #[test]
    fn intervals_hold_the_figure_and_narrow_with_records() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut answer = || {
            let truth = random.random_range(0..2);
            let found = if random.random::<f64>() < 0.8 { truth } else { 1 - truth };
            Answer::Class { truth, found, of: 2, loss: random.random() }
        };
        let all: Vec<Answer> = (0..4000).map(|_| answer()).collect();
        let width = |count: usize, name: &str| {
            let Figure { value, interval } = of(&all[..count])[name];
            let [low, high] = interval.expect("there are enough records");
            assert!(low < value && value < high, "{name} {low} {value} {high}");
            high - low
        };
        for name in ["accuracy", "loss", "macro_f1"] {
            assert!(width(4000, name) < 0.7 * width(400, name), "{name}");
        }
    }
}
