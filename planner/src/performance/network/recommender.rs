//! Recommenders: matrix factorisation and DLRM.
//!
//! Tables learn by sparse updates: the backward pass adds gradients to the rows that were looked up, so an optimiser
//! passes over dense parameters only.

use scenarios::model::{Cross, Dlrm, Interaction, MatrixFactorization, Tables};

use super::super::kernel::{Class, Kernel, Segment};
use super::product::{self, Kernels};
use super::{Pass, TABLE_BYTES};

/// A user's and an item's factors for each rating, their product, and updates of both.
pub(super) fn factorization(factors: &MatrixFactorization, pass: Pass) -> Segment {
    let bias = if factors.biases { 1.0 } else { 0.0 };
    let (width, tables) = (factors.factors.get() as f64, if factors.biases { 4.0 } else { 2.0 });
    let rows = pass.batch * 2.0 * (width + bias) / tables;
    let gather = |bytes| Kernel { class: Class::Gather, count: tables, flops: 0.0, bytes };
    let values = 2.0 * width;
    let rating = Kernel { flops: 2.0 * pass.batch * width, ..Kernel::elementwise(1.0, pass.bytes(values + 1.0)) };
    let gradients =
        Kernel { flops: 4.0 * pass.batch * width, ..Kernel::elementwise(1.0, pass.bytes(2.0 * values + 1.0)) };
    let parameters = (factors.users.get() as f64 + factors.items.get() as f64) * (width + bias) + bias;
    Segment {
        name: "factors",
        repeat: 1.0,
        forward: vec![gather(rows * (TABLE_BYTES + pass.value_bytes)), rating],
        backward: vec![gradients, gather(rows * (2.0 * TABLE_BYTES + pass.value_bytes))],
        parameters,
        tensors: tables + bias,
        saved_bytes: pass.bytes(values),
        output_bytes: pass.bytes(1.0),
        messages: vec![],
    }
}

pub(super) fn segments(network: &Dlrm, pass: Pass) -> Vec<Segment> {
    let bottom = network.bottom_layers();
    let top = network.top_layers();
    let mut segments = vec![dense("bottom network", &bottom, pass, true)];
    segments.extend(network.tables.iter().map(|tables| embeddings(tables, network.width.get() as f64, pass)));
    segments.push(match network.interaction {
        Interaction::Dot => dot(network, pass),
        Interaction::Cross(cross) => cross_layers(network, cross, pass),
    });
    let mut last = dense("top network", &top, pass, false);
    let loss = product::cross_entropy(pass.batch, 1.0, pass.value_bytes);
    last.forward.extend(loss.forward);
    last.backward.splice(0..0, loss.backward);
    segments.push(last);
    segments
}

/// Fully connected layers with activations between them.
fn dense(name: &'static str, layers: &[(usize, usize)], pass: Pass, is_first: bool) -> Segment {
    let mut kernels = Kernels::default();
    let (mut parameters, mut kept, mut width) = (0.0, 0.0, 0.0);
    for (index, (inputs, outputs)) in layers.iter().enumerate() {
        let (inputs, outputs) = (*inputs as f64, *outputs as f64);
        kernels.then(product::linear(pass.batch, inputs, outputs, pass.value_bytes, is_first && index == 0));
        kernels.then(product::activation(pass, outputs));
        parameters += (inputs + 1.0) * outputs;
        kept += outputs;
        width = outputs;
    }
    Segment {
        name,
        repeat: 1.0,
        forward: kernels.forward,
        backward: kernels.backward,
        parameters,
        tensors: 2.0 * layers.len() as f64,
        saved_bytes: pass.bytes(kept),
        output_bytes: pass.bytes(width),
        messages: vec![],
    }
}

/// Rows of equal tables, summed for each record; backward adds each gradient to the rows it came from.
fn embeddings(tables: &Tables, width: f64, pass: Pass) -> Segment {
    let [count, rows, lookups] = [tables.count.get(), tables.rows.get(), tables.lookups.get()].map(|n| n as f64);
    let gather = |bytes| Kernel { class: Class::Gather, count: 1.0, flops: 0.0, bytes };
    let (looked_up, summed) = (pass.batch * lookups * width, pass.bytes(width));
    Segment {
        name: "embedding table",
        repeat: count,
        forward: vec![gather(looked_up * TABLE_BYTES + summed)],
        backward: vec![gather(looked_up * 2.0 * TABLE_BYTES + summed)],
        parameters: rows * width,
        tensors: 1.0,
        saved_bytes: 0.0,
        output_bytes: summed,
        messages: vec![],
    }
}

/// Products of all pairs of vectors, for each record, in one fused kernel that copies the bottom network's output too.
/// Backward: gradients of both sides of every pair.
fn dot(network: &Dlrm, pass: Pass) -> Segment {
    let [features, width, outputs] = [network.features(), network.width.get(), network.top_inputs()].map(|n| n as f64);
    let (inputs, work) = (features * width, 2.0 * pass.batch * features * features * width);
    let kernel = |flops, values| Kernel { class: Class::Matrix, count: 1.0, flops, bytes: pass.bytes(values) };
    Segment {
        name: "interaction",
        repeat: 1.0,
        forward: vec![kernel(work, inputs + outputs)],
        backward: vec![kernel(2.0 * work, 2.0 * inputs + outputs)],
        parameters: 0.0,
        tensors: 0.0,
        saved_bytes: pass.bytes(inputs),
        output_bytes: pass.bytes(outputs),
        messages: vec![],
    }
}

/// Cross layers: two products of low rank, then x₀ ⊙ (…) + x.
fn cross_layers(network: &Dlrm, cross: Cross, pass: Pass) -> Segment {
    let [inputs, rank, layers] = [network.top_inputs(), cross.rank.get(), cross.layers.get()].map(|n| n as f64);
    let mut kernels = product::matrix(pass.batch, inputs, rank, pass.value_bytes, false);
    kernels.then(product::linear(pass.batch, rank, inputs, pass.value_bytes, false));
    kernels.then(Kernels {
        forward: vec![Kernel::elementwise(1.0, pass.bytes(4.0 * inputs))],
        backward: vec![Kernel::elementwise(2.0, pass.bytes(7.0 * inputs))],
    });
    Segment {
        name: "cross layer",
        repeat: layers,
        forward: kernels.forward,
        backward: kernels.backward,
        parameters: inputs * (2.0 * rank + 1.0),
        tensors: 3.0,
        saved_bytes: pass.bytes(2.0 * inputs + rank),
        output_bytes: pass.bytes(inputs),
        messages: vec![],
    }
}

#[cfg(test)]
mod tests {
    use scenarios::model::Model;

    use super::*;

    const PASS: Pass = Pass { batch: 1000.0, value_bytes: 2.0 };

    fn unfolded(preset: &str) -> Vec<Segment> {
        match Model::Preset(preset.to_owned()).resolved() {
            Ok(Model::Dlrm(network)) => segments(&network, PASS),
            Ok(Model::MatrixFactorization(factors)) => vec![factorization(&factors, PASS)],
            _ => panic!("it is a recommender"),
        }
    }

    /// Bytes of all gathers: rows in 32 bits, read forward and changed backward, and their sums in the activations'.
    #[test]
    fn gathers_read_the_rows_that_are_looked_up() {
        let check = |preset: &str, lookups: f64, sums: f64, width: f64| {
            let bytes = |kernels: fn(&Segment) -> &Vec<Kernel>| -> f64 {
                let all = unfolded(preset);
                let gathers = all.iter().flat_map(|s| kernels(s).iter().map(|k| (s.repeat, *k)));
                gathers.filter(|(_, k)| k.class == Class::Gather).map(|(repeat, k)| repeat * k.count * k.bytes).sum()
            };
            let expected = |table: f64| 1000.0 * width * (lookups * table + sums * 2.0);
            assert!((bytes(|s| &s.forward) / expected(4.0) - 1.0).abs() < 1e-9, "{preset} forward");
            assert!((bytes(|s| &s.backward) / expected(8.0) - 1.0).abs() < 1e-9, "{preset} backward");
        };
        check("dlrm-small", 26.0, 26.0, 128.0);
        check("dlrm-dcnv2", 214.0, 26.0, 128.0);
        check("mf-movielens", 2.0, 2.0, 65.0);
    }

    #[test]
    fn the_top_network_sees_pairs_or_all_vectors() {
        let check = |preset: &str, name: &str, values: f64| {
            let segments = unfolded(preset);
            let meeting = segments.iter().find(|s| s.name == name).expect("it is there");
            assert!((meeting.output_bytes - 2000.0 * values).abs() < 0.5, "{preset}: {}", meeting.output_bytes);
        };
        check("dlrm-small", "interaction", 27.0 * 26.0 / 2.0 + 128.0);
        check("dlrm-dcnv2", "cross layer", 27.0 * 128.0);
    }
}
