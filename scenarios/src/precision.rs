//! Number formats of training and inference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Format in which matrices are multiplied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Fp32,
    /// 32-bit values, multiplied with 10 bits of mantissa.
    Tf32,
    /// 16-bit floating point, with 32-bit copies of the parameters in training.
    Fp16,
    /// 16-bit brain floating point, with 32-bit copies of the parameters in training.
    Bf16,
    /// 8-bit floating point in matrix products, the rest as [`Precision::Bf16`].
    Fp8,
    /// 4-bit floating point in matrix products, the rest as [`Precision::Bf16`].
    Fp4,
}

impl Precision {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Fp32, Self::Tf32, Self::Fp16, Self::Bf16, Self::Fp8, Self::Fp4];

    /// Name in documents and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Fp4 => "fp4",
        }
    }

    /// Bytes of an activation in memory.
    #[must_use]
    pub const fn activation_bytes(self) -> u32 {
        match self {
            Self::Fp32 | Self::Tf32 => 4,
            Self::Fp16 | Self::Bf16 | Self::Fp8 | Self::Fp4 => 2,
        }
    }

    /// Whether parameters are kept in 32 bits beside a shorter copy that computes.
    #[must_use]
    pub const fn is_mixed(self) -> bool {
        !matches!(self, Self::Fp32 | Self::Tf32)
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|precision| precision.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("unknown precision `{text}`; known: {}", names()))
    }
}
