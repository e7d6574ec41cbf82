//! Sizes that nobody means well with: a message or a finite figure, and no count that wraps around.

use proptest::prelude::*;
use scenarios::model::Model;
use scenarios::precision::Precision;

use super::{exchanged, segments};

/// Sizes around every limit, and small ones, so that some networks fit.
fn size() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 1u64..9,
        2 => (0u32..64).prop_map(|bits| 1 << bits),
        1 => Just(u64::MAX),
    ]
}

/// A description of the family at `index`, as documents write it.
fn description(index: usize, s: &[u64]) -> serde_json::Value {
    let image = serde_json::json!({ "channels": s[0], "height": s[1], "width": s[2] });
    let stem = serde_json::json!({ "channels": s[3], "kernel": s[4], "stride": s[5], "pool": true });
    let blocks = [
        serde_json::json!({ "basic": {} }),
        serde_json::json!({ "bottleneck": { "width": s[6], "groups": s[7] } }),
        serde_json::json!({ "mbconv": { "expansion": s[6], "kernel": s[7], "squeeze": true } }),
    ];
    let block = &blocks[(s[8] % 3) as usize];
    let stages = serde_json::json!([{ "block": block, "count": s[9], "channels": s[10], "stride": s[11] }]);
    match index {
        0 => serde_json::json!({ "block_cnn": {
            "image": image, "stem": stem, "stages": stages, "head": { "features": s[12], "classes": s[13] } } }),
        1 => serde_json::json!({ "detector": {
            "image": image, "stem": stem, "stages": stages,
            "neck": { "pyramid": { "channels": s[12], "stages": 1, "above": 1 } },
            "heads": { "anchors": [s[13], s[13]], "classes": s[14], "kernel": s[15], "depth": 1, "shared": true } } }),
        2 => serde_json::json!({ "rnn": {
            "cell": "gru", "layers": s[0], "hidden": s[1], "embedding": s[2], "bidirectional": s[3], "vocabulary": s[4],
            "sequence": s[5], "decoder": { "layers": s[6], "sequence": s[7] } } }),
        3 => serde_json::json!({ "dlrm": {
            "dense_inputs": s[0], "width": s[1], "tables": [{ "count": s[2], "rows": s[3], "lookups": s[4] }],
            "bottom": [s[5], s[1]], "top": [s[6], s[7]],
            "interaction": { "cross": { "layers": s[8], "rank": s[9] } } } }),
        4 => serde_json::json!({ "matrix_factorization": {
            "users": s[0], "items": s[1], "factors": s[2], "biases": true } }),
        5 => serde_json::json!({ "cnn": {
            "image": image, "layers": [{ "conv2d": { "channels": s[3], "kernel": s[4], "padding": s[5] } },
                { "max_pool": { "kernel": s[6] } }, { "linear": s[7] }] } }),
        _ => serde_json::json!({ "mlp": { "inputs": s[0], "hidden": [s[1]], "outputs": s[2] } }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_sizes_end_in_a_message_or_in_finite_figures(index in 0usize..7, sizes in prop::collection::vec(size(), 16)) {
        let model: Model = serde_json::from_value(description(index, &sizes)).expect("it is well formed");
        let Ok(parameters) = model.parameters() else {
            prop_assert!(segments(&model, 8.0, Precision::Bf16).is_err());
            return Ok(());
        };
        prop_assert!(parameters <= 4_000_000_000_000_000);
        let segments = segments(&model, 8.0, Precision::Bf16).expect("it is a network");
        let found: f64 = segments.iter().map(|s| s.repeat * s.parameters).sum();
        prop_assert!((found / parameters as f64 - 1.0).abs() < 1e-9, "{found} instead of {parameters}");
        for kernel in segments.iter().flat_map(|s| s.forward.iter().chain(&s.backward)) {
            prop_assert!(kernel.flops.is_finite() && kernel.bytes.is_finite() && kernel.count.is_finite());
        }
        let exchange = exchanged(&model, 8.0, Precision::Bf16).expect("it is a network");
        prop_assert!(exchange.all_to_all_bytes.is_finite());
        prop_assert!((exchange.dense_parameters + exchange.table_parameters) / parameters as f64 - 1.0 < 1e-9);
    }
}
