//! Memory of a replica: weights, what the software keeps for itself, and the cache of keys and values.

use super::constants::{Constant, Constants};
use super::server::{Dimensions, Impossible, Server, value_bytes};

/// Bytes that a device's runtime and collectives keep: a context of about 1.5 GiB and buffers of 0.35 GB (NCCL).
pub const RUNTIME_BYTES: f64 = 2e9;
/// Bytes of an embedding's and an output's value: they stay in 16 bits.
const VOCABULARY_BYTES: f64 = 2.0;
const GIB: f64 = 1_073_741_824.0;

/// Memory of the fullest device, in bytes, and what its cache holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Weights.
    pub weights: f64,
    /// Runtime and collectives.
    pub runtime: f64,
    /// Cache of keys and values.
    pub cache: f64,
    /// Room for activations and graphs: what is left.
    pub workspace: f64,
    /// Tokens whose keys and values the replica can hold.
    pub capacity_tokens: f64,
}

impl Memory {
    /// How a replica's memory is divided.
    ///
    /// # Errors
    /// The weights leave no room.
    pub fn of(server: &Server, constants: &Constants) -> Result<Self, Impossible> {
        let memory = server.device.memory_bytes as f64;
        let weights = weights(server);
        let free = memory - weights - RUNTIME_BYTES;
        if free <= 0.0 {
            return Err(Impossible::Weights { weights_gib: weights / GIB, memory_gib: memory / GIB });
        }
        let cache = free * constants.get(Constant::Room);
        let per_token = server.most_layers() * server.cache_bytes_per_layer();
        // Devices that share sequences add up; those that share heads hold the same tokens.
        let holders = f64::from(server.tensor.get()) / server.attention_share();
        let capacity_tokens = holders * (cache / per_token).floor();
        Ok(Self { weights, runtime: RUNTIME_BYTES, cache, workspace: free - cache, capacity_tokens })
    }
}

/// Bytes of weights on the fullest device: the largest stage, with the embedding or the output if it has one, or both.
fn weights(server: &Server) -> f64 {
    let size = Dimensions::of(&server.model);
    let tensor = f64::from(server.tensor.get());
    let attention = size.attention / server.attention_share();
    let experts = (size.experts + size.shared) * size.expert / tensor;
    let tables = match (server.pipeline.get(), server.model.tied) {
        (1, false) => 2.0,
        _ => 1.0,
    };
    server.most_layers() * (attention + experts) * value_bytes(server.weights)
        + tables * size.vocabulary / tensor * VOCABULARY_BYTES
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{llama_70b, server};
    use super::*;
    use scenarios::precision::Precision;

    #[test]
    fn cache_holds_what_weights_leave() {
        let check = |precision, tensor, pipeline, expected: Option<(f64, f64)>| {
            let server = server(llama_70b(), "H100-SXM-80GB", precision, tensor, pipeline);
            let memory = Memory::of(&server, &Constants::prior()).ok();
            let found = memory.map(|memory| (memory.weights / 1e9, memory.capacity_tokens));
            assert_eq!(found.is_some(), expected.is_some(), "{precision} {tensor} {pipeline}: {found:?}");
            for ((weights, tokens), (expected_weights, expected_tokens)) in found.into_iter().zip(expected) {
                assert!((weights / expected_weights - 1.0).abs() < 0.01, "{precision} {tensor}: {weights} GB");
                assert!((tokens / expected_tokens - 1.0).abs() < 0.01, "{precision} {tensor}: {tokens} tokens");
            }
        };
        // 80 layers of 855.6 M parameters and two tables of 1.05 G; a token needs 160 KiB in 8 bits.
        check(Precision::Fp16, 1, 1, None);
        check(Precision::Fp8, 1, 1, Some((72.65, 58_400.0)));
        check(Precision::Fp8, 2, 1, Some((36.33, 493_950.0)));
        check(Precision::Fp8, 1, 2, Some((36.33, 493_950.0)));
        check(Precision::Fp8, 8, 1, Some((9.08, 3_108_000.0)));
        // Beyond eight devices, key-value heads are copied.
        check(Precision::Fp8, 16, 1, Some((4.54, 3_297_000.0)));
    }

    #[test]
    fn devices_that_share_sequences_add_their_caches() {
        let mut server = server(llama_70b(), "H200-SXM-141GB", Precision::Fp8, 4, 1);
        let shared = Memory::of(&server, &Constants::prior()).expect("fits");
        server.whole_attention = true;
        let whole = Memory::of(&server, &Constants::prior()).expect("fits");
        assert!(whole.weights > shared.weights);
        assert!((whole.capacity_tokens / shared.capacity_tokens - whole.cache / shared.cache).abs() < 1e-3);
    }
}
