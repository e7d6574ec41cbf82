//! Descriptions of networks of every family, as scenarios write them.

use super::{SMALL, rendered};

#[test]
fn every_family_can_be_written_and_its_mistakes_are_told() {
    let check = |model: &str, expected: &str| {
        let shown = rendered(&SMALL.replacen("{ preset: mnist-cnn }", model, 1));
        let words: Vec<&str> = shown.split_whitespace().filter(|word| *word != "│").collect();
        assert!(words.join(" ").contains(expected), "{model}: {shown}");
    };
    let fine = "no problems";
    check("{ preset: llama3-8b }", fine);
    let transformer = |rest: &str| {
        format!(
            "{{ transformer: {{ kind: decoder, layers: 2, hidden: 64, heads: 4, ffn: 256, vocabulary: 1000, sequence: 128{rest} }} }}"
        )
    };
    check(&transformer(""), fine);
    check(&transformer(", gated: true, positions: learned, norm: layer, tied: false"), fine);
    check(&transformer(", kv_heads: 3"), "`heads` (4) is not divisible by `kv_heads` (3)");
    check(&transformer(", experts: { count: 8, active: 9 }"), "`active` (9) is more than `count` (8)");
    check(&transformer(", classes: 4"), "`classes` belongs to an encoder");
    check(&transformer(", classes: 4").replace("decoder", "encoder"), fine);
    check(&transformer(", gated: yes"), "`yes` is neither `true` nor `false`");
    check(&transformer(", gated: 'true'"), "expected true or false, found a single value");
    check(&transformer(", bias: [true]"), "expected true or false, found a list");
    check(
        "{ rnn: { cell: lstm, layers: 2, hidden: 64, vocabulary: 1000, sequence: 20, decoder: { layers: 2, sequence: 9 } } }",
        fine,
    );
    check(
        "{ rnn: { cell: gru, layers: 1, hidden: 64, embedding: 32, vocabulary: 9, sequence: 2, tied: true } }",
        "`tied` needs an embedding of 64 values",
    );
    check(
        "{ rnn: { cell: gru, layers: 1, hidden: 64, vocabulary: 9, sequence: 2, bidirectional: 2 } }",
        "`bidirectional` (2) is more than `layers` (1)",
    );
    check(
        "{ rnn: { cell: gru, layers: 1, hidden: 9999999999, vocabulary: 9, sequence: 2 } }",
        "the layer has more than 2^40 values or parameters",
    );
    check("{ matrix_factorization: { users: 10, items: 10, factors: 4, biases: true } }", fine);
    check("{ matrix_factorization: { users: 10, items: 9999999999999, factors: 4 } }", "the table has more than 2^40");
    let dlrm = |bottom: &str, tables: &str| {
        format!(
            "{{ dlrm: {{ dense_inputs: 13, width: 16, tables: {tables}, bottom: {bottom}, top: [8, 1], interaction: {{ cross: {{ layers: 2, rank: 4 }} }} }} }}"
        )
    };
    check(&dlrm("[64, 16]", "[{ count: 26, rows: 1000 }, { rows: 5, lookups: 3 }]"), fine);
    check(&dlrm("[64, 8]", "[{ rows: 5 }]"), "`bottom` ends in 8 values, but embeddings have `width` 16");
    check(&dlrm("[64, 16]", "[]"), "`tables` has no entries");
    check(&dlrm("[64, 16]", "[{ count: 2000, rows: 60000000000 }]"), "the network has more than 10^15 parameters");
    let blocks = |stages: &str| {
        format!(
            "{{ block_cnn: {{ image: {{ channels: 3, height: 32, width: 32 }}, stem: {{ channels: 16, kernel: 3 }}, stages: {stages}, head: {{ classes: 10 }} }} }}"
        )
    };
    check(&blocks("[{ block: { basic: { shortcut: padding } }, count: 3, channels: 16 }]"), fine);
    check(&blocks("[{ block: plain, count: 1, channels: 16, stride: 2 }]"), fine);
    check(&blocks("[]"), "`stages` has no entries");
    check(
        &blocks("[{ block: { bottleneck: { width: 30, groups: 4 } }, count: 1, channels: 16 }]"),
        "`channels` (30) is not divisible by `groups` (4)",
    );
    check(
        &blocks("[{ block: plain, count: 99999999999999, channels: 16 }]"),
        "the network has more than 10^15 parameters",
    );
    check(
        &blocks("[{ block: { mbconv: { expansion: 18446744073709551615, kernel: 3 } }, count: 1, channels: 16 }]"),
        "the convolution has more than 2^40",
    );
    let detector = |neck: &str, anchors: &str| {
        format!(
            "{{ detector: {{ image: {{ channels: 3, height: 64, width: 64 }}, stem: {{ channels: 16, kernel: 3 }}, stages: [{{ block: pooled, count: 1, channels: 16, stride: 2 }}], neck: {neck}, heads: {{ anchors: {anchors}, classes: 10, kernel: 1 }} }} }}"
        )
    };
    check(&detector("{ stages: 1 }", "[3]"), fine);
    check(&detector("{ stages: 2 }", "[3, 3]"), "`feature maps` (2) is more than `stages` (1)");
    check(&detector("{ stages: 1 }", "[3, 3]"), "`anchors` has 2 entries for 1 feature maps");
    check(
        &detector("{ pyramid: { channels: 8, stages: 1, above: 99999999999 } }", "[3]"),
        "`above` (99999999999) is more than `limit` (64)",
    );
    check(&detector("{ extra: [{ width: 8, channels: 8, halves: true }] }", "[3, 3]"), fine);
}
