//! Who asks a service what, and whether the requests may and can reach a site.

use scenarios::residency::PUBLIC;
use scenarios::scenario::{Form, Service};

use crate::candidates::residency::{may_answer, may_share};
use crate::candidates::{Cargo, Network, Reason, RequestClass, World};

/// Classes of requests: one for each place and size that anything is asked of.
pub(super) fn classes(world: &World<'_>, service: &Service) -> Vec<RequestClass> {
    let sites = &world.loaded.scenario.sites;
    let asked = service.demand.iter().flat_map(|demand| demand.requests.iter().map(move |size| (demand, size)));
    let class = asked.filter(|(_, size)| size.rate.0 > 0.0).map(|(demand, size)| RequestClass {
        from: demand.from.as_deref().and_then(|name| sites.get_index_of(name)),
        data: demand.data.clone(),
        input: size.input,
        output: size.output,
        rate: size.rate.0,
    });
    class.collect()
}

/// For each class the round trip between its users and a site in seconds, or why there is none.
#[derive(Debug)]
pub(super) struct Reach {
    /// Of replicas that hold the network in one device.
    whole: Vec<Result<f64, Reason>>,
    /// Of replicas whose ranks share it, and exchange activations.
    shared: Vec<Result<f64, Reason>>,
}

impl Reach {
    /// The reach of a site.
    pub fn of(
        world: &World<'_>,
        network: &Network<'_>,
        name: &str,
        service: &Service,
        classes: &[RequestClass],
        site: usize,
    ) -> Self {
        let whole: Vec<_> = classes.iter().map(|class| round_trip(world, network, name, class, site)).collect();
        let share = |(class, reach): (&RequestClass, &Result<f64, Reason>)| {
            may_share(world, name, service, class.data.as_deref(), site)?;
            reach.clone()
        };
        let shared = classes.iter().zip(&whole).map(share).collect();
        Self { whole, shared }
    }

    fn by(&self, is_shared: bool) -> &[Result<f64, Reason>] {
        if is_shared { &self.shared } else { &self.whole }
    }

    /// Round trip of a class, if its requests may be answered there.
    pub fn round_trip(&self, class: usize, is_shared: bool) -> Option<f64> {
        self.by(is_shared).get(class)?.as_ref().ok().copied()
    }

    /// Why no class reaches the site.
    pub fn refused(&self, is_shared: bool) -> Option<&Reason> {
        let reach = self.by(is_shared);
        if reach.iter().any(Result::is_ok) { None } else { reach.iter().find_map(|reach| reach.as_ref().err()) }
    }
}

fn round_trip(
    world: &World<'_>,
    network: &Network<'_>,
    name: &str,
    class: &RequestClass,
    site: usize,
) -> Result<f64, Reason> {
    if let Some(data) = &class.data {
        may_answer(world, name, data, site)?;
    }
    let Some(from) = class.from.filter(|from| *from != site) else { return Ok(0.0) };
    // Four bytes a token: the time is the round trip's.
    let cargo = Cargo {
        what: class.data.clone().unwrap_or_else(|| PUBLIC.to_owned()),
        used_by: name.to_owned(),
        form: Form::Raw,
        labels: class.data.iter().cloned().collect(),
        bytes: u64::from(class.input.saturating_add(class.output)).saturating_mul(4),
        kept: false,
    };
    Ok(network.movement(&cargo, from, site)?.seconds)
}
