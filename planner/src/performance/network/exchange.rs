//! What data-parallel replicas must tell each other in one step.

use scenarios::model::{Dlrm, Model};
use scenarios::precision::Precision;

use super::NetworkError;

/// Volumes of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchange {
    /// Parameters whose gradients are summed over all replicas. Embedding tables of a DLRM are not among them: each
    /// lies on one rank.
    pub dense_parameters: f64,
    /// Tensors that these parameters make up.
    pub dense_tensors: f64,
    /// Parameters that are divided among the ranks.
    pub table_parameters: f64,
    /// Bytes that each rank sends in all all-to-alls of one step, what stays with itself included: multiply by
    /// (n − 1) / n for n ranks.
    pub all_to_all_bytes: f64,
    /// All-to-alls of one step.
    pub all_to_alls: f64,
}

/// What replicas with `batch` records each exchange in one training step. A DLRM's tables are divided among the ranks
/// (hybrid parallel, arXiv 1906.00091 section 4): forward each rank sends, for all records, the summed embeddings of
/// its tables to the rank that has the record, backward it gets their gradients, which is for each of the two batch ×
/// tables × width values a rank.
///
/// # Errors
/// The description is no network, or `batch` is no number of records.
pub fn exchanged(model: &Model, batch: f64, precision: Precision) -> Result<Exchange, NetworkError> {
    let parameters = model.parameters()? as f64;
    if !(batch > 0.0 && batch <= super::MAX_BATCH) {
        return Err(NetworkError::Batch(batch));
    }
    Ok(match model.resolved()? {
        Model::Dlrm(network) => hybrid(&network, batch, f64::from(precision.activation_bytes())),
        Model::Transformer(_) => return Err(NetworkError::Transformer),
        other => Exchange {
            dense_parameters: parameters,
            dense_tensors: super::segments(&other, batch, precision)?.iter().map(|s| s.repeat * s.tensors).sum(),
            table_parameters: 0.0,
            all_to_all_bytes: 0.0,
            all_to_alls: 0.0,
        },
    })
}

fn hybrid(network: &Dlrm, batch: f64, value_bytes: f64) -> Exchange {
    let layers = network.bottom.len() + network.top.len() + network.cross_layers();
    let one_way = batch * value_bytes * network.table_count() as f64 * network.width.get() as f64;
    Exchange {
        dense_parameters: network.dense_parameters() as f64,
        dense_tensors: (2 * layers) as f64,
        table_parameters: network.table_parameters() as f64,
        all_to_all_bytes: 2.0 * one_way,
        all_to_alls: 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_of_published_networks() {
        let check = |name: &str, batch: f64, dense: f64, all_to_all: f64| {
            let model = Model::Preset(name.to_owned());
            let found = exchanged(&model, batch, Precision::Fp16).expect("it is a network");
            assert!((found.dense_parameters - dense).abs() < 0.5, "{name}: {}", found.dense_parameters);
            assert!((found.all_to_all_bytes - all_to_all).abs() < 0.5, "{name}: {}", found.all_to_all_bytes);
            let all = model.parameters().expect("it is a network") as f64;
            assert!((found.dense_parameters + found.table_parameters - all).abs() < 0.5, "{name}");
        };
        check("resnet50", 256.0, 25_557_032.0, 0.0);
        // 13-512-256-128, 479-1024-1024-512-256-1.
        check("dlrm-large", 8192.0, 2_368_897.0, 2.0 * 8192.0 * 26.0 * 128.0 * 2.0);
    }

    #[test]
    fn what_is_no_step_is_refused() {
        let check = |name: &str, batch: f64, expected: &NetworkError| {
            let found = exchanged(&Model::Preset(name.to_owned()), batch, Precision::Fp16);
            assert_eq!(found.as_ref().err(), Some(expected));
        };
        check("resnet50", -1.0, &NetworkError::Batch(-1.0));
        check("gpt2", 1.0, &NetworkError::Transformer);
    }
}
