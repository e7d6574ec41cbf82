//! What flows between the pieces of a network.

use burn::tensor::{Int, Tensor};

/// Activations of the records of a pass.
#[derive(Debug, Clone)]
pub enum Value {
    /// `[records, width]`
    Vector(Tensor<2>),
    /// `[records, positions, width]`
    Sequence(Tensor<3>),
    /// `[records, channels, rows, columns]`
    Image(Tensor<4>),
    /// Whole numbers, which have no gradient: `[records, positions]`
    Numbers(Tensor<2, Int>),
}

/// Values that one piece gives to the next.
#[derive(Debug, Clone, Default)]
pub struct Flow(pub Vec<Value>);

impl From<Value> for Flow {
    fn from(value: Value) -> Self {
        Self(vec![value])
    }
}

impl Flow {
    /// The only value.
    ///
    /// # Panics
    /// There is another number of them: the pieces of a network fit each other.
    #[must_use]
    pub fn single(self) -> Value {
        let [value] = self.array();
        value
    }

    /// All values, which are `N`.
    ///
    /// # Panics
    /// There is another number of them: the pieces of a network fit each other.
    #[must_use]
    pub fn array<const N: usize>(self) -> [Value; N] {
        let found = self.0.len();
        self.0.try_into().unwrap_or_else(|_| unreachable!("{found} values where a piece takes {N}"))
    }
}

impl Value {
    /// As one vector a record, whatever its shape.
    ///
    /// # Panics
    /// It holds whole numbers.
    #[must_use]
    pub fn flat(self) -> Tensor<2> {
        match self {
            Self::Vector(tensor) => tensor,
            Self::Sequence(tensor) => tensor.flatten(1, 2),
            Self::Image(tensor) => tensor.flatten(1, 3),
            Self::Numbers(_) => unreachable!("whole numbers where a piece takes activations"),
        }
    }

    /// # Panics
    /// It is something else.
    #[must_use]
    pub fn image(self) -> Tensor<4> {
        match self {
            Self::Image(tensor) => tensor,
            other => unreachable!("{} where a piece takes an image", other.kind()),
        }
    }

    /// # Panics
    /// It is something else.
    #[must_use]
    pub fn sequence(self) -> Tensor<3> {
        match self {
            Self::Sequence(tensor) => tensor,
            other => unreachable!("{} where a piece takes a sequence", other.kind()),
        }
    }

    /// # Panics
    /// It is something else.
    #[must_use]
    pub fn numbers(self) -> Tensor<2, Int> {
        match self {
            Self::Numbers(tensor) => tensor,
            other => unreachable!("{} where a piece takes whole numbers", other.kind()),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Vector(_) => "a vector",
            Self::Sequence(_) => "a sequence",
            Self::Image(_) => "an image",
            Self::Numbers(_) => "whole numbers",
        }
    }
}
