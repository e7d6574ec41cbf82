//! Records as numbers: normalised, changed at random for training, filled up, hidden.

use rand_chacha::ChaCha8Rng;
use scenarios::scenario::{Augmentation, Preprocessing};

use super::augment::{Change, add_noise};
use super::host::{HostBatch, HostInputs, HostTargets};
use super::masking::{USUAL_SHARE, hide};
use super::order::stream;
use super::records::{Columns, Documents, Images, Records, Stream, Truth};

/// Turns records into batches.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Number for each value of a pixel: scaled to 0..1, then (x − mean) / deviation.
    pixels: [f32; 256],
    normalize: [f32; 2],
    augmentation: Augmentation,
    seed: u64,
}

/// Where in a training records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Where the windows of a text begin.
    pub offset: usize,
}

/// Tokens of records, and which of them are there.
struct Filled {
    tokens: Vec<i32>,
    there: Vec<f32>,
}

impl Reader {
    /// A reader by a recipe; the seed draws what changes records at random.
    #[must_use]
    pub fn new(preprocessing: &Preprocessing, seed: u64) -> Self {
        let normalize = preprocessing.normalize.unwrap_or([0.0, 1.0]);
        let [mean, deviation] = normalize;
        let pixels = std::array::from_fn(|pixel| (pixel as f32 / 255.0 - mean) / deviation);
        Self { pixels, normalize, augmentation: preprocessing.augmentation, seed }
    }

    /// Records as they are. Where tokens are to be found, the same ones are hidden each time.
    #[must_use]
    pub fn read(&self, records: &Records, positions: &[usize]) -> HostBatch {
        let plain = Augmentation { mask: self.augmentation.mask, ..Augmentation::default() };
        let reader = Self { augmentation: plain, ..self.clone() };
        reader.learn(records, positions, Moment { epoch: 0, offset: 0 })
    }

    /// Records for training: changed at random by the seed, the epoch and the record alone.
    pub(super) fn learn(&self, records: &Records, positions: &[usize], moment: Moment) -> HostBatch {
        match &records.columns {
            Columns::Stream(stream) => {
                let starts: Vec<usize> =
                    positions.iter().map(|&position| stream.start(position, moment.offset)).collect();
                windows(stream, &starts)
            }
            Columns::Documents(documents) => self.documents(documents, &records.truth, positions, moment.epoch),
            columns => {
                let inputs = self.inputs(columns, positions, moment.epoch);
                HostBatch { inputs, targets: self.targets(records, positions, moment.epoch) }
            }
        }
    }

    fn random(&self, epoch: u32, position: usize) -> ChaCha8Rng {
        stream(self.seed, epoch, position as u64)
    }

    fn inputs(&self, columns: &Columns, positions: &[usize], epoch: u32) -> HostInputs {
        match columns {
            Columns::Images(images) => HostInputs::Numbers(images.values(), self.images(images, positions, epoch)),
            Columns::Numbers { width, values } => {
                HostInputs::Numbers(*width, self.numbers(values, *width, positions, epoch))
            }
            Columns::Pairs(pairs) => {
                let of = positions.iter().flat_map(|&position| pairs[position]);
                HostInputs::Pairs(of.map(u32::cast_signed).collect())
            }
            Columns::Clicks { numbers, lookups, values, rows } => {
                let of_tables = super::records::rows(rows, *lookups, positions);
                let of_tables = of_tables.into_iter().map(u32::cast_signed).collect();
                let values = self.numbers(values, *numbers, positions, epoch);
                HostInputs::Clicks([*numbers, *lookups], values, of_tables)
            }
            Columns::Stream(_) | Columns::Documents(_) => unreachable!("texts are read with what is to be found"),
        }
    }

    fn images(&self, images: &Images, positions: &[usize], epoch: u32) -> Vec<f32> {
        let Augmentation { shift, crop, flip, noise, .. } = self.augmentation;
        let changes = shift > 0 || crop > 0 || flip || noise > 0.0;
        let mut values = Vec::with_capacity(positions.len() * images.values());
        for &position in positions {
            if !changes {
                values.extend(images.image(position).iter().map(|&pixel| self.pixels[usize::from(pixel)]));
                continue;
            }
            let (from, mut random) = (values.len(), self.random(epoch, position));
            let change = Change::draw(&self.augmentation, &mut random);
            change.image(images, position, |pixel| values.push(self.pixels[usize::from(pixel)]));
            add_noise(&mut values[from..], noise, &mut random);
        }
        values
    }

    fn numbers(&self, values: &[f32], width: usize, positions: &[usize], epoch: u32) -> Vec<f32> {
        let [mean, deviation] = self.normalize;
        let mut found = Vec::with_capacity(positions.len() * width);
        for &position in positions {
            let from = found.len();
            let of_record = &values[position * width..(position + 1) * width];
            found.extend(of_record.iter().map(|value| (value - mean) / deviation));
            add_noise(&mut found[from..], self.augmentation.noise, &mut self.random(epoch, position));
        }
        found
    }

    fn targets(&self, records: &Records, positions: &[usize], epoch: u32) -> HostTargets {
        match &records.truth {
            Truth::Unknown | Truth::Next | Truth::Masked => HostTargets::Unknown,
            Truth::Classes(classes) => HostTargets::Classes(of_classes(classes, positions)),
            Truth::Numbers { width, values } => {
                HostTargets::Numbers(*width, super::records::rows(values, *width, positions))
            }
            Truth::Boxes(boxes) => {
                let of = |&position: &usize| match &records.columns {
                    Columns::Images(images) => {
                        let mut random = self.random(epoch, position);
                        Change::draw(&self.augmentation, &mut random).objects(images, &boxes[position])
                    }
                    _ => boxes[position].clone(),
                };
                HostTargets::Boxes(positions.iter().map(of).collect())
            }
        }
    }

    fn documents(&self, documents: &Documents, truth: &Truth, positions: &[usize], epoch: u32) -> HostBatch {
        let length = documents.layout.sequence;
        if *truth == Truth::Next {
            return continued(documents, positions);
        }
        let mut filled = Filled { tokens: Vec::new(), there: Vec::new() };
        for &position in positions {
            filled.document(documents, position);
        }
        let targets = match truth {
            Truth::Masked => {
                let share = self.augmentation.mask.unwrap_or(USUAL_SHARE);
                let told = filled.tokens.clone();
                let mut counts = Vec::with_capacity(told.len());
                for (tokens, &position) in filled.tokens.chunks_mut(length).zip(positions) {
                    let hidden = hide(tokens, &documents.layout, share, &mut self.random(epoch, position));
                    counts.extend(hidden.into_iter().map(|hidden| f32::from(u8::from(hidden))));
                }
                HostTargets::Tokens(length, told, counts)
            }
            Truth::Classes(classes) => HostTargets::Classes(of_classes(classes, positions)),
            _ => HostTargets::Unknown,
        };
        HostBatch { inputs: HostInputs::Tokens(length, filled.tokens, Some(filled.there)), targets }
    }
}

fn of_classes(classes: &[u32], positions: &[usize]) -> Vec<i32> {
    positions.iter().map(|&position| classes[position].cast_signed()).collect()
}

/// Windows of a text that begin at these places, and the token after each of theirs.
pub(super) fn windows(stream: &Stream, starts: &[usize]) -> HostBatch {
    let length = stream.sequence;
    let of = |ahead: usize| {
        let window = |&start: &usize| &stream.tokens[start + ahead..start + ahead + length];
        starts.iter().flat_map(window).map(|&token| token.cast_signed()).collect::<Vec<i32>>()
    };
    let (tokens, next) = (of(0), of(1));
    let counts = vec![1.0; next.len()];
    HostBatch { inputs: HostInputs::Tokens(length, tokens, None), targets: HostTargets::Tokens(length, next, counts) }
}

/// Documents and the token after each of theirs.
fn continued(documents: &Documents, positions: &[usize]) -> HostBatch {
    let (length, padding) = (documents.layout.sequence, documents.layout.padding.cast_signed());
    let [mut tokens, mut next, mut there] = [Vec::new(), Vec::new(), Vec::new()];
    for &position in positions {
        let whole: Vec<i32> = documents
            .layout
            .first
            .iter()
            .chain(documents.document(position))
            .chain(&documents.layout.last)
            .map(|&token| token.cast_signed())
            .collect();
        let read = whole.len().saturating_sub(1).min(length);
        tokens.extend(&whole[..read]);
        next.extend(&whole[whole.len().min(1)..][..read]);
        there.extend(std::iter::repeat_n(1, read));
        for (values, filling) in [(&mut tokens, padding), (&mut next, padding), (&mut there, 0)] {
            values.extend(std::iter::repeat_n(filling, length - read));
        }
    }
    let counts: Vec<f32> = there.into_iter().map(|there| there as f32).collect();
    let inputs = HostInputs::Tokens(length, tokens, Some(counts.clone()));
    HostBatch { inputs, targets: HostTargets::Tokens(length, next, counts) }
}

impl Filled {
    /// A document between its special tokens, cut off or filled up.
    fn document(&mut self, documents: &Documents, position: usize) {
        let layout = &documents.layout;
        let special = layout.first.iter().count() + layout.last.iter().count();
        let tokens = documents.document(position);
        let tokens = &tokens[..tokens.len().min(layout.sequence.saturating_sub(special))];
        let whole = layout.first.iter().chain(tokens).chain(&layout.last).take(layout.sequence);
        let from = self.tokens.len();
        self.tokens.extend(whole.map(|&token| token.cast_signed()));
        let read = self.tokens.len() - from;
        self.tokens.extend(std::iter::repeat_n(layout.padding.cast_signed(), layout.sequence - read));
        self.there.extend(std::iter::repeat_n(1.0, read).chain(std::iter::repeat_n(0.0, layout.sequence - read)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::records::Layout;
    use super::*;

    fn reader(normalize: Option<[f32; 2]>) -> Reader {
        Reader::new(&Preprocessing { normalize, ..Preprocessing::default() }, 1)
    }

    fn numbers(batch: &HostBatch) -> &[f32] {
        let HostInputs::Numbers(_, values) = &batch.inputs else { unreachable!("they are numbers") };
        values
    }

    fn close(found: &[f32], expected: &[f32]) {
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?}"
        );
    }

    #[test]
    fn pixels_and_numbers_are_normalized() {
        let records = Records::grey(2, 2, vec![0, 255, 51, 204], &[3]);
        let batch = reader(Some([0.5, 0.5])).read(&records, &[0]);
        close(numbers(&batch), &[-1.0, 1.0, -0.6, 0.6]);
        assert_eq!(batch.targets, HostTargets::Classes(vec![3]));
        let columns = Columns::Numbers { width: 2, values: vec![0.0, 1.0, 2.0, 3.0] };
        let records = Records { columns, truth: Truth::Numbers { width: 1, values: vec![5.0, 6.0] } };
        let batch = reader(Some([1.0, 2.0])).read(&records, &[1]);
        close(numbers(&batch), &[0.5, 1.0]);
        assert_eq!(batch.targets, HostTargets::Numbers(1, vec![6.0]));
        close(numbers(&reader(None).read(&records, &[0])), &[0.0, 1.0]);
    }

    #[test]
    fn training_records_change_and_others_do_not() {
        let augmentation = Augmentation { shift: 1, noise: 0.1, flip: true, ..Augmentation::default() };
        let reader = Reader::new(&Preprocessing { augmentation, ..Preprocessing::default() }, 1);
        let records = Records::grey(4, 4, (0..64).collect(), &[0, 1, 2, 3]);
        let learn = |epoch| reader.learn(&records, &[2, 1], Moment { epoch, offset: 0 });
        assert_eq!(learn(1), learn(1));
        assert_ne!(learn(1), learn(2));
        close(numbers(&reader.read(&records, &[0])), &(0..16).map(|pixel| pixel as f32 / 255.0).collect::<Vec<_>>());
    }

    #[test]
    fn a_window_is_followed_by_its_next_token() {
        let stream = Stream { sequence: 3, tokens: Arc::new((10..20).collect()), starts: None };
        let records = Records { columns: Columns::Stream(stream), truth: Truth::Next };
        let batch = reader(None).learn(&records, &[1, 0], Moment { epoch: 1, offset: 2 });
        assert_eq!(batch.inputs, HostInputs::Tokens(3, vec![15, 16, 17, 12, 13, 14], None));
        assert_eq!(batch.targets, HostTargets::Tokens(3, vec![16, 17, 18, 13, 14, 15], vec![1.0; 6]));
        assert_eq!((batch.records(), batch.units()), (2, 6.0));
        let chosen = reader(None).read(&records.select(&[1]), &[0]);
        assert_eq!(chosen.inputs, HostInputs::Tokens(3, vec![13, 14, 15], None));
    }

    fn documents(sequence: usize, truth: Truth) -> Records {
        let layout = Layout { sequence, vocabulary: 30, padding: 0, first: Some(2), last: Some(3), mask: Some(4) };
        let columns = Columns::Documents(Documents { layout, ends: vec![1, 6], tokens: vec![10, 11, 12, 13, 14, 15] });
        Records { columns, truth }
    }

    #[test]
    fn documents_are_cut_off_and_filled_up() {
        let records = documents(4, Truth::Classes(vec![1, 0]));
        let batch = reader(None).read(&records, &[0, 1]);
        let there = Some(vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(batch.inputs, HostInputs::Tokens(4, vec![2, 10, 3, 0, 2, 11, 12, 3], there));
        assert_eq!(batch.targets, HostTargets::Classes(vec![1, 0]));
        let batch = reader(None).read(&documents(4, Truth::Next), &[0, 1]);
        let counts = vec![1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(batch.inputs, HostInputs::Tokens(4, vec![2, 10, 0, 0, 2, 11, 12, 13], Some(counts.clone())));
        assert_eq!(batch.targets, HostTargets::Tokens(4, vec![10, 3, 0, 0, 11, 12, 13, 14], counts));
        assert!((batch.units() - 6.0).abs() < 1e-12);
    }

    #[test]
    fn hidden_tokens_are_to_be_found() {
        let records = documents(8, Truth::Masked);
        let reader = reader(None);
        let batch = reader.read(&records, &[1]);
        assert_eq!(batch, reader.read(&records, &[1]));
        let HostInputs::Tokens(8, tokens, Some(_)) = &batch.inputs else { unreachable!("they are tokens") };
        let HostTargets::Tokens(8, told, counts) = &batch.targets else { unreachable!("they are tokens") };
        assert_eq!(told, &[2, 11, 12, 13, 14, 15, 3, 0]);
        assert!(batch.units() >= 1.0 && counts[0] == 0.0 && counts[7] == 0.0);
        assert!((0..8).all(|place| counts[place] > 0.5 || tokens[place] == told[place]));
        let learn = |epoch| reader.learn(&records, &[0, 1], Moment { epoch, offset: 0 }).inputs;
        assert!((2..20).any(|epoch| learn(epoch) != learn(1)));
    }
}
