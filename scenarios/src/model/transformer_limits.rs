//! Which sizes of a transformer fit each other.

use std::num::NonZeroUsize;

use super::limits::{self, product};
use super::{ShapeError, Transformer, TransformerKind};

impl Transformer {
    /// Refuses sizes that do not fit each other, or are too large to count: after it, no count of parameters
    /// overflows.
    ///
    /// # Errors
    /// Heads do not divide the width, heads of keys and values do not divide heads, a token passes through more
    /// experts than there are, or a part is too large.
    pub fn check(&self) -> Result<(), ShapeError> {
        let [hidden, heads, kv_heads] = [self.hidden.get(), self.heads.get(), self.kv_heads()];
        if self.head_size.is_none() {
            limits::divisible(("hidden", hidden), ("heads", heads))?;
        }
        limits::divisible(("heads", heads), ("kv_heads", kv_heads))?;
        if self.classes.is_some() && self.kind == TransformerKind::Decoder {
            return Err(ShapeError::ClassesOfDecoder);
        }
        let (mut router, mut experts) = (0.0, 1.0);
        if let Some(mixture) = self.experts {
            limits::at_most(("active", mixture.active.get()), ("count", mixture.count.get()))?;
            (router, experts) = (product(&[hidden, mixture.count.get()]), mixture.count.get() as f64);
            experts += mixture.shared as f64;
        }
        let embedding = product(&[self.vocabulary.get(), hidden]) + product(&[self.sequence.get(), hidden]);
        let attention = 2.0 * product(&[hidden, self.head_size()]) * (heads as f64 + kv_heads as f64);
        let ffn = experts * product(&[self.ffn_matrices(), hidden, self.ffn.get()]);
        // Biases and norms add less than the matrices have.
        let layer = 2.0 * (attention + ffn + router + product(&[hidden, 2]));
        let classes = product(&[hidden, self.classes.map_or(0, NonZeroUsize::get)]);
        let head = 2.0 * (product(&[hidden, hidden]) + embedding + classes);
        for (name, size) in [("embedding", embedding), ("layer", layer), ("head", head)] {
            limits::part(name, size)?;
        }
        let widest = self.vocabulary.max(self.ffn).max(self.hidden).get();
        limits::part("sequence", product(&[self.sequence.get(), widest]))?;
        limits::network([embedding, head, self.layers.get() as f64 * layer / 2.0])
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::{Experts, Model, ShapeError, Transformer, TransformerKind};

    fn n(value: usize) -> NonZeroUsize {
        NonZeroUsize::new(value).expect("not zero")
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        let check = |change: fn(&mut Transformer), expected: &str| {
            let Ok(Model::Transformer(mut transformer)) = Model::Preset("llama3-8b".to_owned()).resolved() else {
                panic!("it is a transformer")
            };
            change(&mut transformer);
            let found: Result<u64, ShapeError> = Model::Transformer(transformer).parameters();
            assert_eq!(found.map_err(|error| error.to_string()).err().as_deref().unwrap_or("fits"), expected);
        };
        check(|_| (), "fits");
        check(|t| t.heads = n(48), "`hidden` (4096) is not divisible by `heads` (48)");
        check(|t| t.kv_heads = Some(n(5)), "`heads` (32) is not divisible by `kv_heads` (5)");
        check(|t| t.experts = Some(Experts { count: n(8), active: n(8), shared: 1 }), "fits");
        check(
            |t| t.experts = Some(Experts { count: n(8), active: n(9), shared: 0 }),
            "`active` (9) is more than `count` (8)",
        );
        let large = "has more than 2^40 values or parameters";
        check(|t| t.vocabulary = n(usize::MAX), &format!("the embedding {large}"));
        check(|t| t.sequence = n(usize::MAX), &format!("the embedding {large}"));
        check(|t| t.ffn = n(usize::MAX), &format!("the layer {large}"));
        check(|t| t.head_size = Some(n(usize::MAX)), &format!("the layer {large}"));
        check(
            |t| t.experts = Some(Experts { count: n(8), active: n(8), shared: usize::MAX }),
            &format!("the layer {large}"),
        );
        check(|t| t.sequence = n(1 << 26), &format!("the sequence {large}"));
        check(|t| t.layers = n(usize::MAX), "the network has more than 10^15 parameters");
        check(|t| t.layers = n(4_000_000), "fits");
        check(
            |t| t.classes = Some(n(2)),
            "`classes` belongs to an encoder; a decoder gives one value for each entry of its vocabulary",
        );
        check(|t| (t.kind, t.classes) = (TransformerKind::Encoder, Some(n(2))), "fits");
        check(|t| (t.kind, t.classes) = (TransformerKind::Encoder, Some(n(usize::MAX))), &format!("the head {large}"));
    }
}
