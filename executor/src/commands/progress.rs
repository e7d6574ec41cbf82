//! Events of a run, for people: lines, and a progress bar where there is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use scenarios::terminal::Printer;
use scenarios::units::Seconds;

use crate::record::{Event, Stage};

/// Shows what happens.
pub(super) struct Progress {
    printer: Printer,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    pub(super) const fn new(printer: Printer, quiet: bool) -> Self {
        Self { printer, bar: None, quiet }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Started { scenario, .. } => self.line(&format!("applying the plan of `{scenario}`")),
            Event::Stage { workload, stage, about } => {
                self.line(&format!("{workload}: {} ({about})", name(*stage)));
            }
            Event::Admitted { .. } | Event::CheckpointKept { .. } => {}
            Event::Warning { text } => self.clear(|printer| printer.warning(text)),
            Event::Data { workload, data } => self.line(&format!(
                "{workload}: {}: {} records to learn from, {} for validation, {} for the test; dropped {} malformed, {} repeated",
                data.source, data.train_records, data.validation_records, data.test_records, data.dropped_malformed,
                data.dropped_duplicates
            )),
            Event::Stepped { epoch, epochs, step, steps, loss, accuracy, throughput, .. } => {
                let position = u64::from(epoch - 1) * steps + step;
                let left = if *throughput > 0.0 { self.left(position, u64::from(*epochs) * steps) } else { None };
                let eta = left.map_or_else(String::new, |left| format!(", {} left", left.rounded()));
                self.bar(u64::from(*epochs) * steps, position).set_message(format!(
                    "epoch {epoch}/{epochs}  loss {loss:.4}  accuracy {:.2} %  {throughput:.0} samples/s{eta}",
                    100.0 * accuracy
                ));
            }
            Event::EpochEnded { workload, figures } => {
                let validation = figures.validation_accuracy.map_or_else(String::new, |accuracy| {
                    format!(", validation accuracy {:.2} %", 100.0 * accuracy)
                });
                self.line(&format!(
                    "{workload}: epoch {} in {}: loss {:.4}, accuracy {:.2} %{validation}, {:.0} samples/s",
                    figures.epoch,
                    Seconds::new(figures.seconds).rounded(),
                    figures.train_loss,
                    100.0 * figures.train_accuracy,
                    figures.throughput
                ));
            }
            Event::Ended { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.clear(|printer| printer.status(text));
    }

    /// Prints without tearing the bar.
    fn clear(&self, print: impl FnOnce(Printer)) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print(self.printer)),
            None => print(self.printer),
        }
    }

    fn bar(&mut self, length: u64, position: u64) -> &ProgressBar {
        let quiet = self.quiet;
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
            let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(position);
        bar
    }

    fn left(&self, position: u64, length: u64) -> Option<Seconds> {
        let elapsed = self.bar.as_ref().map_or(Duration::ZERO, ProgressBar::elapsed).as_secs_f64();
        let share = position as f64 / length.max(1) as f64;
        (elapsed > 1.0 && share > 0.0).then(|| Seconds::new((elapsed / share - elapsed).round()))
    }
}

const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Environment => "environment",
        Stage::Deploy => "deploy",
        Stage::Preprocess => "preprocess",
        Stage::Train => "train",
        Stage::Evaluate => "evaluate",
        Stage::Infer => "infer",
        Stage::Serve => "serve",
    }
}
