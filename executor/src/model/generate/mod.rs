//! Texts that go on, token by token.

mod memory;
mod reader;
mod text;
mod times;

use std::ops::ControlFlow;

use burn::tensor::Device;

use super::Network;
use reader::Reader;
use text::Text;

pub use memory::Memory;
pub use text::Sampling;
pub use times::Times;

/// Why a text cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// The network gives no next token.
    #[error("a `{family}` of this kind gives no next token; decoders and recurrent networks that run forward only do")]
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use burn::tensor::{Int, Tensor, TensorData};
    use scenarios::model::Model;

    use super::super::{Description, Pass, harness, host};
    use super::*;
    use crate::data::Inputs;

    const MODELS: [&str; 5] = [
        r#"{"transformer": {"kind": "decoder", "layers": 2, "hidden": 16, "heads": 4, "ffn": 24, "vocabulary": 9, "sequence": 8,
            "positions": "learned", "norm": "layer", "bias": true, "tied": true}}"#,
        r#"{"transformer": {"kind": "decoder", "layers": 2, "hidden": 16, "heads": 4, "kv_heads": 2, "ffn": 24, "gated": true,
            "vocabulary": 9, "sequence": 8}}"#,
        r#"{"rnn": {"cell": "lstm", "layers": 2, "hidden": 8, "vocabulary": 9, "sequence": 8, "tied": true}}"#,
        r#"{"rnn": {"cell": "gru", "layers": 2, "hidden": 8, "vocabulary": 9, "sequence": 8}}"#,
        r#"{"rnn": {"cell": "gru", "layers": 2, "hidden": 8, "bidirectional": 1, "vocabulary": 9, "sequence": 8}}"#,
    ];

    fn network(model: &str) -> Network {
        let model: Model = serde_json::from_str(model).expect("it is a description");
        let description = Description::of(&model).expect("it can be carried out");
        let network = Network::new(&description, description.whole(), 3, &Device::flex());
        // Larger values than at the start, so that tokens differ.
        harness::changed(network, |_, value| 12.0 * value)
    }

    fn go_on(network: &Network, prompts: &[Vec<usize>], count: usize, sampling: Sampling) -> Vec<Vec<usize>> {
        generate(network, prompts, count, sampling, &Device::flex(), |_, _| ControlFlow::Continue(()))
            .expect("the prompts are fine")
    }

    /// Scores of the next token by a pass over all that the network may see.
    fn anew(network: &Network, text: &[usize]) -> Vec<f32> {
        let seen = &text[text.len().saturating_sub(network.description().reach().unwrap_or(usize::MAX))..];
        let tokens: Vec<i64> = seen.iter().map(|token| token.cast_signed() as i64).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [1, seen.len()]), &Device::flex());
        let scores = host(network.output(Inputs::Tokens(tokens, None), &Pass::plain()).single().flat());
        scores[scores.len() - 9..].to_vec()
    }

    #[test]
    fn tokens_are_those_of_reading_everything_anew() {
        let prompts = [vec![1, 2, 3], vec![4], vec![5, 6, 7, 8, 0, 1, 2, 3, 4, 5]];
        for model in &MODELS[..4] {
            let network = network(model);
            for (prompt, found) in prompts.iter().zip(go_on(&network, &prompts, 12, Sampling::Greedy)) {
                let mut text = prompt.clone();
                for token in &found {
                    let scores = anew(&network, &text);
                    assert!(scores.iter().all(|score| *score <= scores[*token] + 1e-4), "{model}");
                    text.push(*token);
                }
                assert_eq!(found.len(), 12);
                assert_eq!(go_on(&network, std::slice::from_ref(prompt), 12, Sampling::Greedy)[0], found, "{model}");
            }
        }
    }

    #[test]
    fn draws_follow_seed_temperature_and_limit() {
        let network = network(MODELS[0]);
        let prompts = vec![vec![1, 2]; 200];
        let draw = |temperature, top, seed| {
            let sampling = Sampling::Drawn { temperature, top: NonZeroUsize::new(top), seed };
            go_on(&network, &prompts, 2, sampling)
        };
        assert_eq!(draw(1.0, 0, 1), draw(1.0, 0, 1));
        assert_ne!(draw(1.0, 0, 1), draw(1.0, 0, 2));
        let greedy = go_on(&network, &prompts, 2, Sampling::Greedy);
        assert_eq!(draw(1e-4, 0, 1), greedy);
        assert_eq!(draw(1.0, 1, 1), greedy);
        let different = |texts: Vec<Vec<usize>>| {
            let mut first: Vec<usize> = texts.into_iter().map(|text| text[0]).collect();
            first.sort_unstable();
            first.dedup();
            first.len()
        };
        assert_eq!(different(draw(100.0, 0, 1)), 9);
        assert_eq!(different(draw(100.0, 3, 1)), 3);
    }

    #[test]
    fn a_text_ends_where_it_is_told_to() {
        let network = network(MODELS[1]);
        let (mut told, prompts) = (Vec::new(), [vec![1], vec![2, 3]]);
        let each = |prompt, token| {
            told.push((prompt, token));
            if prompt == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let texts = generate(&network, &prompts, 3, Sampling::Greedy, &Device::flex(), each).expect("they are fine");
        assert_eq!(texts.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
        let of = |wanted| told.iter().filter(|(prompt, _)| *prompt == wanted).map(|(_, token)| *token).collect();
        assert_eq!(texts, [of(0), of(1)] as [Vec<usize>; 2]);
    }

    #[test]
    fn what_cannot_go_on_is_told() {
        let check = |model: usize, prompts: &[Vec<usize>], sampling, expected: &str| {
            let each = |_, _| ControlFlow::Continue(());
            let result = generate(&network(MODELS[model]), prompts, 1, sampling, &Device::flex(), each);
            assert_eq!(result.map_err(|error| error.to_string()).err().unwrap_or_default(), expected);
        };
        let drawn = |temperature| Sampling::Drawn { temperature, top: None, seed: 0 };
        check(0, &[], Sampling::Greedy, "");
        check(0, &[vec![1], vec![]], Sampling::Greedy, "prompt 1 is empty; it needs at least one token");
        check(0, &[vec![9]], Sampling::Greedy, "prompt 0 has token 9, but the vocabulary has 9 entries");
        check(0, &[vec![1]], drawn(0.0), "the temperature is 0; it must be above 0");
        check(
            4,
            &[vec![1]],
            Sampling::Greedy,
            "a `rnn` of this kind gives no next token; decoders and recurrent networks that run forward only do",
        );
    }
}
