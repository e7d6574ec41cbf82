//! Tensors of a file.

use std::borrow::Cow;

use safetensors::tensor::{Dtype, View};

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Plain {
    /// Bytes as they are, `[bytes]`.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self { dtype: Dtype::U8, shape: vec![bytes.len()], bytes: bytes.to_vec() }
    }

    /// Numbers in 32 bits of a shape.
    #[must_use]
    pub fn floats(values: &[f32], shape: Vec<usize>) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape, bytes }
    }
}

impl View for Plain {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
