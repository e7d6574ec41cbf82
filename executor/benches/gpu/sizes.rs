//! What is measured.

/// How large the trainings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Size {
    /// GPT-2 small and ResNet-50 as they were published: for GPUs.
    Full,
    /// The same networks, small enough for a processor, to see that everything works.
    Small,
}

#[derive(Debug, Clone, Copy)]
pub struct GptSize {
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub vocabulary: usize,
    pub sequence: usize,
    pub batch: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct ResnetSize {
    pub side: usize,
    pub classes: usize,
    pub batch: usize,
}

impl Size {
    /// GPT-2 small (Radford et al. 2019): 124 million parameters.
    pub const fn gpt(self) -> GptSize {
        match self {
            Self::Full => GptSize { layers: 12, width: 768, heads: 12, vocabulary: 50257, sequence: 1024, batch: 8 },
            Self::Small => GptSize { layers: 2, width: 64, heads: 4, vocabulary: 256, sequence: 64, batch: 4 },
        }
    }

    /// ResNet-50 (He et al. 2015): 25.6 million parameters.
    pub const fn resnet(self) -> ResnetSize {
        match self {
            Self::Full => ResnetSize { side: 224, classes: 1000, batch: 64 },
            Self::Small => ResnetSize { side: 32, classes: 10, batch: 2 },
        }
    }
}
