//! Classes and tokens.

/// Share of records that were classified rightly, of a confusion matrix whose rows are true classes and whose columns are
/// predicted ones; 0 without records.
#[must_use]
pub fn accuracy(confusion: &[Vec<u64>]) -> f64 {
    let right: u64 = confusion.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
    share(right, confusion.iter().flatten().sum())
}

/// F1 of one class against all others: 2·TP / (2·TP + FP + FN) (van Rijsbergen 1979, "Information retrieval", chapter 7,
/// with equal weights); 0 where the class neither is there nor was predicted. In a binary task the class is the positive
/// one.
#[must_use]
pub fn f1(confusion: &[Vec<u64>], class: usize) -> f64 {
    let at = |row: &Vec<u64>| row.get(class).copied().unwrap_or(0);
    let right = confusion.get(class).map_or(0, at);
    let predicted: u64 = confusion.iter().map(at).sum();
    let there: u64 = confusion.get(class).map_or(0, |row| row.iter().sum());
    share(2 * right, predicted + there)
}

/// Mean of the F1 of all classes that are there or were predicted (scikit-learn's `average="macro"`); 0 without any.
#[must_use]
pub fn macro_f1(confusion: &[Vec<u64>]) -> f64 {
    let seen = |class: &usize| confusion[*class].iter().any(|&n| n > 0) || confusion.iter().any(|row| row[*class] > 0);
    let each: Vec<f64> = (0..confusion.len()).filter(seen).map(|class| f1(confusion, class)).collect();
    each.iter().sum::<f64>() / each.len().max(1) as f64
}

/// Exponential of the mean cross-entropy in nats (Jelinek et al. 1977): among how many equally likely tokens a model
/// wavers.
#[must_use]
pub fn perplexity(mean_loss: f64) -> f64 {
    mean_loss.exp()
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_confusion_matrices() {
        let check = |confusion: &[&[u64]], expected_accuracy: f64, expected: &[f64], expected_macro: f64| {
            let confusion: Vec<Vec<u64>> = confusion.iter().map(|row| row.to_vec()).collect();
            assert!((accuracy(&confusion) - expected_accuracy).abs() < 1e-12);
            for (class, expected) in expected.iter().enumerate() {
                assert!((f1(&confusion, class) - expected).abs() < 1e-12, "{confusion:?} class {class}");
            }
            assert!((macro_f1(&confusion) - expected_macro).abs() < 1e-12, "{confusion:?}");
        };
        check(&[], 0.0, &[0.0], 0.0);
        check(&[&[0, 0], &[0, 0]], 0.0, &[0.0, 0.0], 0.0);
        check(&[&[5, 0], &[0, 3]], 1.0, &[1.0, 1.0], 1.0);
        // Precision 3/4, recall 3/5; the other class 1/3 and 1/2.
        check(&[&[1, 1], &[2, 3]], 4.0 / 7.0, &[0.4, 2.0 / 3.0], 8.0 / 15.0);
        // A class that neither is there nor was predicted does not count, one that was predicted does.
        check(&[&[2, 0, 0], &[0, 2, 0], &[0, 0, 0]], 1.0, &[1.0, 1.0, 0.0], 1.0);
        check(&[&[2, 0, 0], &[0, 1, 1], &[0, 0, 0]], 0.75, &[1.0, 2.0 / 3.0, 0.0], 5.0 / 9.0);
    }

    #[test]
    fn perplexity_counts_equally_likely_tokens() {
        assert!((perplexity(10.0_f64.ln()) - 10.0).abs() < 1e-9);
        assert!((perplexity(0.0) - 1.0).abs() < 1e-12);
    }
}
