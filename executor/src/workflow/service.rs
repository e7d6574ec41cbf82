//! Carrying out a `serve` workload: its requests, replayed for a short time.

use std::time::Instant;

use scenarios::plan::Assignment;
use scenarios::run::WorkloadRun;
use scenarios::scenario::Service;
use scenarios::units::Interval;

use super::{ApplyError, Workflow, unmeasured};
use crate::model::{Description, Network};
use crate::record::{Event, Stage};
use crate::serve::{self, Answered, Bucket};

impl Workflow<'_> {
    pub(super) fn serve(&mut self, assignment: &Assignment, service: &Service) -> Result<WorkloadRun, ApplyError> {
        let started = Instant::now();
        let network = self.service_network(assignment, service)?;
        let planned = planned_replicas(assignment);
        let replicas = planned.min(self.places());
        let share = replicas as f64 / planned as f64;
        if replicas < planned {
            let text = format!(
                "workload `{}`: {replicas} of {planned} replicas stand here, and get {:.0} % of the requests",
                assignment.workload,
                100.0 * share
            );
            self.tell(&Event::Warning { text })?;
        }
        let demand: Vec<(Bucket, f64)> = demand(assignment, service, share);
        let seconds = self.request.serve_seconds;
        let seed = self.request.plan.scenario.seed;
        let requests = serve::arrivals(&demand, seconds, seed);
        self.stage(
            assignment,
            Stage::Serve,
            format!("{} requests in {seconds} s to {replicas} replica(s)", requests.len()),
        )?;
        let failed = |source| ApplyError::Generate { workload: assignment.workload.clone(), source };
        let served = serve::serve(&network, requests, (replicas, seed), &self.devices).map_err(failed)?;
        let mut done = unmeasured(assignment, &self.devices, super::no_data());
        fill(&mut done, &served.answers, served.seconds);
        done.seconds = started.elapsed().as_secs_f64();
        Ok(done)
    }

    /// The network with its weights; without any it has those that it would begin to learn with, which take as long.
    fn service_network(&self, assignment: &Assignment, service: &Service) -> Result<Network, ApplyError> {
        match (&service.weights_of, &service.model) {
            (Some(of), _) => Ok(self.weights(assignment, of)?.network),
            (None, Some(model)) => {
                let description: Description = super::description_of(assignment, model)?;
                let seed = self.request.plan.scenario.seed;
                Ok(Network::new(&description, description.whole(), seed, self.devices.of_rank(0)))
            }
            (None, None) => Err(ApplyError::NoModel { workload: assignment.workload.clone() }),
        }
    }

    /// Replicas that this machine has room for: one on each GPU, or on each core.
    fn places(&self) -> usize {
        let device = &self.devices.description;
        let places = match device.kind {
            scenarios::machine::DeviceKind::Cpu => crate::device::host().cores,
            scenarios::machine::DeviceKind::Gpu => device.count,
        };
        places.max(1) as usize
    }
}

fn planned_replicas(assignment: &Assignment) -> usize {
    let replicas: u32 = assignment.groups.iter().filter_map(|group| group.replicas).sum();
    replicas.max(1) as usize
}

/// Requests in a second by size, as the plan routes them, or else as users ask.
fn demand(assignment: &Assignment, service: &Service, share: f64) -> Vec<(Bucket, f64)> {
    if assignment.routing.is_empty() {
        let asked = service.demand.iter().flat_map(|demand| &demand.requests);
        return asked.map(|of| (Bucket { input: of.input, output: of.output }, of.rate.0 * share)).collect();
    }
    let routed = assignment.routing.iter();
    routed.map(|of| (Bucket { input: of.input, output: of.output }, of.requests_per_second * share)).collect()
}

/// Puts what was measured into the record. A service's step is a token.
fn fill(done: &mut WorkloadRun, answers: &[Answered], seconds: f64) {
    done.steps = answers.len() as u64;
    done.throughput = if seconds > 0.0 { answers.len() as f64 / seconds } else { 0.0 };
    let tokens: usize = answers.iter().map(|answer| answer.tokens).sum();
    done.metrics.insert("tokens_per_second".to_owned(), tokens as f64 / seconds.max(f64::MIN_POSITIVE));
    let per_token: Vec<f64> = answers.iter().filter_map(|answer| answer.per_token).collect();
    if let Some(interval) = Interval::of(&per_token) {
        done.step_seconds = interval;
    }
    let times: [(&str, Vec<f64>); 3] = [
        ("first_token", answers.iter().map(|answer| answer.first_token).collect()),
        ("per_token", per_token),
        ("latency", answers.iter().map(|answer| answer.latency).collect()),
    ];
    for (name, values) in times {
        let Some(interval) = Interval::of(&values) else { continue };
        for (percentile, value) in [("p10", interval.p10), ("p50", interval.p50), ("p90", interval.p90)] {
            done.metrics.insert(format!("{name}_{percentile}_seconds"), value);
        }
    }
}
