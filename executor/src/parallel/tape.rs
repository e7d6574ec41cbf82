//! Passes through a run of pieces that can be cut: what is kept for the backward pass, and that pass.

use std::ops::Range;

use burn::module::Module as _;
use burn::tensor::{FloatDType, Gradients, Tensor, TensorData};
use scenarios::strategy::Recompute;

use crate::data::Targets;
use crate::model::loss::{Loss, loss};
use crate::model::{Flow, Group, Network, Pass, Seam, Value, host};
use crate::transport::TransportError;

/// Gradients of the values of a flow; none of a value that nothing depends on.
pub type Backflow = Vec<Option<Value>>;

/// A run of pieces between two cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Pieces of the part.
    pub pieces: Range<usize>,
    /// What happens to the values that it gives.
    pub seams: &'static [Seam],
    /// Whether only what enters is kept, and the pass is made again on the way back.
    pub again: bool,
}

/// Groups whose ranks meet at seams.
#[derive(Clone, Copy)]
pub struct Meeting<'a> {
    /// Ranks that share matrices.
    pub tensor: &'a dyn Group,
    /// Ranks that learn from other records.
    pub replicas: &'a dyn Group,
}

impl<'a> Meeting<'a> {
    fn over(self, seam: Seam) -> Option<&'a dyn Group> {
        let group = match seam {
            Seam::Plain => return None,
            Seam::GradientOverTensor => self.tensor,
            Seam::SumOverReplicas => self.replicas,
        };
        (group.size() > 1).then_some(group)
    }

    /// A pass of these groups.
    #[must_use]
    pub fn pass(self, learns: bool, counts: bool) -> Pass<'a> {
        Pass { learns, counts, replicas: self.replicas.size(), tensor: self.tensor }
    }
}

/// Where a part of a network is cut: at seams that more than one rank meets at, around what is computed again, and before
/// the pieces `cuts`.
#[must_use]
pub fn segments(network: &Network, meeting: Meeting<'_>, recompute: Recompute, cuts: &[usize]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut open = false;
    for (at, piece) in network.pieces().iter().enumerate() {
        let again = piece.is_recomputed(recompute);
        match segments.last_mut().filter(|last| open && !again && !last.again && !cuts.contains(&at)) {
            Some(last) => last.pieces.end = at + 1,
            None => segments.push(Segment { pieces: at..at + 1, seams: &[], again }),
        }
        let seams = piece.seams();
        open = !seams.iter().any(|seam| meeting.over(*seam).is_some());
        if let Some(last) = segments.last_mut() {
            last.seams = seams;
        }
    }
    segments
}

/// What is kept of one pass through a part.
#[derive(Debug)]
pub struct Tape {
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// What entered, where the graph begins.
    leaf: Flow,
    /// What left, unless it is computed again.
    left: Option<Left>,
}

/// What leaves a segment.
#[expect(clippy::large_enum_variant, reason = "a pass has few of them")]
#[derive(Debug)]
enum Left {
    Values(Flow),
    /// Of the last segment of a network that learns.
    Loss(Tensor<1>),
}

/// What comes of a forward pass.
#[expect(clippy::large_enum_variant, reason = "a pass has one of them")]
#[derive(Debug)]
pub enum Output {
    /// Values for the next part.
    Values(Flow),
    /// Of the last part.
    Loss(Loss),
}

/// Runs a part forward. With targets it is the last one, and gives the loss.
#[must_use]
pub fn forward(
    network: &Network,
    segments: &[Segment],
    meeting: Meeting<'_>,
    entering: Flow,
    targets: Option<&Targets>,
) -> (Tape, Output) {
    let pass = meeting.pass(true, true);
    // What is computed again later leaves no graph behind.
    let silent = segments.iter().any(|segment| segment.again).then(|| network.clone().no_grad());
    let mut flow = entering;
    let mut kept = Vec::with_capacity(segments.len());
    for (at, segment) in segments.iter().enumerate() {
        // Nobody asks for the gradient of what the network reads.
        let is_read = at == 0 && network.part().pieces.start == 0;
        let leaf = if is_read { flow.detached() } else { flow.leaf() };
        let out = match silent.as_ref().filter(|_| segment.again) {
            Some(silent) => {
                let out = silent.forward(segment.pieces.clone(), leaf.clone().detached(), &pass);
                network.follow(silent, segment.pieces.clone());
                out
            }
            None => network.forward(segment.pieces.clone(), leaf.clone(), &pass),
        };
        let is_last = at + 1 == segments.len();
        if let Some(targets) = targets.filter(|_| is_last) {
            let loss = loss(network.description(), out.cast(FloatDType::F32), targets.clone(), &pass);
            let figures = Loss { sum: loss.sum.clone().detach(), right: loss.right };
            kept.push(Kept { leaf, left: (!segment.again).then_some(Left::Loss(loss.sum)) });
            return (Tape { kept }, Output::Loss(figures));
        }
        flow = met(out.clone().detached(), segment.seams, meeting);
        kept.push(Kept { leaf, left: (!segment.again).then_some(Left::Values(out)) });
    }
    (Tape { kept }, Output::Values(flow))
}

/// Runs a part backward: what flows back to the part before it. Gradients of parameters go to `learned` with the piece that
/// they begin with, segment by segment from the last.
///
/// # Errors
/// Those of `learned`.
pub fn backward(
    network: &Network,
    segments: &[Segment],
    meeting: Meeting<'_>,
    tape: Tape,
    from_behind: Behind<'_>,
    mut learned: impl FnMut(usize, Gradients) -> Result<(), TransportError>,
) -> Result<Backflow, TransportError> {
    let pass = meeting.pass(true, false);
    let (targets, scale, mut back) = match from_behind {
        Behind::Loss { targets, scale } => (Some(targets), scale, Backflow::new()),
        Behind::Values(back) => (None, 1.0, back),
    };
    for (segment, Kept { leaf, left }) in segments.iter().zip(tape.kept).rev() {
        let is_end = targets.is_some() && segment.pieces.end == network.pieces().len();
        let left = left.unwrap_or_else(|| {
            let out = network.forward(segment.pieces.clone(), leaf.clone(), &pass);
            match targets.filter(|_| is_end) {
                Some(targets) => {
                    let out = out.cast(FloatDType::F32);
                    Left::Loss(loss(network.description(), out, targets.clone(), &pass).sum)
                }
                None => Left::Values(out),
            }
        });
        let root = match left {
            Left::Loss(sum) => Some(sum.mul_scalar(scale)),
            Left::Values(out) => {
                let back = met_back(std::mem::take(&mut back), segment.seams, meeting);
                out.weighted(back)
            }
        };
        let Some(root) = root else { return Ok(leaf.0.iter().map(|_| None).collect()) };
        let mut gradients = root.backward();
        back = leaf.gradients(&mut gradients);
        learned(segment.pieces.start, gradients)?;
    }
    Ok(back)
}

/// What a backward pass begins with.
pub enum Behind<'a> {
    /// The loss of these targets times a factor.
    Loss {
        /// What is true of the records.
        targets: &'a Targets,
        /// One over the units that a mean is taken of.
        scale: f64,
    },
    /// What flows back from the next part.
    Values(Backflow),
}

/// Runs a part without learning.
#[must_use]
pub fn infer(network: &Network, meeting: Meeting<'_>, entering: Flow) -> Flow {
    let pass = meeting.pass(false, false);
    // Otherwise parameters that learn would leave a graph behind.
    network.clone().no_grad().forward(0..network.pieces().len(), entering, &pass)
}

/// Values after a seam.
fn met(mut flow: Flow, seams: &[Seam], meeting: Meeting<'_>) -> Flow {
    for (value, seam) in flow.0.iter_mut().zip(seams) {
        if let Some(group) = meeting.over(*seam).filter(|_| *seam == Seam::SumOverReplicas) {
            *value = summed(value.clone(), group);
        }
    }
    flow
}

/// Gradients before a seam.
fn met_back(mut back: Backflow, seams: &[Seam], meeting: Meeting<'_>) -> Backflow {
    for (value, seam) in back.iter_mut().zip(seams) {
        if let Some(group) = meeting.over(*seam) {
            *value = value.take().map(|gradient| summed(gradient, group));
        }
    }
    back
}

/// The sum of a value over a group.
fn summed(value: Value, group: &dyn Group) -> Value {
    fn sum<const D: usize>(tensor: Tensor<D>, group: &dyn Group) -> Tensor<D> {
        let (shape, device, format) = (tensor.shape(), tensor.device(), tensor.dtype());
        let mut values = host(tensor);
        group.sum(&mut values);
        Tensor::<D>::from_data(TensorData::new(values, shape), &device).cast(format)
    }
    match value {
        Value::Vector(tensor) => Value::Vector(sum(tensor, group)),
        Value::Sequence(tensor) => Value::Sequence(sum(tensor, group)),
        Value::Image(tensor) => Value::Image(sum(tensor, group)),
        numbers @ Value::Numbers(_) => numbers,
    }
}
