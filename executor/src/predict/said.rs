//! Predictions with the names of classes and tokens.

use serde::Serialize;

use super::{Likely, Prediction};
use crate::data::{CodeError, Codes, Tokenizer};
use crate::model::detector::Detection;

/// A class, token or object as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// Its name, or its number where it has none.
    pub name: String,
    /// Its probability, or the score of an object.
    pub probability: f32,
    /// Centre, width and height of an object as shares of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<[f32; 4]>,
}

/// What is said of a record, with names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Classes, the likeliest first.
    Classes(Vec<Named>),
    /// Numbers.
    Numbers(Vec<f32>),
    /// Probability of a click.
    ClickProbability(f32),
    /// Objects, best first.
    Objects(Vec<Named>),
    /// Tokens for each hidden one, the likeliest first.
    Hidden(Vec<Vec<Named>>),
    /// How likely a text is.
    Text {
        /// Mean cross-entropy of a token after those before it, in nats.
        loss: f64,
        /// Exponential of it.
        perplexity: f64,
        /// Tokens that were looked at.
        tokens: f64,
    },
}

/// Names of classes and tokens.
#[derive(Debug)]
pub struct Names<'a> {
    classes: &'a [String],
    tokenizer: Option<Tokenizer>,
}

impl<'a> Names<'a> {
    /// The names that a training has kept.
    ///
    /// # Errors
    /// Its tokenizer cannot be read.
    pub fn of(codes: &'a Codes) -> Result<Self, CodeError> {
        let tokenizer = codes.tokens.as_ref().map(Tokenizer::new).transpose()?;
        Ok(Self { classes: &codes.classes, tokenizer })
    }

    fn class(&self, number: usize) -> String {
        self.classes.get(number).cloned().unwrap_or_else(|| number.to_string())
    }

    fn token(&self, number: usize) -> String {
        self.tokenizer.as_ref().map_or_else(|| number.to_string(), |tokenizer| tokenizer.decode(&[number as u32]))
    }

    /// What is said of a record, with names.
    #[must_use]
    pub fn said(&self, prediction: Prediction) -> Said {
        let named = |likely: &Likely, name| Named { name, probability: likely.probability, place: None };
        match prediction {
            Prediction::Classes(likely) => {
                Said::Classes(likely.iter().map(|one| named(one, self.class(one.number))).collect())
            }
            Prediction::Numbers(numbers) => Said::Numbers(numbers),
            Prediction::Click(probability) => Said::ClickProbability(probability),
            Prediction::Objects(objects) => {
                let object = |one: &Detection| Named {
                    name: self.class(one.class),
                    probability: one.score,
                    place: Some(one.place),
                };
                Said::Objects(objects.iter().map(object).collect())
            }
            Prediction::Hidden(places) => {
                let of_place =
                    |likely: &Vec<Likely>| likely.iter().map(|one| named(one, self.token(one.number))).collect();
                Said::Hidden(places.iter().map(of_place).collect())
            }
            Prediction::Text { loss, tokens } => Said::Text { loss, perplexity: loss.exp(), tokens },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_names_or_numbers() {
        let codes = Codes { classes: vec!["ham".to_owned(), "spam".to_owned()], ..Codes::default() };
        let names = Names::of(&codes).expect("there is no tokenizer");
        let likely = [1, 2].map(|number| Likely { number, probability: 0.5 }).to_vec();
        let half = |name: &str| Named { name: name.to_owned(), probability: 0.5, place: None };
        assert_eq!(names.said(Prediction::Classes(likely)), Said::Classes(vec![half("spam"), half("2")]));
        let said = names.said(Prediction::Text { loss: 0.0, tokens: 3.0 });
        assert_eq!(said, Said::Text { loss: 0.0, perplexity: 1.0, tokens: 3.0 });
    }
}
