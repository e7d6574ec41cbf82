//! Records: found, read, cleaned, split and handed out in batches, all by the seed.

mod batch;
mod batches;
mod digits;
mod download;
pub mod idx;
mod prepare;
pub mod shapes;
mod source;

pub use batch::{Batch, Inputs, Targets};
pub use batches::{Batches, Normalization};
pub use digits::draw as draw_digits;
pub use prepare::{Prepared, prepare};
pub use source::{DataError, Files, Found, Wanted, find};

/// Grey images with their classes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Pixels of all images, row by row.
    pub pixels: Vec<u8>,
    /// Class of each image; empty where they are not known.
    pub labels: Vec<u8>,
}

impl Records {
    /// Number of images.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.values() {
            0 => 0,
            values => self.pixels.len() / values,
        }
    }

    /// Whether there are no images.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of one image.
    #[must_use]
    pub const fn values(&self) -> usize {
        self.height * self.width
    }

    /// Pixels of the image at `index`.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.values()..(index + 1) * self.values()]
    }

    /// The records at these positions, in this order.
    ///
    /// # Panics
    /// If a position is too large, or the classes are not known.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        let pixels = positions.iter().flat_map(|&position| self.image(position)).copied().collect();
        let labels = positions.iter().map(|&position| self.labels[position]).collect();
        Self { pixels, labels, ..*self }
    }
}
