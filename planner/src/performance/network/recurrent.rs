//! Recurrent networks, as cuDNN runs them: the product of a layer's inputs is taken over all time steps at once, that of
//! its state in every step, then the gates.

use scenarios::model::{RecurrentLayer, Rnn};

use super::super::kernel::{Class, Kernel, Segment};
use super::product::{self, Kernels};
use super::{Pass, TABLE_BYTES};

pub(super) fn segments(network: &Rnn, pass: Pass) -> Vec<Segment> {
    let lower = |layer: &RecurrentLayer| layers(network, layer, pass);
    let mut segments = vec![embedding(network, pass)];
    segments.extend(network.encoder_layers().iter().map(lower));
    let mut decoder = network.decoder_layers().into_iter();
    if let Some(first) = decoder.next() {
        segments.push(lower(&first));
        segments.push(attention(network, pass));
    }
    segments.extend(decoder.map(|layer| lower(&layer)));
    segments.push(output(network, pass));
    segments
}

/// Time steps that the network gives values for.
fn output_steps(network: &Rnn) -> f64 {
    network.decoder.map_or(network.sequence, |decoder| decoder.sequence).get() as f64
}

/// Rows of the embedding for all tokens; the backward pass adds their gradients to a dense gradient of the table.
fn embedding(network: &Rnn, pass: Pass) -> Segment {
    let decoder = network.decoder.map_or(0, |decoder| decoder.sequence.get());
    let tokens = (network.sequence.get() + decoder) as f64;
    let (width, vocabulary) = (network.embedding() as f64, network.vocabulary.get() as f64);
    let sides = if decoder > 0 { 2.0 } else { 1.0 };
    let rows = pass.batch * tokens * width / sides;
    let gather = |bytes| Kernel { class: Class::Gather, count: sides, flops: 0.0, bytes };
    Segment {
        name: "embedding",
        repeat: 1.0,
        forward: vec![gather(rows * (TABLE_BYTES + pass.value_bytes))],
        backward: vec![
            Kernel::elementwise(1.0, vocabulary * width * TABLE_BYTES),
            gather(rows * (2.0 * TABLE_BYTES + pass.value_bytes)),
        ],
        parameters: network.embedding_parameters() as f64,
        tensors: 1.0,
        saved_bytes: pass.bytes(tokens * width),
        output_bytes: pass.bytes(tokens * width),
        messages: vec![],
    }
}

/// Equal layers one after the other, with the dropout and the residual sum between them.
fn layers(network: &Rnn, layer: &RecurrentLayer, pass: Pass) -> Segment {
    let [hidden, gates, inputs, directions, steps] =
        [network.hidden.get(), network.cell.gates(), layer.inputs, layer.directions, layer.steps].map(|n| n as f64);
    let (wide, tokens) = (gates * hidden, pass.batch * steps);
    let mut one_way = product::matrix(tokens, inputs, wide, pass.value_bytes, false);
    one_way.then(recurrence(pass, steps, hidden, gates));
    let repeat = |kernels: Vec<Kernel>| kernels.into_iter().map(|kernel| kernel.times(directions));
    let outputs = directions * hidden;
    // Dropout reads, writes, and keeps a byte for each value; the sum reads two and writes one.
    let between = |values: f64| Kernel::elementwise(2.0, pass.bytes(values * outputs * steps));
    Segment {
        name: "recurrent layer",
        repeat: layer.repeat as f64,
        forward: repeat(one_way.forward).chain([between(5.0)]).collect(),
        backward: std::iter::once(between(4.0)).chain(repeat(one_way.backward)).collect(),
        parameters: network.layer_parameters(layer) as f64,
        tensors: 4.0 * directions,
        // Gates and cell state of every step, and the output behind the dropout.
        saved_bytes: pass.bytes(steps * (directions * (wide + 2.0 * hidden) + outputs)),
        output_bytes: pass.bytes(steps * outputs),
        messages: vec![],
    }
}

/// Products of the state, step by step, and the gates. The gradient of the state's weights is one product at the end.
fn recurrence(pass: Pass, steps: f64, hidden: f64, gates: f64) -> Kernels {
    let wide = gates * hidden;
    let step = |m, n, k| Kernel { class: Class::Recurrent, ..Kernel::matrix(m, n, k, pass.value_bytes).times(steps) };
    // Forward: both products, the old cell and the new cell, output and gates. Backward: the same and their gradients.
    let pointwise = |values: f64| Kernel::elementwise(steps, pass.bytes(values * hidden * steps));
    Kernels {
        forward: vec![step(pass.batch, wide, hidden), pointwise(3.0 * gates + 3.0)],
        backward: vec![
            pointwise(2.0 * gates + 5.0),
            step(pass.batch, hidden, wide),
            Kernel::matrix(hidden, wide, pass.batch * steps, pass.value_bytes),
        ],
    }
}

/// Additive attention of every decoder step over all encoder steps: products of queries and keys, tanh of their sums,
/// scores, softmax, and the weighted context.
fn attention(network: &Rnn, pass: Pass) -> Segment {
    let [hidden, context, keys, queries] =
        [network.hidden.get(), network.context(), network.sequence.get(), output_steps(network) as usize]
            .map(|n| n as f64);
    let mut kernels = product::matrix(pass.batch * queries, hidden, hidden, pass.value_bytes, false);
    kernels.then(product::matrix(pass.batch * keys, context, hidden, pass.value_bytes, false));
    kernels.then(additive(pass, queries * keys, hidden));
    kernels.then(weighted(pass, queries, keys, context));
    Segment {
        name: "attention",
        repeat: 1.0,
        forward: kernels.forward,
        backward: kernels.backward,
        parameters: network.attention_parameters() as f64,
        tensors: 5.0,
        saved_bytes: pass.bytes(hidden * (queries + keys) + queries * keys * (hidden + 1.0) + queries * context),
        output_bytes: pass.bytes(queries * context),
        messages: vec![],
    }
}

/// Scores of all `pairs` of steps: the sum is written, its tanh is read, weighed and summed over `hidden` values.
fn additive(pass: Pass, pairs: f64, hidden: f64) -> Kernels {
    let bytes = pass.bytes(pairs * hidden);
    let softmax = pass.bytes(pairs);
    Kernels {
        forward: vec![Kernel::elementwise(2.0, 3.0 * bytes), Kernel::elementwise(1.0, 2.0 * softmax)],
        backward: vec![Kernel::elementwise(1.0, 3.0 * softmax), Kernel::elementwise(3.0, 5.0 * bytes)],
    }
}

/// Sum of the encoder's outputs weighed by softmax, for each record and step: a product of its own for each record.
fn weighted(pass: Pass, queries: f64, keys: f64, context: f64) -> Kernels {
    let product = |m, n, k| {
        let one = Kernel::matrix(m, n, k, pass.value_bytes);
        Kernel { flops: one.flops * pass.batch, bytes: one.bytes * pass.batch, ..one }
    };
    Kernels {
        forward: vec![product(queries, context, keys)],
        backward: vec![product(queries, keys, context), product(keys, context, queries)],
    }
}

/// Values for each entry of the vocabulary, and the loss.
fn output(network: &Rnn, pass: Pass) -> Segment {
    let (inputs, vocabulary) = (network.output_inputs() as f64, network.vocabulary.get() as f64);
    let rows = pass.batch * output_steps(network);
    let mut kernels = product::linear(rows, inputs, vocabulary, pass.value_bytes, false);
    kernels.then(product::cross_entropy(rows, vocabulary, pass.value_bytes));
    Segment {
        name: "output",
        repeat: 1.0,
        forward: kernels.forward,
        backward: kernels.backward,
        parameters: network.output_parameters() as f64,
        tensors: if network.tied { 1.0 } else { 2.0 },
        // Scores, and probabilities in 32 bits.
        saved_bytes: rows * vocabulary * (pass.value_bytes + 4.0),
        output_bytes: rows * 4.0,
        messages: vec![],
    }
}

#[cfg(test)]
mod tests {
    use scenarios::model::Model;

    use super::*;

    const PASS: Pass = Pass { batch: 8.0, value_bytes: 4.0 };

    fn unfolded(preset: &str) -> Vec<Segment> {
        match Model::Preset(preset.to_owned()).resolved() {
            Ok(Model::Rnn(network)) => segments(&network, PASS),
            _ => panic!("it is recurrent"),
        }
    }

    #[test]
    fn segments_follow_the_network() {
        let check = |preset: &str, expected: &[(&str, f64)]| {
            let found: Vec<_> = unfolded(preset).iter().map(|s| (s.name, s.repeat)).collect();
            assert_eq!(found, expected);
        };
        let layer = |repeat| ("recurrent layer", repeat);
        check("lstm-lm", &[("embedding", 1.0), layer(1.0), layer(1.0), ("output", 1.0)]);
        let encoder = [("embedding", 1.0), layer(1.0), layer(1.0), layer(2.0)];
        let decoder = [layer(1.0), ("attention", 1.0), layer(3.0), ("output", 1.0)];
        check("gnmt-v2", &[&encoder[..], &decoder[..]].concat());
    }

    #[test]
    fn a_step_waits_for_the_step_before() {
        let check = |preset: &str, gates: f64| {
            let segments = unfolded(preset);
            let layer = &segments[1];
            let recurrent: Vec<_> = layer.forward.iter().filter(|k| k.class == Class::Recurrent).collect();
            let [kernel] = recurrent[..] else { panic!("there is one product of the state") };
            let flops = 2.0 * 8.0 * gates * 1500.0 * 1500.0;
            assert!((kernel.count - 35.0).abs() < 1e-9 && (kernel.flops - flops).abs() < 1.0);
            let inputs = layer.forward[0];
            assert!((inputs.flops - 35.0 * flops).abs() < 1.0, "all inputs at once, of the same width as the state");
        };
        check("lstm-lm", 4.0);
        check("gru-lm", 3.0);
    }
}
