//! Values that flow between stages, as numbers on their way.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::tape::Backflow;
use crate::model::{Flow, Value, host};

/// Kinds of values in a header.
const NOTHING: u32 = 0;
const VECTOR: u32 = 1;
const SEQUENCE: u32 = 2;
const IMAGE: u32 = 3;
const NUMBERS: u32 = 4;

/// Values as numbers: for each its kind and its shape, then what it holds. Whole numbers keep their bits.
#[must_use]
pub fn packed(values: Backflow) -> Vec<f32> {
    let mut packed = vec![f32::from_bits(values.len() as u32)];
    let mut put = |kind: u32, shape: &[usize], values: Vec<f32>| {
        packed.push(f32::from_bits(kind));
        packed.extend(shape.iter().map(|size| f32::from_bits(*size as u32)));
        packed.extend(values);
    };
    for value in values {
        match value {
            None => put(NOTHING, &[], vec![]),
            Some(Value::Vector(tensor)) => put(VECTOR, &tensor.dims(), host(tensor)),
            Some(Value::Sequence(tensor)) => put(SEQUENCE, &tensor.dims(), host(tensor)),
            Some(Value::Image(tensor)) => put(IMAGE, &tensor.dims(), host(tensor)),
            Some(Value::Numbers(tensor)) => {
                let shape = tensor.dims();
                let whole = tensor.into_data().convert::<i32>().try_to_vec::<i32>().unwrap_or_default();
                put(NUMBERS, &shape, whole.into_iter().map(|value| f32::from_bits(value.cast_unsigned())).collect());
            }
        }
    }
    packed
}

/// A flow as numbers.
#[must_use]
pub fn packed_flow(flow: Flow) -> Vec<f32> {
    packed(flow.0.into_iter().map(Some).collect())
}

/// Values on a device, as they were packed.
#[must_use]
pub fn unpacked(packed: &[f32], device: &Device) -> Backflow {
    let mut rest = Rest(packed);
    let count = rest.size();
    (0..count).map(|_| rest.value(device)).collect()
}

/// A flow on a device.
#[must_use]
pub fn unpacked_flow(packed: &[f32], device: &Device) -> Flow {
    Flow(unpacked(packed, device).into_iter().flatten().collect())
}

struct Rest<'a>(&'a [f32]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> &'a [f32] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn size(&mut self) -> usize {
        self.take(1).first().map_or(0, |size| size.to_bits() as usize)
    }

    fn tensor<const D: usize>(&mut self, device: &Device) -> Tensor<D> {
        let shape: [usize; D] = std::array::from_fn(|_| self.size());
        Tensor::from_data(TensorData::new(self.take(shape.iter().product()).to_vec(), shape), device)
    }

    fn value(&mut self, device: &Device) -> Option<Value> {
        match self.size() as u32 {
            VECTOR => Some(Value::Vector(self.tensor(device))),
            SEQUENCE => Some(Value::Sequence(self.tensor(device))),
            IMAGE => Some(Value::Image(self.tensor(device))),
            NUMBERS => {
                let shape = [self.size(), self.size()];
                let whole: Vec<i32> =
                    self.take(shape[0] * shape[1]).iter().map(|value| value.to_bits().cast_signed()).collect();
                Some(Value::Numbers(Tensor::<2, Int>::from_data(TensorData::new(whole, shape), device)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_as_they_left() {
        let device = Device::flex();
        let whole = TensorData::new(vec![1, -2, i32::MAX, 7_654_321], [2, 2]);
        let values = vec![
            Some(Value::Image(Tensor::ones([2, 1, 3, 2], &device))),
            None,
            Some(Value::Numbers(Tensor::from_data(whole.clone(), &device))),
            Some(Value::Sequence(Tensor::zeros([1, 2, 3], &device))),
            Some(Value::Vector(Tensor::full([2, 2], 0.5, &device))),
        ];
        let again = unpacked(&packed(values.clone()), &device);
        assert_eq!(
            packed(again.clone()).iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            packed(values).iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        );
        let Some(Value::Numbers(numbers)) = &again[2] else { panic!("whole numbers stay whole numbers") };
        assert_eq!(numbers.to_data().convert::<i32>(), whole);
        assert!(unpacked(&[], &device).is_empty());
    }
}
