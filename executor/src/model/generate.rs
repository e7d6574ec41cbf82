//! Texts that go on, token by token.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::recurrent::cell::State;
use super::{Network, Pass, host};

/// What a piece remembers of the positions before, so that they are not computed again.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Positions before.
    pub(super) seen: usize,
    /// Keys and values of attention: `[records, heads, positions, size]`
    keys_values: Option<[Tensor<4>; 2]>,
    /// State of a recurrent layer.
    pub(super) state: Option<State>,
}

/// How a token is chosen by the scores of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The first one with the greatest score.
    Greedy,
    /// Drawn by softmax(score / temperature).
    Drawn {
        /// Above 0; below 1 likely tokens become more likely.
        temperature: f32,
        /// Only among so many with the greatest scores.
        top: Option<NonZeroUsize>,
        /// With the number of the prompt it decides every draw.
        seed: u64,
    },
}

/// Why a text cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// The network gives no next token.
    #[error("a `{family}` of this kind gives no next token")]
    NoNextToken {
        /// Family of the network.
        family: &'static str,
    },
    /// There is nothing to go on from.
    #[error("prompt {prompt} is empty; it needs at least one token")]
    Empty {
        /// Its number, from 0.
        prompt: usize,
    },
    /// A prompt has a token that the network doesn't know.
    #[error("prompt {prompt} has token {token}, but the vocabulary has {vocabulary} entries")]
    UnknownToken {
        /// Its number, from 0.
        prompt: usize,
        /// The token.
        token: usize,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// The temperature is no positive number.
    #[error("the temperature is {temperature}; it must be above 0")]
    Temperature {
        /// It.
        temperature: f32,
    },
}

impl Memory {
    /// Keys and values of all positions with those of further ones, which are remembered from now on.
    pub(super) fn with(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let [keys, values] = match self.keys_values.take() {
            Some([k, v]) => [Tensor::cat(vec![k, keys], 2), Tensor::cat(vec![v, values], 2)],
            None => [keys, values],
        };
        self.keys_values = Some([keys.clone(), values.clone()]);
        (keys, values)
    }
}

/// Lets texts go on by `count` tokens each, and gives what was added. Each token is chosen as if the network had read the text
/// before it anew, of a transformer its last `sequence` tokens. `each` is told every new token of every prompt as it comes, and
/// ends a text by breaking.
///
/// # Errors
/// The network is no language model, or a prompt is empty or has unknown tokens.
pub fn generate(
    network: &Network,
    prompts: &[Vec<usize>],
    count: usize,
    sampling: Sampling,
    device: &Device,
    mut each: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Vec<Vec<usize>>, GenerateError> {
    check(network, prompts, sampling)?;
    let mut reader = Reader::new(network, device);
    let mut texts: Vec<Text> =
        prompts.iter().enumerate().map(|(i, prompt)| Text::new(i, prompt, count, sampling)).collect();
    let mut at = prompts.iter().map(Vec::len).min().unwrap_or(0);
    while texts.iter().any(|text| !text.is_done()) {
        let scores = reader.after(&texts, at);
        for (text, scores) in texts.iter_mut().zip(&scores) {
            if text.tokens.len() > at {
                continue;
            }
            let token = text.choose(scores, sampling);
            if !text.is_done() && each(text.number, token).is_break() {
                text.end = text.tokens.len() + 1;
            }
            text.tokens.push(token);
        }
        at += 1;
    }
    Ok(texts.into_iter().zip(prompts).map(|(text, prompt)| text.tokens[prompt.len()..text.end].to_vec()).collect())
}

fn check(network: &Network, prompts: &[Vec<usize>], sampling: Sampling) -> Result<(), GenerateError> {
    let description = network.description();
    let Some(vocabulary) = description.next_of() else {
        return Err(GenerateError::NoNextToken { family: description.family() });
    };
    if let Sampling::Drawn { temperature, .. } = sampling
        && !(temperature > 0.0 && temperature.is_finite())
    {
        return Err(GenerateError::Temperature { temperature });
    }
    for (prompt, tokens) in prompts.iter().enumerate() {
        if tokens.is_empty() {
            return Err(GenerateError::Empty { prompt });
        }
        if let Some(token) = tokens.iter().copied().find(|token| *token >= vocabulary) {
            return Err(GenerateError::UnknownToken { prompt, token, vocabulary });
        }
    }
    Ok(())
}

/// A text as it grows.
struct Text {
    number: usize,
    tokens: Vec<usize>,
    /// Length at which it ends; what the batch computes beyond is not of the text.
    end: usize,
    random: ChaCha8Rng,
}

impl Text {
    fn new(number: usize, prompt: &[usize], count: usize, sampling: Sampling) -> Self {
        let seed = match sampling {
            Sampling::Greedy => 0,
            Sampling::Drawn { seed, .. } => seed,
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number as u64);
        Self { number, tokens: prompt.to_vec(), end: prompt.len() + count, random }
    }

    const fn is_done(&self) -> bool {
        self.tokens.len() >= self.end
    }

    fn choose(&mut self, scores: &[f32], sampling: Sampling) -> usize {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let first = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
        let Sampling::Drawn { temperature, top, .. } = sampling else {
            return order.into_iter().min_by(first).unwrap_or(0);
        };
        order.sort_unstable_by(first);
        order.truncate(top.map_or(usize::MAX, NonZeroUsize::get));
        let greatest = scores[order[0]];
        let weight = |token: &usize| f64::from((scores[*token] - greatest) / temperature).exp();
        let mut rest = self.random.random::<f64>() * order.iter().map(weight).sum::<f64>();
        let chosen = order.iter().find(|token| {
            rest -= weight(token);
            rest < 0.0
        });
        chosen.or(order.last()).copied().unwrap_or(0)
    }
}

/// A network that reads texts in step.
struct Reader<'a> {
    network: &'a Network,
    device: &'a Device,
    memories: Vec<Memory>,
    /// Tokens that it can see at once, where that is limited.
    limit: Option<usize>,
    /// Tokens of each text that it has read.
    read: usize,
}

impl<'a> Reader<'a> {
    fn new(network: &'a Network, device: &'a Device) -> Self {
        let limit = network.description().reach();
        Self { network, device, memories: Vec::new(), limit, read: 0 }
    }

    /// Scores of the token that follows the first `length` of each text.
    fn after(&mut self, texts: &[Text], length: usize) -> Vec<Vec<f32>> {
        let start = self.limit.map_or(0, |limit| length.saturating_sub(limit));
        if start > 0 || self.memories.is_empty() {
            self.memories = vec![Memory::default(); self.network.pieces().len()];
            self.read = start;
        }
        let tokens: Vec<i64> =
            texts.iter().flat_map(|text| &text.tokens[self.read..length]).map(|token| *token as i64).collect();
        let shape = [texts.len(), length - self.read];
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, shape), self.device);
        self.read = length;
        let scores = self.network.next(tokens, &mut self.memories, &Pass::plain());
        let vocabulary = scores.dims()[1];
        host(scores).chunks(vocabulary).map(<[f32]>::to_vec).collect()
    }
}
