//! What becomes of gradients: exchanged between replicas, and applied.

use scenarios::machine::{Collective, OptimizerRule};
use scenarios::strategy::{Strategy, Sync, Zero};
use scenarios::units::Interval;

use super::stages::VALUE_BYTES;
use super::{MeasuredMachine, NONE};
use crate::performance::{Unpredictable, plus};

/// An update of the parameters that a rank holds.
pub(super) struct Update<'a> {
    pub machine: &'a MeasuredMachine<'a>,
    pub strategy: &'a Strategy,
    pub rule: OptimizerRule,
    pub parameters: f64,
    pub tensors: f64,
    /// Parameters that several stages hold.
    pub tied: f64,
    /// Whether the gradient has a greatest length.
    pub clipped: bool,
    /// Ranks on a device.
    pub ranks: u32,
}

/// Time of an update.
pub(super) struct Updated {
    pub communication: Interval,
    pub optimizer: Interval,
}

impl Update<'_> {
    pub fn seconds(&self) -> Result<Updated, Unpredictable> {
        let data = self.strategy.data.get();
        let mut updated = match (self.strategy.sync, self.strategy.zero) {
            (Sync::ParameterServer { servers, .. }, _) => self.served(f64::from(servers.get()))?,
            (Sync::Averaging { every_steps }, _) => {
                let mean = plus(self.to_host_and_back(1.0)?, self.over(Collective::AllReduce, data)?);
                let communication = mean.scaled(1.0 / f64::from(every_steps.get()));
                Updated { communication, optimizer: self.optimizer(1.0)? }
            }
            (Sync::AllReduce, Zero::Replicated) => self.whole()?,
            (Sync::AllReduce, _) => self.sharded()?,
        };
        if self.tied > 0.0 && self.strategy.pipeline.get() > 1 {
            let bytes = self.tied * VALUE_BYTES;
            let stages = self.strategy.pipeline.get();
            let summed = self.machine.exchange(Collective::AllReduce, bytes, stages, self.ranks)?;
            updated.communication = plus(updated.communication, summed);
        }
        Ok(updated)
    }

    /// Every replica applies the mean gradient of all.
    fn whole(&self) -> Result<Updated, Unpredictable> {
        let data = self.strategy.data.get();
        let optimizer = self.optimizer(1.0)?;
        let tied = self.tied > 0.0 && self.strategy.pipeline.get() > 1;
        if data == 1 && !tied && !self.clipped {
            return Ok(Updated { communication: NONE, optimizer });
        }
        let communication = plus(self.to_host_and_back(1.0)?, self.over(Collective::AllReduce, data)?);
        Ok(Updated { communication, optimizer })
    }

    /// Every replica applies its part: gradients go to the host and parameters come back, and in between the parts of gradients
    /// and parameters go to the device and those of parameters to the host.
    fn sharded(&self) -> Result<Updated, Unpredictable> {
        let data = self.strategy.data.get();
        let exchanged = plus(self.over(Collective::ReduceScatter, data)?, self.over(Collective::AllGather, data)?);
        let communication = plus(self.to_host_and_back(1.0 + 1.5 / f64::from(data))?, exchanged);
        Ok(Updated { communication, optimizer: self.optimizer(f64::from(data))? })
    }

    /// Servers add up what workers send, apply it and answer all.
    fn served(&self, servers: f64) -> Result<Updated, Unpredictable> {
        let workers = f64::from(self.strategy.data.get());
        let bytes = self.parameters * VALUE_BYTES;
        let message = self.machine.exchange(Collective::Message, bytes / servers, 2, self.ranks)?.scaled(2.0);
        // A server reads every worker's gradient and writes an answer for each; between them the sum goes to its device and
        // parameters come back. A worker puts gradients together, and parameters.
        let handled = self.machine.copy(bytes / servers, self.ranks)?.scaled(2.0 * workers + 2.0);
        let joined = self.machine.copy(bytes, self.ranks)?.scaled(3.0);
        let of_server = self.machine.host_exchange(self.parameters / servers, 1.0, self.ranks)?;
        let carried = plus(message, plus(handled, plus(joined, of_server)));
        let communication = plus(self.to_host_and_back(1.0)?, carried);
        Ok(Updated { communication, optimizer: self.optimizer(servers)? })
    }

    /// One step over the part of the parameters that one of `parts` ranks has; a part is one tensor.
    fn optimizer(&self, parts: f64) -> Result<Interval, Unpredictable> {
        let tensors = if parts > 1.0 { 1.0 } else { self.tensors };
        self.machine.optimizer(self.rule, self.parameters / parts, tensors, self.ranks)
    }

    fn to_host_and_back(&self, times: f64) -> Result<Interval, Unpredictable> {
        Ok(self.machine.host_exchange(self.parameters, self.tensors, self.ranks)?.scaled(times))
    }

    fn over(&self, collective: Collective, group: u32) -> Result<Interval, Unpredictable> {
        self.machine.exchange(collective, self.parameters * VALUE_BYTES, group, self.ranks)
    }
}
