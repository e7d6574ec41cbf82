//! Values that flow between stages, as numbers on their way.

use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};

use super::tape::Backflow;
use crate::model::{Flow, Value, host};

/// Kinds of values in a header.
const NOTHING: u32 = 0;
const VECTOR: u32 = 1;
const SEQUENCE: u32 = 2;
const IMAGE: u32 = 3;
const NUMBERS: u32 = 4;

/// Formats of values in a header, beside their kind. On their way they have 32 bits.
const FORMATS: [FloatDType; 3] = [FloatDType::F32, FloatDType::F16, FloatDType::BF16];
const KINDS: u32 = 8;

/// Values as numbers: for each its kind and format and its shape, then what it holds. Whole numbers keep their bits.
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
            Some(Value::Vector(tensor)) => put(VECTOR + KINDS * format(&tensor), &tensor.dims(), host(tensor)),
            Some(Value::Sequence(tensor)) => put(SEQUENCE + KINDS * format(&tensor), &tensor.dims(), host(tensor)),
            Some(Value::Image(tensor)) => put(IMAGE + KINDS * format(&tensor), &tensor.dims(), host(tensor)),
            Some(Value::Numbers(tensor)) => {
                let shape = tensor.dims();
                let whole = tensor.into_data().convert::<i32>().try_to_vec::<i32>().unwrap_or_default();
                put(NUMBERS, &shape, whole.into_iter().map(|value| f32::from_bits(value.cast_unsigned())).collect());
            }
        }
    }
    packed
}

/// Number of a tensor's format.
fn format<const D: usize>(tensor: &Tensor<D>) -> u32 {
    let format = FloatDType::from(tensor.dtype());
    FORMATS.iter().position(|known| *known == format).map_or(0, |at| at as u32)
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

    fn tensor<const D: usize>(&mut self, format: u32, device: &Device) -> Tensor<D> {
        let shape: [usize; D] = std::array::from_fn(|_| self.size());
        let values = TensorData::new(self.take(shape.iter().product()).to_vec(), shape);
        let format = FORMATS.get(format as usize).copied().unwrap_or(FloatDType::F32);
        Tensor::<D>::from_data(values, device).cast(format)
    }

    fn value(&mut self, device: &Device) -> Option<Value> {
        let header = self.size() as u32;
        let format = header / KINDS;
        match header % KINDS {
            VECTOR => Some(Value::Vector(self.tensor(format, device))),
            SEQUENCE => Some(Value::Sequence(self.tensor(format, device))),
            IMAGE => Some(Value::Image(self.tensor(format, device))),
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
            Some(Value::Vector(Tensor::<2>::full([2, 2], 0.5, &device).cast(FloatDType::BF16))),
        ];
        let again = unpacked(&packed(values.clone()), &device);
        assert_eq!(
            packed(again.clone()).iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            packed(values).iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        );
        let Some(Value::Numbers(numbers)) = &again[2] else { panic!("whole numbers stay whole numbers") };
        assert_eq!(numbers.to_data().convert::<i32>(), whole);
        let Some(Value::Vector(short)) = &again[4] else { panic!("kinds stay") };
        assert_eq!(FloatDType::from(short.dtype()), FloatDType::BF16);
        assert!(unpacked(&[], &device).is_empty());
    }
}
