//! Mixed precision: passes compute in 16 bits, parameters and what is learned stay in 32 (Micikevicius et al. 2018,
//! arXiv 1710.03740).

use burn::module::{Module as _, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor};
use scenarios::precision::Precision;
use serde::{Deserialize, Serialize};

use super::stage::Held;

/// The format that passes compute in, and what there is to say where it is not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computing {
    /// The format.
    pub format: FloatDType,
    /// Why it is another one.
    pub warning: Option<String>,
}

impl Computing {
    /// What a device computes in where a plan says `precision`: 16 bits if it has arithmetic in them, else 32. Formats of 8
    /// and 4 bits, and shortened products, are planned but not carried out.
    #[must_use]
    pub fn of(precision: Precision, device: &Device) -> Self {
        let (wanted, plain) = match precision {
            Precision::Fp32 => (FloatDType::F32, true),
            Precision::Tf32 => (FloatDType::F32, false),
            Precision::Fp16 => (FloatDType::F16, true),
            Precision::Bf16 => (FloatDType::BF16, true),
            Precision::Fp8 | Precision::Fp4 => (FloatDType::BF16, false),
        };
        let format = if device.supports_dtype(wanted) { wanted } else { FloatDType::F32 };
        let name = match format {
            FloatDType::F16 => "fp16",
            FloatDType::BF16 => "bf16",
            _ => "fp32",
        };
        let warning = (!plain || format != wanted).then(|| {
            let why = if plain { "the device has no arithmetic in it" } else { "it is planned, not carried out" };
            format!("the plan says {precision}, but this training computes in {name}: {why}")
        });
        Self { format, warning }
    }
}

/// What losses are multiplied by, so that gradients in 16-bit floating point do not vanish. It is halved when gradients
/// overflow, whose step is left out, and doubled after many steps without.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossScale {
    /// The factor, a power of two.
    pub factor: f64,
    /// Steps since it changed.
    steady: u32,
    /// Steps that were left out.
    pub skipped: u64,
}

/// Steps without overflow after which the scale is doubled (PyTorch's default, as the first scale is).
const STEADY: u32 = 2000;

impl LossScale {
    /// The scale of a training in a format; none where gradients have the range of 32 bits.
    #[must_use]
    pub fn of(format: FloatDType) -> Option<Self> {
        (format == FloatDType::F16).then_some(Self { factor: 65536.0, steady: 0, skipped: 0 })
    }

    /// The scale after a step whose gradients were all finite, or not.
    #[must_use]
    pub fn after(self, finite: bool) -> Self {
        match self {
            Self { factor, skipped, .. } if !finite => {
                Self { factor: (factor / 2.0).max(1.0), steady: 0, skipped: skipped + 1 }
            }
            Self { factor, steady, skipped } if steady + 1 == STEADY => {
                Self { factor: 2.0 * factor, steady: 0, skipped }
            }
            Self { steady, .. } => Self { steady: steady + 1, ..self },
        }
    }
}

/// A copy of what a rank holds that passes compute with; none in 32 bits, where they use the parameters themselves.
#[must_use]
pub fn working(held: &Held, format: FloatDType) -> Option<Held> {
    struct Shortened(FloatDType);
    impl ModuleMapper for Shortened {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|tensor| tensor.without_autodiff().cast(self.0).autodiff().require_grad())
        }
    }
    (format != FloatDType::F32).then(|| held.clone().map(&mut Shortened(format)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_computes_in_what_it_can() {
        let check = |precision: Precision, format: FloatDType, warns: bool| {
            let computing = Computing::of(precision, &Device::flex());
            assert_eq!((computing.format, computing.warning.is_some()), (format, warns), "{computing:?}");
        };
        check(Precision::Fp32, FloatDType::F32, false);
        check(Precision::Tf32, FloatDType::F32, true);
        check(Precision::Fp16, FloatDType::F16, false);
        check(Precision::Bf16, FloatDType::BF16, false);
        check(Precision::Fp8, FloatDType::BF16, true);
    }

    #[test]
    fn a_scale_falls_at_once_and_rises_slowly() {
        let scale = LossScale::of(FloatDType::F16).expect("half precision is scaled");
        assert_eq!(LossScale::of(FloatDType::BF16), None);
        let fallen = scale.after(false);
        assert_eq!((fallen.factor, fallen.skipped), (32768.0, 1));
        let risen = (0..STEADY).fold(fallen, |scale, _| scale.after(true));
        assert_eq!((risen.factor, risen.skipped), (65536.0, 1));
        assert!((0..40).fold(scale, |scale, _| scale.after(false)).factor <= 1.0);
    }
}
