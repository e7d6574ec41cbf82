//! What flows between the pieces of a network.

use burn::tensor::{FloatDType, Gradients, Int, Tensor};

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

    /// The same values without what they were made of.
    #[must_use]
    pub fn detached(self) -> Self {
        Self(self.0.into_iter().map(Value::detached).collect())
    }

    /// The same values in a format; whole numbers stay what they are.
    #[must_use]
    pub fn cast(self, format: FloatDType) -> Self {
        Self(self.0.into_iter().map(|value| value.cast(format)).collect())
    }

    /// The same values where a graph begins, so that they have gradients.
    #[must_use]
    pub fn leaf(self) -> Self {
        Self(self.0.into_iter().map(|value| value.detached().tracked()).collect())
    }

    /// Gradients of the values of a leaf; none of those that nothing depends on.
    pub fn gradients(&self, gradients: &mut Gradients) -> Vec<Option<Value>> {
        let of = |value: &Value| match value {
            Value::Vector(tensor) => tensor.grad_remove(gradients).map(Value::Vector),
            Value::Sequence(tensor) => tensor.grad_remove(gradients).map(Value::Sequence),
            Value::Image(tensor) => tensor.grad_remove(gradients).map(Value::Image),
            Value::Numbers(_) => None,
        };
        self.0.iter().map(of).collect()
    }

    /// The sum of all values times gradients that flow back to them, whose own gradients are then those of the loss; none
    /// if nothing flows back.
    #[must_use]
    pub fn weighted(self, back: Vec<Option<Value>>) -> Option<Tensor<1>> {
        let terms = self.0.into_iter().zip(back).filter_map(|(value, back)| value.weighted(back?));
        terms.reduce(|sum, term| sum + term)
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

    fn cast(self, format: FloatDType) -> Self {
        match self {
            Self::Vector(tensor) => Self::Vector(tensor.cast(format)),
            Self::Sequence(tensor) => Self::Sequence(tensor.cast(format)),
            Self::Image(tensor) => Self::Image(tensor.cast(format)),
            numbers @ Self::Numbers(_) => numbers,
        }
    }

    /// Without a graph before it or behind it: burn's `detach` lets the leaf of a graph begin a new one.
    fn detached(self) -> Self {
        fn detached<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
            if tensor.is_autodiff() { tensor.detach().set_require_grad(false) } else { tensor }
        }
        match self {
            Self::Vector(tensor) => Self::Vector(detached(tensor)),
            Self::Sequence(tensor) => Self::Sequence(detached(tensor)),
            Self::Image(tensor) => Self::Image(detached(tensor)),
            numbers @ Self::Numbers(_) => numbers,
        }
    }

    fn tracked(self) -> Self {
        fn tracked<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
            if tensor.is_autodiff() { tensor.require_grad() } else { tensor }
        }
        match self {
            Self::Vector(tensor) => Self::Vector(tracked(tensor)),
            Self::Sequence(tensor) => Self::Sequence(tracked(tensor)),
            Self::Image(tensor) => Self::Image(tracked(tensor)),
            numbers @ Self::Numbers(_) => numbers,
        }
    }

    /// Σ value · back in 32 bits, where the value has a gradient.
    fn weighted(self, back: Self) -> Option<Tensor<1>> {
        fn sum<const D: usize>(value: Tensor<D>, back: Tensor<D>) -> Option<Tensor<1>> {
            let sum =
                |value: Tensor<D>| (value.cast(FloatDType::F32) * Tensor::from_inner(back.cast(FloatDType::F32))).sum();
            value.is_tracked().then(|| sum(value))
        }
        match (self, back) {
            (Self::Vector(value), Self::Vector(back)) => sum(value, back),
            (Self::Sequence(value), Self::Sequence(back)) => sum(value, back),
            (Self::Image(value), Self::Image(back)) => sum(value, back),
            _ => None,
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
