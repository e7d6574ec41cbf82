//! Reading a table of runs.

use std::num::NonZeroU32;

use scenarios::catalog::Catalog;
use scenarios::model::{Model, Preset, find_alias};
use scenarios::precision::Precision;
use scenarios::strategy::{Recompute, Strategy, Zero};
use serde::Deserialize;

use super::fill::{self, Dimensions};
use super::table::{self, ReadError, Runs};
use super::{Measured, Run};
use crate::performance::training::{Cluster, Training};

/// Steps outside are slips of the pen, in seconds.
const LEAST_SECONDS: f64 = 1e-6;
const MOST_SECONDS: f64 = 1e9;
/// Memory of no device, in GiB.
const MOST_GIB: f64 = 1e6;

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
    seq_len: String,
    gpu: String,
    gpus: String,
    gpus_per_node: String,
    tp: String,
    pp: String,
    dp: String,
    zero_or_fsdp: String,
    micro_batch: String,
    global_batch: String,
    precision: String,
    recompute: String,
    interconnect: String,
    measured_metric: String,
    measured_value: String,
    unit: String,
    notes: String,
}

/// Reads a table of trainings; runs that cannot be predicted are kept with the reason.
///
/// # Errors
/// A column is missing or the text is no CSV.
pub fn read(text: impl std::io::Read) -> Result<Runs<Run>, ReadError> {
    table::read::<Row>(text)
}

fn count(name: &str, text: &str) -> Result<Option<u64>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value: f64 = text.trim().parse().map_err(|_| format!("{name} `{text}` is no number"))?;
    if value >= 1.0 && value <= (1u64 << 40) as f64 && value.fract() == 0.0 {
        Ok(Some(value as u64))
    } else {
        Err(format!("{name} {text} is no whole number from 1 to 2^40"))
    }
}

fn small(name: &str, text: &str) -> Result<Option<NonZeroU32>, String> {
    count(name, text)?.map_or(Ok(None), |value| {
        u32::try_from(value)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Some)
            .ok_or_else(|| format!("{name} {text} is too large"))
    })
}

impl table::Row for Row {
    type Run = Run;
    const TABLE: &'static str = "table";
    const NEEDED: &'static [&'static str] = &["id", "source", "gpu", "gpus", "measured_metric", "measured_value"];

    fn id(&self) -> &str {
        &self.id
    }

    fn run(&self) -> Result<Run, String> {
        let model = self.model()?;
        let (training, measured) = self.training(model)?;
        let grade = self.notes.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
        Ok(Run {
            id: self.id.clone(),
            source: self.repository(),
            model: self.model_name.clone(),
            grade: grade.to_owned(),
            training,
            measured,
        })
    }
}

impl Row {
    /// The repository or page, without revision and path.
    fn repository(&self) -> String {
        let first = self.source.split_whitespace().next().unwrap_or("unknown");
        let name = first.split('@').next().unwrap_or(first).trim_start_matches("github:");
        // Rounds of one benchmark are one source.
        name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches("_v").to_owned()
    }

    fn model(&self) -> Result<Model, String> {
        let size = |name, text| count(name, text).map(|value| value.unwrap_or(0) as usize);
        let given = Dimensions {
            layers: size("layers", &self.layers)?,
            hidden: size("hidden", &self.hidden)?,
            heads: size("heads", &self.heads)?,
            kv_heads: size("kv_heads", &self.kv_heads)?,
            ffn: size("ffn_hidden", &self.ffn_hidden)?,
            vocabulary: size("vocab", &self.vocab)?,
            sequence: size("seq_len", &self.seq_len)?,
        };
        if let Some(model) = find_alias(&self.model_name).map(Preset::model)
            && !matches!(model, Model::Transformer(_))
        {
            return Ok(model);
        }
        let transformer = fill::transformer(&self.model_name, given, &self.notes);
        transformer
            .map(Model::Transformer)
            .ok_or_else(|| format!("`{}` is no known network, and its dimensions are not given", self.model_name))
    }

    fn training(&self, model: Model) -> Result<(Training, Measured), String> {
        let devices = small("gpus", &self.gpus)?.ok_or("the number of devices is not stated")?;
        let sheet = Catalog::bundled().find_accelerator(&self.gpu);
        let sheet = sheet.ok_or_else(|| format!("no data sheet of `{}`", self.gpu))?;
        let per_node = small("gpus_per_node", &self.gpus_per_node)?.map_or(8, NonZeroU32::get).min(devices.get());
        let between = fill::network(&self.interconnect, per_node);
        let cluster = Cluster::new(sheet, devices.get().div_ceil(per_node), per_node, between);
        let precision = fill::precision(&self.precision);
        let precision = precision.ok_or_else(|| format!("unknown precision `{}`", self.precision))?;
        let (strategy, stated) = self.strategy(&model, devices)?;
        let global_batch = self.global_batch(strategy)?;
        let mut training = Training {
            fused_attention: self.has_fused_attention(),
            frozen: self.model_name.contains("LoRA"),
            optimizer_bytes: 8.0,
            model,
            strategy,
            global_batch,
            precision,
            cluster,
        };
        self.fill_silence(&mut training, stated);
        training.check().map_err(|error| error.to_string())?;
        let measured = self.measured(&training)?;
        Ok((training, measured))
    }

    /// What the table is silent about is what lets the run fit the memory that it had: the largest micro-batch that fits,
    /// or the smallest with recomputation.
    fn fill_silence(&self, training: &mut Training, recompute: Option<Recompute>) {
        let share = training.global_batch / u64::from(training.strategy.data.get());
        if training.strategy.micro_batch.is_none() && self.micro_batch.is_empty() && training.transformer().is_some() {
            let most: u32 = if training.strategy.pipeline.get() == 1 { 128 } else { 4 };
            let sizes = (1..=most).rev().filter(|micro| share.is_multiple_of(u64::from(*micro)));
            let found = { sizes }.find(|micro| {
                training.strategy.micro_batch = NonZeroU32::new(*micro);
                training.fits()
            });
            training.strategy.micro_batch = NonZeroU32::new(found.unwrap_or(1));
        }
        if recompute.is_none() && !training.fits() {
            // Stacks with fused attention recompute single operations or move activations to the host instead.
            training.strategy.recompute = if training.fused_attention { Recompute::Selective } else { Recompute::Full };
        }
    }

    fn strategy(&self, model: &Model, devices: NonZeroU32) -> Result<(Strategy, Option<Recompute>), String> {
        let tensor = small("tp", &self.tp)?;
        let pipeline = small("pp", &self.pp)?;
        if devices.get() > 1 && (tensor.is_none() || pipeline.is_none()) && self.dp.is_empty() {
            return Err("tensor and pipeline parallelism are not stated".to_owned());
        }
        let one = NonZeroU32::MIN;
        let (tensor, pipeline) = (tensor.unwrap_or(one), pipeline.unwrap_or(one));
        let context = fill::number_after(&self.notes, "CP=").and_then(NonZeroU32::new).unwrap_or(one);
        let others = tensor.saturating_mul(pipeline).saturating_mul(context).get();
        let data = match small("dp", &self.dp)? {
            // Context-parallel ranks are counted among data-parallel ones by some tables.
            Some(data) if data.get().saturating_mul(others) <= devices.get() => Some(data),
            _ => NonZeroU32::new(devices.get() / others),
        };
        let data = data.ok_or_else(|| format!("{others} ranks of one replica don't fit {devices} devices"))?;
        let (zero, shard) =
            fill::zero(&self.zero_or_fsdp).ok_or_else(|| format!("unknown sharding `{}`", self.zero_or_fsdp))?;
        let recompute = fill::recompute(&self.recompute)?;
        // torchtitan's configurations recompute selectively unless they say otherwise.
        let recompute = recompute.or(self.source.contains("torchtitan").then_some(Recompute::Selective));
        let layers = match model {
            Model::Transformer(transformer) => transformer.layers.get() as u32,
            _ => 1,
        };
        let strategy = Strategy {
            data,
            tensor,
            pipeline,
            context,
            zero: if data.saturating_mul(context) == one { Zero::Replicated } else { zero.max(self.noted_zero()) },
            shard: shard.filter(|shard| *shard <= data),
            micro_batch: self.micro_batch(model, pipeline)?,
            schedule: fill::schedule(&self.notes, layers, pipeline.get()),
            sequence: tensor > one && self.has_sequence_parallelism(),
            recompute: recompute.unwrap_or_default(),
            ..Strategy::SINGLE
        };
        Ok((strategy, recompute))
    }

    /// Megatron gathers parameters only with its distributed optimiser, which NeMo and Megatron Bridge always use.
    fn noted_zero(&self) -> Zero {
        let notes = self.notes.to_ascii_lowercase();
        let by_default = ["Megatron-Bridge", "NeMo"].iter().any(|tool| self.source.contains(tool));
        let is_shared = by_default || notes.contains("distributed optimizer") || notes.contains("overlap-param");
        if is_shared { Zero::Optimizer } else { Zero::Replicated }
    }

    /// Megatron has had it since 2022, and PyTorch's tensor parallelism has it; older stacks have not.
    fn has_sequence_parallelism(&self) -> bool {
        self.is_recent() || self.notes.to_ascii_lowercase().contains("sequence parallel")
    }

    /// Fused attention (2022) is in all stacks that run on H100 and later, and where a table says so.
    fn has_fused_attention(&self) -> bool {
        self.is_recent() || self.notes.to_ascii_lowercase().contains("flash")
    }

    fn is_recent(&self) -> bool {
        let new = ["H100", "H200", "H800", "H20", "B200", "B300", "GB200", "GB300", "MI300", "L40", "Gaudi", "GH200"];
        let tools = ["torchtitan", "llm-foundry", "SimuMax", "Megatron-Bridge", "NeMo"];
        new.iter().any(|gpu| self.gpu.contains(gpu)) || tools.iter().any(|tool| self.source.contains(tool))
    }

    /// torchtitan prints the batch of a rank, which it cuts for a pipeline.
    fn is_batch_of_a_rank(&self, pipeline: NonZeroU32) -> bool {
        pipeline.get() > 1 && self.source.contains("torchtitan")
    }

    /// Tables of translation count tokens.
    fn micro_batch(&self, model: &Model, pipeline: NonZeroU32) -> Result<Option<NonZeroU32>, String> {
        let printed = small("micro_batch", &self.micro_batch)?;
        if self.is_batch_of_a_rank(pipeline) {
            return Ok(Some(NonZeroU32::MIN));
        }
        match (printed, model) {
            (Some(tokens), Model::Transformer(model)) if self.notes.contains("tokens per GPU") => {
                Ok(NonZeroU32::new((tokens.get() / model.sequence.get() as u32).max(1)))
            }
            _ => Ok(printed),
        }
    }

    /// Where it is not printed, one micro-batch a replica.
    fn global_batch(&self, strategy: Strategy) -> Result<u64, String> {
        if let Some(batch) = count("global_batch", &self.global_batch)? {
            return Ok(batch);
        }
        let micro = strategy.micro_batch.ok_or("neither global batch nor micro-batch is stated")?;
        let is_cut = self.is_batch_of_a_rank(strategy.pipeline);
        let of_replica = small("micro_batch", &self.micro_batch)?.filter(|_| is_cut).unwrap_or(micro);
        Ok(u64::from(of_replica.get()) * u64::from(strategy.data.get()))
    }

    /// What was measured, as the time of a step or bytes.
    fn measured(&self, training: &Training) -> Result<Measured, String> {
        let value: f64 =
            self.measured_value.trim().parse().map_err(|_| format!("`{}` is no number", self.measured_value))?;
        if !(value.is_finite() && value > 0.0) {
            return Err(format!("the measured value {value} is not positive"));
        }
        let devices = f64::from(training.cluster.devices());
        let records = training.global_batch as f64;
        let units = if self.unit.starts_with("tokens") { records * training.tokens_per_record() } else { records };
        let seconds = match self.measured_metric.as_str() {
            "iteration_time" => value,
            "throughput" => units / (value * devices),
            "throughput_total" => units / value,
            "achieved_hw_flops" | "model_flops" => {
                training.flops(self.measured_metric == "achieved_hw_flops")? / (value * 1e12 * devices)
            }
            "mfu" => {
                let peak = training.cluster.peak(Precision::Bf16).ok_or("the device's peak is not known")?;
                training.flops(false)? / (value / 100.0 * peak * devices)
            }
            "peak_memory" if self.is_batch_of_a_rank(training.strategy.pipeline) => {
                return Err("memory depends on the pipeline's micro-batches, which are not stated".to_owned());
            }
            "peak_memory" if value > MOST_GIB => {
                return Err(format!("peak_memory {} is no memory of a device", self.measured_value));
            }
            "peak_memory" => return Ok(Measured::PeakBytes(value * 1_073_741_824.0)),
            "gpu_hours" => {
                return Err("GPU-hours of a whole project, restarts included, are no time of a step".to_owned());
            }
            other => return Err(format!("unknown metric `{other}`")),
        };
        if !(LEAST_SECONDS..=MOST_SECONDS).contains(&seconds) {
            return Err(format!(
                "{} {} is no step between 1 µs and 30 years",
                self.measured_metric, self.measured_value
            ));
        }
        Ok(Measured::StepSeconds(seconds))
    }
}
