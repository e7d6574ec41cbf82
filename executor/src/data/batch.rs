//! Records of a pass, on a device.

use burn::tensor::{Int, Tensor};
use scenarios::model::TensorShape;

use crate::model::Value;

/// What a network reads.
#[derive(Debug, Clone)]
pub enum Inputs {
    /// Numbers of a record, an image row by row, channel after channel: `[records, values]`
    Numbers(Tensor<2>),
    /// Tokens: `[records, positions]`, and where they are there and not filled up: 1 or 0, `[records, positions]`
    Tokens(Tensor<2, Int>, Option<Tensor<2>>),
    /// Users and items: `[records, 2]`
    Pairs(Tensor<2, Int>),
    /// Numbers `[records, numbers]`, and rows of tables `[records, lookups]`, table by table
    Clicks(Tensor<2>, Tensor<2, Int>),
}

/// What is true of the records.
#[expect(clippy::large_enum_variant, reason = "a step has few of them")]
#[derive(Debug, Clone)]
pub enum Targets {
    /// One class a record: `[records]`
    Classes(Tensor<1, Int>),
    /// One number or several: `[records, values]`
    Numbers(Tensor<2>),
    /// The token that is to be given at each position, `[records, positions]`, and whether it counts: 1 or 0,
    /// `[records, positions]`
    Tokens(Tensor<2, Int>, Tensor<2>),
    /// Boxes of each record: class, then centre, width and height as shares of the image
    Boxes(Vec<Vec<(usize, [f32; 4])>>),
}

/// Records of a pass.
#[derive(Debug, Clone)]
pub struct Batch {
    /// What the network reads.
    pub inputs: Inputs,
    /// What it is to give.
    pub targets: Targets,
    /// How many losses are summed: records, or tokens that count.
    pub units: f64,
}

impl Inputs {
    /// Tokens, and where they are there.
    ///
    /// # Panics
    /// It is something else than tokens: files are checked against the description first.
    #[must_use]
    pub fn tokens(self) -> (Tensor<2, Int>, Option<Tensor<2>>) {
        let Self::Tokens(tokens, mask) = self else { unreachable!("a network of tokens is given other inputs") };
        (tokens, mask)
    }

    /// Numbers in a shape.
    ///
    /// # Panics
    /// It is something else than numbers: files are checked against the description first.
    #[must_use]
    pub fn shaped(self, shape: TensorShape) -> Value {
        let Self::Numbers(numbers) = self else { unreachable!("a network of numbers is given other inputs") };
        match shape {
            TensorShape::Image { channels, height, width } => {
                let [records, _] = numbers.dims();
                Value::Image(numbers.reshape([records, channels, height, width]))
            }
            TensorShape::Vector(_) => Value::Vector(numbers),
        }
    }
}
