use std::io::BufRead as _;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use scenarios::scenario::FileFormat;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::Interval;
use serde::Serialize;

use super::weights::{self, Weights};
use crate::cli::GenerateArgs;
use crate::data::{CodeError, Special, Tokenizer};
use crate::model::generate::{GenerateError, Sampling, Times, generate as go_on};
use crate::model::{Network, Recipe};

/// A text that was given in the place of a file: lines of standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Serialize)]
struct Text {
    prompt: String,
    #[serde(rename = "text")]
    added: String,
    tokens: usize,
}

/// Times of tokens; of the first one, from the beginning of its batch.
#[derive(Debug, Serialize)]
struct View {
    texts: Vec<Text>,
    batch: usize,
    first_token_seconds: Option<Interval>,
    per_token_seconds: Option<Interval>,
    tokens_per_second: Option<f64>,
}

pub(crate) fn generate(args: &GenerateArgs, printer: Printer) -> Exit {
    run(args, printer).unwrap_or_else(|exit| exit)
}

fn run(args: &GenerateArgs, printer: Printer) -> Result<Exit, Exit> {
    let Weights { checkpoint, devices } = weights::open(&args.weights, args.device, printer)?;
    let refused = |error: &dyn std::error::Error, help| {
        printer.error(error, Some(help));
        Exit::RunFailed
    };
    let words = Words::of(&checkpoint.recipe)
        .map_err(|error| refused(&error, "give weights that a training on texts has written"))?;
    let texts = prompts(args).map_err(|error| refused(&error, "give texts by `--prompt`"))?;
    let prompts = texts.iter().map(|text| words.prompt(text)).collect::<Result<Vec<_>, CodeError>>();
    let prompts = prompts.map_err(|error| refused(&error, "use characters that the training's texts had"))?;
    let mut batches = Vec::new();
    for (texts, prompts) in texts.chunks(args.batch as usize).zip(prompts.chunks(args.batch as usize)) {
        let streamed = args.format == OutputFormat::Table;
        let batch = Batch { words: &words, printer: streamed.then_some(printer), texts };
        let found = batch.run(&checkpoint.network, prompts, args, devices.of_rank(0));
        batches.push(found.map_err(|error| refused(&error, help(&error)))?);
    }
    let view = view(batches, args.batch as usize);
    match args.format {
        OutputFormat::Table => printer.status(&times(&view)),
        format => printer.table(format, &table(&view), &view),
    }
    Ok(Exit::Done)
}

const fn help(error: &GenerateError) -> &'static str {
    match error {
        GenerateError::NoNextToken { .. } => "`executor predict` classifies texts and fills in `[MASK]`",
        GenerateError::Empty { .. } => "give a text to go on from by `--prompt`",
        GenerateError::UnknownToken { .. } => "the file's tokens and its network do not fit: train again",
        GenerateError::Temperature { .. } => "give a temperature above 0; leave it out for the likeliest tokens",
    }
}

/// Texts to go on from.
fn prompts(args: &GenerateArgs) -> std::io::Result<Vec<String>> {
    if args.prompt.iter().any(|prompt| prompt == STANDARD_INPUT) {
        return std::io::stdin().lock().lines().collect();
    }
    Ok(args.prompt.clone())
}

fn sampling(args: &GenerateArgs) -> Sampling {
    match args.temperature {
        None => Sampling::Greedy,
        Some(temperature) => {
            Sampling::Drawn { temperature, top: args.top_k.and_then(NonZeroUsize::new), seed: args.seed }
        }
    }
}

/// Texts as the network reads them, and the other way round.
struct Words {
    tokenizer: Tokenizer,
    /// Tokens before and behind a document, where the network learned from documents.
    first: Option<u32>,
    last: Option<u32>,
}

impl Words {
    fn of(recipe: &Recipe) -> Result<Self, CodeError> {
        let none = || CodeError::Tokenizer { reason: "the weights do not say what their tokens are".to_owned() };
        let tokenizer = Tokenizer::new(recipe.codes.tokens.as_ref().ok_or_else(none)?)?;
        let of_documents = matches!(recipe.files.as_ref().map(|files| &files.format), Some(FileFormat::Lines(_)));
        let special = |special| tokenizer.special(special).filter(|_| of_documents);
        let (first, last) = (special(Special::First), special(Special::Last));
        Ok(Self { tokenizer, first, last })
    }

    fn prompt(&self, text: &str) -> Result<Vec<usize>, CodeError> {
        let tokens = self.tokenizer.encode(text)?;
        Ok(self.first.into_iter().chain(tokens).map(|token| token as usize).collect())
    }

    fn is_last(&self, token: usize) -> bool {
        self.last.is_some_and(|last| last as usize == token)
    }

    fn text(&self, tokens: &[usize]) -> String {
        self.tokenizer.decode(&tokens.iter().map(|&token| token as u32).collect::<Vec<_>>())
    }
}

/// Texts that go on together.
struct Batch<'a> {
    words: &'a Words,
    /// Where they are shown as they grow: one text alone token by token, several when all have ended.
    printer: Option<Printer>,
    texts: &'a [String],
}

impl Batch<'_> {
    fn run(
        &self,
        network: &Network,
        prompts: &[Vec<usize>],
        args: &GenerateArgs,
        device: &burn::tensor::Device,
    ) -> Result<(Vec<Text>, Times), GenerateError> {
        let alone = self.printer.filter(|_| prompts.len() == 1);
        let mut times = Times::start(prompts.len());
        // Tokens so far, and how many bytes of their text were shown.
        let (mut said, mut shown, words) = (Vec::new(), 0, self.words);
        let each = |text: usize, token: usize| {
            times.token(text);
            if let Some(printer) = alone.filter(|_| said.is_empty()) {
                printer.data(&self.texts[text]);
            }
            if words.is_last(token) {
                return ControlFlow::Break(());
            }
            if let Some(printer) = alone {
                said.push(token);
                let all = words.text(&said);
                // The bytes of a character may come one after the other.
                if !all.ends_with('\u{fffd}') {
                    printer.data(all.get(shown..).unwrap_or_default());
                    shown = all.len();
                }
            }
            ControlFlow::Continue(())
        };
        let found = go_on(network, prompts, args.tokens as usize, sampling(args), device, each)?;
        let text = |(prompt, tokens): (&String, Vec<usize>)| Text {
            prompt: prompt.clone(),
            added: words.text(&tokens),
            tokens: tokens.len(),
        };
        let texts: Vec<Text> = self.texts.iter().zip(found).map(text).collect();
        match (self.printer, alone) {
            (_, Some(printer)) => printer.data("\n"),
            (Some(printer), None) => {
                for text in &texts {
                    printer.data(&format!("{}{}\n", text.prompt, text.added));
                }
            }
            (None, None) => {}
        }
        Ok((texts, times))
    }
}

fn view(batches: Vec<(Vec<Text>, Times)>, batch: usize) -> View {
    let all = |of: fn(&Times) -> Vec<f64>| batches.iter().flat_map(|(_, times)| of(times)).collect::<Vec<_>>();
    let (first, between) = (Interval::of(&all(Times::first_token)), Interval::of(&all(Times::per_token)));
    let rates: Vec<f64> = batches.iter().filter_map(|(_, times)| times.tokens_per_second()).collect();
    View {
        batch,
        first_token_seconds: first,
        per_token_seconds: between,
        tokens_per_second: Interval::of(&rates).map(|rates| rates.p50),
        texts: batches.into_iter().flat_map(|(texts, _)| texts).collect(),
    }
}

fn times(view: &View) -> String {
    let milliseconds = |interval: Option<Interval>| {
        interval.map_or_else(
            || "–".to_owned(),
            |interval| format!("p50 {:.2} ms, p90 {:.2} ms", 1e3 * interval.p50, 1e3 * interval.p90),
        )
    };
    format!(
        "first token {}; each further token {}; {:.1} tokens/s in batches of {}",
        milliseconds(view.first_token_seconds),
        milliseconds(view.per_token_seconds),
        view.tokens_per_second.unwrap_or(0.0),
        view.batch
    )
}

fn table(view: &View) -> Table {
    let mut table = Table::new(&["prompt", "text", "tokens"]);
    table.rows =
        view.texts.iter().map(|one| vec![one.prompt.clone(), one.added.clone(), one.tokens.to_string()]).collect();
    table
}
