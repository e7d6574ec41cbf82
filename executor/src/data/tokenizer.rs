//! Texts as tokens.

use std::collections::{BTreeSet, HashMap};

use scenarios::scenario::Tokens;
use serde::{Deserialize, Serialize};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, DecoderWrapper, ModelWrapper, PreTokenizerWrapper};

use super::codes::CodeError;

/// Tokens with a meaning of their own, in the order of their numbers where documents are read one by one.
pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Other names that tokenizers have for the same.
const SYNONYMS: [&[&str]; 5] = [
    &["[PAD]", "<pad>"],
    &["[UNK]", "<unk>"],
    &["[CLS]", "<s>", "<|endoftext|>"],
    &["[SEP]", "</s>", "<|endoftext|>"],
    &["[MASK]", "<mask>"],
];

/// What the tokens of texts are, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenCodes {
    /// These characters in their order.
    Characters(String),
    /// The same, after the special tokens.
    DocumentCharacters(String),
    /// A `tokenizer.json` of Hugging Face's library.
    Library(String),
}

/// A token with a meaning of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// Fills up.
    Padding,
    /// What is not known.
    Unknown,
    /// Stands before a document.
    First,
    /// Stands after a document.
    Last,
    /// Stands in the place of a token that is hidden.
    Mask,
}

/// Turns texts into tokens and back.
#[derive(Debug)]
pub enum Tokenizer {
    /// By characters.
    Characters {
        /// Number of the first of them.
        first: u32,
        /// Characters in their order.
        list: Vec<char>,
        /// Their numbers.
        numbers: HashMap<char, u32>,
    },
    /// By a tokenizer of Hugging Face's library.
    Library(Box<tokenizers::Tokenizer>),
}

impl TokenCodes {
    /// Finds the tokens of texts, at most as many as a network knows; with special tokens, if they are documents.
    ///
    /// # Errors
    /// The library refuses, or it is to be a given tokenizer.
    pub(super) fn learn(
        tokens: &Tokens,
        texts: &[&str],
        vocabulary: usize,
        documents: bool,
    ) -> Result<Self, CodeError> {
        match tokens {
            Tokens::Character => {
                let characters: BTreeSet<char> = texts.iter().flat_map(|text| text.chars()).collect();
                let list = characters.into_iter().collect();
                Ok(if documents { Self::DocumentCharacters(list) } else { Self::Characters(list) })
            }
            Tokens::BytePair => byte_pairs(texts, vocabulary, documents).map(Self::Library),
            Tokens::Tokenizer(file) => Err(CodeError::Tokenizer { reason: format!("`{file}` was not read") }),
        }
    }
}

/// Byte-pair encoding (Sennrich et al., 2016) on bytes (Radford et al., 2019).
fn byte_pairs(texts: &[&str], vocabulary: usize, documents: bool) -> Result<String, CodeError> {
    let special: &[&str] = if documents { &SPECIAL } else { &[] };
    let mut trainer = BpeTrainer::builder()
        .vocab_size(vocabulary)
        .show_progress(false)
        .special_tokens(special.iter().map(|&token| AddedToken::from(token, true)).collect());
    let alphabet = ByteLevel::alphabet();
    // A smaller vocabulary has the bytes of the texts only.
    if vocabulary >= alphabet.len() + special.len() {
        trainer = trainer.initial_alphabet(alphabet.into_iter().collect());
    }
    let mut tokenizer = tokenizers::Tokenizer::new(ModelWrapper::BPE(BPE::default()));
    tokenizer
        .with_pre_tokenizer(Some(PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, true))))
        .with_decoder(Some(DecoderWrapper::ByteLevel(ByteLevel::default())));
    let lines = texts.iter().flat_map(|text| text.split_inclusive('\n'));
    let mut trainer = tokenizers::models::TrainerWrapper::BpeTrainer(trainer.build());
    tokenizer.train(&mut trainer, lines).and_then(|trained| trained.to_string(false)).map_err(|error| refused(&error))
}

fn refused(error: &tokenizers::Error) -> CodeError {
    CodeError::Tokenizer { reason: error.to_string() }
}

impl Tokenizer {
    /// What was kept of it.
    ///
    /// # Errors
    /// It is no tokenizer.
    pub fn new(codes: &TokenCodes) -> Result<Self, CodeError> {
        let characters = |list: &str, first: u32| {
            let list: Vec<char> = list.chars().collect();
            let numbers = list.iter().copied().zip(first..).collect();
            Self::Characters { first, list, numbers }
        };
        match codes {
            TokenCodes::Characters(list) => Ok(characters(list, 0)),
            TokenCodes::DocumentCharacters(list) => Ok(characters(list, SPECIAL.len() as u32)),
            TokenCodes::Library(json) => {
                let tokenizer: tokenizers::Tokenizer = json.parse().map_err(|error| refused(&error))?;
                Ok(Self::Library(Box::new(tokenizer)))
            }
        }
    }

    /// Tokens that there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Characters { first, list, .. } => *first as usize + list.len(),
            Self::Library(tokenizer) => tokenizer.get_vocab(true).values().max().map_or(0, |&last| last as usize + 1),
        }
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of a special token; none if there is no such token.
    #[must_use]
    pub fn special(&self, special: Special) -> Option<u32> {
        match self {
            Self::Characters { first: 0, .. } => None,
            Self::Characters { .. } => Some(special as u32),
            Self::Library(tokenizer) => {
                SYNONYMS[special as usize].iter().find_map(|token| tokenizer.token_to_id(token))
            }
        }
    }

    /// Tokens of a text, without special ones.
    ///
    /// # Errors
    /// It has a character that has no token, or the library refuses it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CodeError> {
        match self {
            Self::Characters { numbers, .. } => {
                let unknown = self.special(Special::Unknown);
                let number =
                    |character| numbers.get(&character).copied().or(unknown).ok_or(CodeError::Character { character });
                text.chars().map(number).collect()
            }
            Self::Library(tokenizer) => {
                let mut tokens = Vec::new();
                for line in text.split_inclusive('\n') {
                    let encoding = tokenizer.encode_fast(line, false).map_err(|error| refused(&error))?;
                    tokens.extend_from_slice(encoding.get_ids());
                }
                Ok(tokens)
            }
        }
    }

    /// The text of tokens; special ones have none.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        match self {
            Self::Characters { first, list, .. } => {
                let character = |token: &u32| list.get(token.checked_sub(*first)? as usize);
                tokens.iter().filter_map(character).collect()
            }
            // It fails for decoders that need other files only, which `tokenizer.json` does not name.
            Self::Library(tokenizer) => tokenizer.decode(tokens, true).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "the cat sat on the mat\nand the rat ate the cat\n\nthé end\n";

    fn learned(tokens: &Tokens, vocabulary: usize, documents: bool) -> Tokenizer {
        let codes = TokenCodes::learn(tokens, &[TEXT], vocabulary, documents).expect("it learns");
        Tokenizer::new(&codes).expect("it was learned")
    }

    #[test]
    fn characters_are_numbered_in_order() {
        let tokenizer = learned(&Tokens::Character, 99, false);
        assert_eq!(tokenizer.encode("\n a").expect("known characters"), [0, 1, 2]);
        assert_eq!(tokenizer.len(), TEXT.chars().collect::<BTreeSet<_>>().len());
        let error = tokenizer.encode("a€").expect_err("it is not in the text").to_string();
        assert_eq!(error, "no text for training has the character `€`");
        let documents = learned(&Tokens::Character, 99, true);
        assert_eq!(documents.encode("\n€a").expect("unknown ones have a token"), [5, 1, 7]);
        assert_eq!((documents.special(Special::Mask), tokenizer.special(Special::Mask)), (Some(4), None));
        assert_eq!(documents.decode(&[2, 5, 7, 3, 0]), "\na");
    }

    #[test]
    fn byte_pairs_are_as_many_as_the_network_knows() {
        for (vocabulary, documents) in [(300, false), (300, true), (40, false), (270, true)] {
            let tokenizer = learned(&Tokens::BytePair, vocabulary, documents);
            assert!(tokenizer.len() <= vocabulary, "{} of {vocabulary}", tokenizer.len());
            let tokens = tokenizer.encode(TEXT).expect("bytes are known");
            assert_eq!(tokenizer.decode(&tokens), TEXT);
            assert_eq!(tokenizer.special(Special::Last), documents.then_some(3));
        }
        let few = learned(&Tokens::BytePair, 300, false).encode(TEXT).expect("bytes are known").len();
        assert!(few < TEXT.len() / 2, "{few} tokens for {} bytes", TEXT.len());
    }

    #[test]
    fn the_same_texts_give_the_same_tokens() {
        let words: Vec<String> = (0..400).map(|at| format!("w{} of{} ", at * at % 97, at % 13)).collect();
        let text = words.concat();
        let learn = || TokenCodes::learn(&Tokens::BytePair, &[&text], 400, true).expect("it learns");
        let first = learn();
        for _ in 0..5 {
            assert_eq!(learn(), first);
        }
    }

    #[test]
    fn what_is_no_tokenizer_is_refused() {
        let error = Tokenizer::new(&TokenCodes::Library("{}".to_owned())).expect_err("it is empty").to_string();
        assert!(error.starts_with("no tokenizer: "), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_bytes(text in "\\PC{0,40}") {
            let tokenizer = learned(&Tokens::BytePair, 280, false);
            let tokens = tokenizer.encode(&text).expect("bytes are known");
            prop_assert_eq!(tokenizer.decode(&tokens), text);
        }
    }
}
