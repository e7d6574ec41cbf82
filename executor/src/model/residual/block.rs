//! Blocks unfolded into steps, named as torchvision names them.

use scenarios::model::{Block, Bottleneck, Mbconv, Shortcut, TensorShape};

use super::plan::{Unfolding, strided};
use super::step::{Activation, Plain, Step, Window};

impl Unfolding {
    /// One block of a stage.
    pub(super) fn block(&mut self, block: Block, name: &str, channels: usize, stride: usize) {
        let window = |channels, kernel| Window::new("", [0, channels], kernel);
        let names = |number: usize| [format!("{name}.conv{number}"), format!("{name}.bn{number}")];
        match block {
            Block::Plain => self.normalised(names(1), &window(channels, 3).by(stride), Activation::Relu),
            Block::Pooled => {
                self.normalised(names(1), &window(channels, 3), Activation::Relu);
                self.pool(2, stride);
            }
            Block::Basic(basic) => {
                self.shortcut(name, channels, stride, basic.shortcut);
                self.normalised(names(1), &window(channels, 3).by(stride), Activation::Relu);
                self.normalised(names(2), &window(channels, 3), Activation::None);
                self.plain(Plain::Add(Activation::Relu));
            }
            Block::Bottleneck(Bottleneck { width, groups }) => {
                self.shortcut(name, channels, stride, Shortcut::Projection);
                self.normalised(names(1), &window(width.get(), 1), Activation::Relu);
                let middle = Window { groups: groups.get(), ..window(width.get(), 3).by(stride) };
                self.normalised(names(2), &middle, Activation::Relu);
                self.normalised(names(3), &window(channels, 1), Activation::None);
                self.plain(Plain::Add(Activation::Relu));
            }
            Block::Mbconv(inverted) => self.inverted(inverted, name, channels, stride),
        }
    }

    /// Keeps what the block's last sum needs below the block's input.
    fn shortcut(&mut self, name: &str, channels: usize, stride: usize, shortcut: Shortcut) {
        let input = self.at;
        self.plain(Plain::Copy);
        if strided(input, channels, stride) == input {
            return;
        }
        match shortcut {
            Shortcut::Projection => {
                let names = [0, 1].map(|part| format!("{name}.downsample.{part}"));
                self.normalised(names, &Window::new("", [0, channels], 1).by(stride), Activation::None);
            }
            Shortcut::Padding => self.plain(Plain::Shrink { stride, channels }),
        }
        self.plain(Plain::Swap);
        self.at = input;
    }

    /// Inverted bottleneck: wider, depthwise, weighed, narrow again; added to its input where the shape stays.
    fn inverted(&mut self, block: Mbconv, name: &str, channels: usize, stride: usize) {
        let TensorShape::Image { channels: entering, .. } = self.at else { return };
        let inside = entering * block.expansion.get();
        let added = strided(self.at, channels, stride) == self.at;
        if added {
            self.plain(Plain::Copy);
        }
        let mut parts = (0..).map(|part| format!("{name}.block.{part}"));
        let mut next = || parts.next().unwrap_or_default();
        let both = |part: String| [format!("{part}.0"), format!("{part}.1")];
        if inside > entering {
            self.normalised(both(next()), &Window::new("", [0, inside], 1), Activation::Silu);
        }
        let depthwise = Window { groups: inside, ..Window::new("", [0, inside], block.kernel.get()).by(stride) };
        self.normalised(both(next()), &depthwise, Activation::Silu);
        if block.squeeze {
            self.steps.push(Step::Excite { name: next(), channels: inside, narrow: (entering / 4).max(1) });
        }
        self.normalised(both(next()), &Window::new("", [0, channels], 1), Activation::None);
        if added {
            self.plain(Plain::Add(Activation::None));
        }
    }
}
