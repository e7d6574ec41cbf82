use scenarios::model::Model;

use super::*;

const TOLD: Told = Told { top: 2, score: 0.5 };

fn network(model: &str) -> Network {
    let model: Model = serde_json::from_str(model).expect("it is a description");
    let description = Description::of(&model).expect("it can be carried out");
    Network::new(&description, description.whole(), 4, &Device::flex())
}

fn of(model: &str, inputs: HostInputs, targets: HostTargets) -> Vec<Prediction> {
    predict(&network(model), HostBatch { inputs, targets }, TOLD, &Device::flex())
}

fn text(kind: &str, more: &str) -> String {
    format!(
        r#"{{"transformer": {{"kind": "{kind}", "layers": 1, "hidden": 8, "heads": 2, "ffn": 8, "vocabulary": 9,
            "sequence": 4{more}}}}}"#
    )
}

#[test]
fn each_family_says_what_it_finds() {
    let tokens = || HostInputs::Tokens(4, vec![1, 2, 3, 4, 5, 6, 7, 8], Some(vec![1.0; 8]));
    let images = HostInputs::Numbers(784, vec![0.5; 2 * 784]);
    let classes = |found: Vec<Prediction>| {
        for one in &found {
            let Prediction::Classes(likely) = one else { unreachable!("it tells classes apart: {one:?}") };
            assert!(likely.len() == 2 && likely[0].probability >= likely[1].probability, "{likely:?}");
        }
        found.len()
    };
    assert_eq!(classes(of(r#"{"preset": "mnist-cnn"}"#, images, HostTargets::Unknown)), 2);
    assert_eq!(classes(of(&text("encoder", r#", "classes": 3"#), tokens(), HostTargets::Unknown)), 2);
    let rating = r#"{"matrix_factorization": {"users": 3, "items": 3, "factors": 2, "biases": true}}"#;
    let found = of(rating, HostInputs::Pairs(vec![0, 1, 2, 2]), HostTargets::Unknown);
    assert!(matches!(&found[..], [Prediction::Numbers(a), Prediction::Numbers(b)] if a.len() == 1 && b.len() == 1));
    let dlrm = r#"{"dlrm": {"dense_inputs": 2, "width": 4, "tables": [{"count": 1, "rows": 5, "lookups": 1}],
        "bottom": [4], "top": [1]}}"#;
    let found = of(dlrm, HostInputs::Clicks([2, 1], vec![1.0; 4], vec![0, 4]), HostTargets::Unknown);
    assert!(found.iter().all(|one| matches!(one, Prediction::Click(share) if (0.0..=1.0).contains(share))));
}

#[test]
fn texts_are_filled_in_or_told_how_likely_they_are() {
    let inputs = || HostInputs::Tokens(4, vec![1, 2, 3, 4, 5, 6, 7, 8], Some(vec![1.0; 8]));
    let targets = || HostTargets::Tokens(4, vec![2; 8], vec![0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let found = of(&text("encoder", ""), inputs(), targets());
    let counts: Vec<usize> = found
        .iter()
        .map(|one| match one {
            Prediction::Hidden(places) => places.len(),
            other => unreachable!("it fills in: {other:?}"),
        })
        .collect();
    assert_eq!(counts, [2, 1]);
    let found = of(&text("decoder", ""), inputs(), targets());
    // A network that was not trained finds all tokens about as likely.
    for (one, expected) in found.iter().zip([2.0, 1.0]) {
        let Prediction::Text { loss, tokens } = one else { unreachable!("it tells likelihoods: {one:?}") };
        assert!((tokens - expected).abs() < 1e-9 && (loss - 9.0_f64.ln()).abs() < 0.5, "{one:?}");
    }
}

#[test]
fn the_likeliest_come_first() {
    let numbers = |shares: &[f32], top| likeliest(shares, top).iter().map(|one| one.number).collect::<Vec<_>>();
    assert_eq!(numbers(&[0.2, 0.5, 0.3], 2), [1, 2]);
    assert_eq!(numbers(&[0.5, 0.5], 9), [0, 1]);
}
