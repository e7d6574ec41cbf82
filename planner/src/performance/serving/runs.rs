//! Published serving runs: a table in the format of `serving_runs.csv`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;

use scenarios::catalog::{Accelerator, Catalog};
use scenarios::model::Transformer;
use scenarios::precision::Precision;
use serde::Deserialize;

use super::known;
use super::load::{Bucket, Load};
use super::server::Server;
use crate::performance::runs::{self, ReadError, Runs, read_table};

/// A run of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct ServingRun {
    /// Identifier in the table.
    pub id: String,
    /// Where it was published.
    pub source: String,
    /// Name of the network in the table.
    pub model: String,
    /// Name of the device in the table.
    pub device: String,
    /// Replica that answered.
    pub server: Server,
    /// Size of all its requests.
    pub bucket: Bucket,
    /// How they arrived.
    pub load: Load,
    /// What was measured.
    pub measured: Measured,
    /// Standard deviation that rounding gives the measured value, as a share of it.
    pub rounding: f64,
}

/// A measured figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// Time to the first token, in seconds.
    FirstTokenSeconds(f64),
    /// Tokens of answers in a second, of the whole replica.
    TokensPerSecond(f64),
}

/// Requests that TensorRT-LLM's performance overview queues for each size of prompt and answer (its section "Preparing
/// a Dataset").
const QUEUED: [(u32, u32, u32); 10] = [
    (128, 128, 30_000),
    (128, 2048, 3000),
    (128, 4096, 1500),
    (500, 2000, 3000),
    (1000, 1000, 3000),
    (1000, 2000, 1500),
    (2048, 128, 3000),
    (2048, 2048, 1500),
    (5000, 500, 1500),
    (20_000, 2000, 1000),
];

/// Names that leave open which card is meant, and the one that TensorRT-LLM's tables were measured on: their batches
/// need more than 40 GB.
const CARDS: [(&str, &str); 1] = [("A100", "A100-SXM4-80GB")];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    id: String,
    source: String,
    model_name: String,
    layers: String,
    hidden: String,
    heads: String,
    kv_heads: String,
    ffn_hidden: String,
    vocab: String,
    gpu: String,
    gpus: String,
    tp: String,
    pp: String,
    precision: String,
    batching: String,
    batch_size: String,
    input_len: String,
    output_len: String,
    measured_metric: String,
    measured_value: String,
    unit: String,
    notes: String,
}

/// Whether a header is that of a table of serving runs.
#[must_use]
pub fn is_serving<'a>(header: impl IntoIterator<Item = &'a str>) -> bool {
    let header: Vec<&str> = header.into_iter().map(str::trim).collect();
    ["batching", "input_len", "output_len"].iter().all(|column| header.contains(column))
}

/// Reads a table of serving runs; those that cannot be predicted are kept with the reason.
///
/// # Errors
/// A column is missing or the text is no CSV.
pub fn read(text: impl std::io::Read) -> Result<Runs<ServingRun>, ReadError> {
    read_table::<Row>(text)
}

/// Rates in tokens per second and times in seconds or milliseconds; what lies outside is a slip of the pen.
const LIKELY_VALUES: RangeInclusive<f64> = 1e-6..=1e12;

/// A whole number from 1; `None` where the cell is empty.
fn count(column: &str, text: &str) -> Result<Option<NonZeroU32>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{column} `{text}` is no whole number from 1")),
    }
}

fn needed(column: &str, text: &str) -> Result<NonZeroU32, String> {
    count(column, text)?.ok_or_else(|| format!("{column} is not given"))
}

impl runs::Row for Row {
    type Run = ServingRun;
    const TABLE: &'static str = "table of serving runs";
    const NEEDED: &'static [&'static str] = &[
        "id",
        "model_name",
        "gpu",
        "gpus",
        "precision",
        "batching",
        "input_len",
        "output_len",
        "measured_metric",
        "measured_value",
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn run(&self) -> Result<ServingRun, String> {
        let bucket = Bucket::only(needed("input_len", &self.input_len)?, needed("output_len", &self.output_len)?);
        let server = self.server()?;
        let (measured, rounding) = self.measured(&server)?;
        let run = ServingRun {
            id: self.id.clone(),
            source: self.source.clone(),
            model: self.model_name.clone(),
            device: server.device.name.clone(),
            load: self.load(&bucket)?,
            server,
            bucket,
            measured,
            rounding,
        };
        run.server.check().map_err(|error| error.to_string())?;
        Ok(run)
    }
}

impl Row {
    fn server(&self) -> Result<Server, String> {
        let devices = needed("gpus", &self.gpus)?;
        let tensor = count("tp", &self.tp)?.unwrap_or(devices);
        let pipeline = count("pp", &self.pp)?.unwrap_or(NonZeroU32::MIN);
        if tensor.checked_mul(pipeline) != Some(devices) {
            return Err(format!("tensor {tensor} × pipeline {pipeline} are not {devices} devices"));
        }
        let weights: Precision = self.precision.trim().parse()?;
        let is_short = matches!(weights, Precision::Fp8 | Precision::Fp4);
        Ok(Server {
            model: self.model()?,
            device: self.device()?.clone(),
            tensor,
            pipeline,
            weights,
            // Checkpoints in 8 and 4 bits come with a cache of 8 bits.
            cache: if is_short { Precision::Fp8 } else { weights },
            whole_attention: self.notes.contains("attention DP on"),
        })
    }

    fn device(&self) -> Result<&'static Accelerator, String> {
        let name = CARDS.iter().find(|(name, _)| *name == self.gpu).map_or(self.gpu.as_str(), |(_, card)| card);
        let catalog: &'static Catalog = Catalog::bundled();
        catalog.find_accelerator(name).ok_or_else(|| format!("no data sheet of `{}`", self.gpu))
    }

    fn model(&self) -> Result<Transformer, String> {
        if let Some(model) = known::find(self.model_name.trim()) {
            return Ok(model);
        }
        let size = |column: &str, text: &str| {
            let size = count(column, text)?.and_then(|size| NonZeroUsize::new(size.get() as usize));
            size.ok_or_else(|| format!("`{}` is no known network, and its {column} is not given", self.model_name))
        };
        let lower = self.model_name.to_ascii_lowercase();
        let gated =
            ["llama", "qwen", "mistral", "mixtral", "gemma", "deepseek"].iter().any(|name| lower.contains(name));
        let vocabulary = count("vocab", &self.vocab)?.map_or(known::USUAL_VOCABULARY, |size| size.get() as usize);
        let vocabulary = NonZeroUsize::new(vocabulary).ok_or("vocab is zero")?;
        let (hidden, heads) = (size("hidden", &self.hidden)?, size("heads", &self.heads)?);
        let ffn = size("ffn_hidden", &self.ffn_hidden)?;
        let kv_heads = count("kv_heads", &self.kv_heads)?.and_then(|heads| NonZeroUsize::new(heads.get() as usize));
        if hidden < heads || kv_heads.is_some_and(|kv_heads| kv_heads > heads) {
            return Err(format!("{heads} heads and {kv_heads:?} key-value heads don't fit a width of {hidden}"));
        }
        Ok(Transformer {
            kv_heads,
            ..known::dense(gated, size("layers", &self.layers)?, hidden, heads, ffn, vocabulary)
        })
    }

    fn load(&self, bucket: &Bucket) -> Result<Load, String> {
        match self.batching.as_str() {
            "static" => Ok(Load::Batches(needed("batch_size", &self.batch_size)?)),
            "in-flight" => {
                let size = (bucket.input.get(), bucket.output.get());
                let queued = QUEUED.iter().find(|(input, output, _)| (*input, *output) == size);
                let queued = queued.filter(|_| self.source.contains("perf-overview"));
                Ok(queued.and_then(|(.., requests)| NonZeroU32::new(*requests)).map_or(Load::Saturated, Load::Queued))
            }
            other => Err(format!("unknown batching `{other}`; known: static, in-flight")),
        }
    }

    fn measured(&self, server: &Server) -> Result<(Measured, f64), String> {
        let text = self.measured_value.trim();
        let value: f64 = text.parse().map_err(|_| format!("measured_value `{text}` is no number"))?;
        if !(value.is_finite() && value > 0.0) {
            return Err(format!("measured_value {text} is not positive"));
        }
        if !LIKELY_VALUES.contains(&value) {
            return Err(format!("measured_value {text} is no rate or time of a server"));
        }
        let measured = match (self.measured_metric.as_str(), self.unit.as_str()) {
            ("first_token_latency", "ms") => Measured::FirstTokenSeconds(value / 1e3),
            ("first_token_latency", "s" | "seconds") => Measured::FirstTokenSeconds(value),
            ("output_throughput", _) => Measured::TokensPerSecond(value * server.devices()),
            ("output_throughput_total", _) => Measured::TokensPerSecond(value),
            (metric, unit) => return Err(format!("unknown metric `{metric}` in `{unit}`")),
        };
        // A value printed to the unit u is uniform within u: a deviation of u/√12.
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len().min(9) as u32);
        Ok((measured, 1.0 / 10f64.powf(f64::from(decimals)) / 12f64.sqrt() / value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id,model_name,layers,hidden,heads,kv_heads,ffn_hidden,vocab,gpu,gpus,tp,pp,precision,batching,\
                          batch_size,input_len,output_len,measured_metric,measured_value,unit";
    const GOOD: &str =
        "a,LLaMA 7B,32,4096,32,32,11008,32000,H100-SXM,2,1,2,fp8,static,8,128,64,output_throughput,1500,tok/s";

    #[test]
    fn a_run_is_read() {
        let runs = read(format!("{HEADER}\n{GOOD}\n").as_bytes()).expect("a table");
        assert_eq!(runs.refused, []);
        let run = &runs.runs[0];
        assert_eq!((run.server.tensor.get(), run.server.pipeline.get()), (1, 2));
        assert!(run.server.model.gated && run.server.cache == Precision::Fp8);
        assert_eq!(run.load, Load::Batches(NonZeroU32::new(8).expect("not zero")));
        // A throughput is that of one device.
        assert_eq!(run.measured, Measured::TokensPerSecond(3000.0));
    }

    #[test]
    fn a_broken_run_is_kept_with_its_reason() {
        let check = |from: &str, to: &str, reason: &str| {
            let broken = GOOD.replacen(from, to, 1);
            assert_ne!(broken, GOOD);
            let runs = read(format!("{HEADER}\n{broken}\n{GOOD}\n").as_bytes()).expect("a table");
            assert_eq!((runs.runs.len(), runs.refused.len()), (1, 1), "{broken}");
            let refused = &runs.refused[0];
            assert!(refused.reason.contains(reason), "{broken}: {}", refused.reason);
        };
        check("128,64", ",64", "input_len is not given");
        check("128,64", "128,-64", "output_len `-64` is no whole number");
        check("128,64", "128,0", "output_len `0` is no whole number");
        check("128,64", "128,99999999999", "no whole number");
        check("static,8", "static,", "batch_size is not given");
        check("static,8", "dynamic,8", "unknown batching `dynamic`");
        check(",1500,", ",,", "`` is no number");
        check(",1500,", ",fast,", "`fast` is no number");
        check(",1500,", ",NaN,", "NaN is not positive");
        check(",1500,", ",inf,", "inf is not positive");
        check(",1500,", ",0,", "0 is not positive");
        check(",1500,", ",-3,", "-3 is not positive");
        check(",1500,", ",1e300,", "1e300 is no rate or time");
        check(",1500,", ",1e-320,", "1e-320 is no rate or time");
        check("output_throughput", "joy", "unknown metric `joy`");
        check("H100-SXM", "X9000", "no data sheet of `X9000`");
        check(",fp8,", ",fp99,", "fp99");
        check(",2,1,2,", ",4,1,2,", "not 4 devices");
        check(",2,1,2,", ",64,1,64,", "fewer than 64 pipeline stages");
        check(",2,1,2,", ",3,3,1,", "cannot be divided among 3");
        check(",2,1,2,", ",1,4294967295,4294967295,", "not 1 devices");
        check("LLaMA 7B,32", "Mystery,", "layers is not given");
        check("4096,32,32", "4,32,32", "don't fit a width of 4");
        check("4096,32,32", "4096,32,64", "don't fit");
        check("32,4096", "4294967295,4294967295", "outside of what can be predicted");
    }

    #[test]
    fn a_table_without_a_column_is_refused() {
        for column in <Row as runs::Row>::NEEDED {
            let header = format!(",{HEADER},").replacen(&format!(",{column},"), ",", 1);
            let error = read(header.as_bytes()).expect_err("a column is missing").to_string();
            assert!(error.contains(column), "{error}");
        }
        assert!(read(&b""[..]).is_err() && read(&b"\xff\xfe"[..]).is_err());
        assert!(is_serving(HEADER.split(',')) && !is_serving(["id", "gpu"]));
    }
}
