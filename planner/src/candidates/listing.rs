//! All placements of one workload, pool by pool.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use rust_decimal::Decimal;
use scenarios::scenario::{Form, Job as Kind, MeasuredRate, PurchaseKind, Workload};
use scenarios::strategy::Strategy;

use super::enumerate::Common;
use super::hardware::Hardware;
use super::inputs;
use super::market::Stall;
use super::money::{compute_usd, round_up_to_milliseconds};
use super::prediction::{Amount, Choice, Job, Menu, Room, Work, work_of};
use super::purchase::{Interruptions, Offer};
use super::residency::{may_exchange, may_run, preference_per_hour};
use super::{Column, Group, Place, Reason, Refused, WorkloadCandidates, spot};
use crate::clock::{Clock, OutOfTime};
use crate::performance::reliability::checkpoint_bytes;
use crate::performance::{Prediction, Unpredictable};

/// Most refusals by residency of one workload that keep their time and price.
const MOST_PRICED_REFUSALS: usize = 200;

/// Sets of copies that bring the data to a site, or why none does.
pub(super) type Sources = Result<Vec<Vec<usize>>, Reason>;

/// The placements of one workload as they are found.
pub(super) struct Listing<'a, 'b, 'c> {
    pub common: &'c mut Common<'a, 'b>,
    pub name: &'a str,
    pub workload: &'a Workload,
    pub job: Option<(Work, usize, Amount<'a>)>,
    pub found: WorkloadCandidates,
    menus: HashMap<(usize, u32, Option<usize>), Rc<Menu>>,
    interrupted: HashMap<(*const Prediction, [u64; 3]), Result<Choice, Reason>>,
}

/// What a site permits a workload.
#[derive(Debug, Clone)]
pub(super) struct Permits {
    pub sources: Sources,
    pub gradients: Option<Reason>,
    pub activations: Option<Reason>,
    /// What `prefer` rules count for an hour of a node.
    pub preference: Decimal,
}

impl<'a, 'b, 'c> Listing<'a, 'b, 'c> {
    pub fn new(common: &'c mut Common<'a, 'b>, name: &'a str, workload: &'a Workload, held: Option<Strategy>) -> Self {
        let work = work_of(&common.world.loaded.scenario, name, workload, held);
        let job = work.map(|(work, amount)| {
            let number = common.predictor.number(&work);
            (work, number, amount)
        });
        let found = WorkloadCandidates {
            workload: name.to_owned(),
            columns: vec![],
            service: None,
            refused: vec![],
            dominated: vec![],
            passed_over: 0,
        };
        Self { common, name, workload, job, found, menus: HashMap::new(), interrupted: HashMap::new() }
    }

    /// Finds all placements.
    ///
    /// # Errors
    /// They are too many for the time.
    pub fn all(&mut self, clock: Clock) -> Result<(), OutOfTime> {
        if let Kind::Serve(service) = &self.workload.job {
            self.serve(service);
            return clock.check();
        }
        for site in 0..self.common.market.sites.len() {
            clock.check()?;
            let permits = self.permits(site);
            let stalls = std::mem::take(&mut self.common.market.sites[site]);
            for stall in &stalls {
                for (index, offer) in stall.offers.iter().enumerate() {
                    self.offer(stall, offer, &permits, index == 0);
                }
            }
            self.common.market.sites[site] = stalls;
        }
        self.mixed();
        clock.check()
    }

    /// What a site permits.
    pub fn permits(&mut self, site: usize) -> Permits {
        let world = self.common.world;
        let exchange = |form| may_exchange(world, self.name, form, site).err().map(Reason::from);
        let (gradients, activations) = (exchange(Form::Gradients), exchange(Form::Activations));
        let preference = preference_per_hour(world, self.name, site);
        Permits { sources: self.sources(site), gradients, activations, preference }
    }

    /// Ways to have the data at a site, where the workload may run there.
    fn sources(&mut self, site: usize) -> Sources {
        let world = self.common.world;
        let name = world.site_name(site);
        if !self.workload.sites.is_empty() && !self.workload.sites.iter().any(|allowed| allowed == name) {
            return Err(Reason::SiteNotListed { allowed: self.workload.sites.clone() });
        }
        may_run(world, self.name, self.workload, site)?;
        inputs::sources(world, self.common.network, &mut self.common.copies, self.name, self.workload, site)
    }

    /// Placements in a pool under one purchase option; refusals that all options share are told with the `first`.
    fn offer(&mut self, stall: &Stall<'a>, offer: &Offer, permits: &Permits, first: bool) {
        let place = stall.place;
        let dear = self.found.refused.len() >= MOST_PRICED_REFUSALS;
        let menu = match &permits.sources {
            Err(reason) if dear => Err(reason.clone()),
            _ => self.menu(stall, permits),
        };
        let priced = menu.and_then(|menu| Ok((menu, offer.price(self.common.world.latest_end(self.workload))?)));
        let (menu, price) = match (priced, &permits.sources) {
            (Ok(found), _) => found,
            (Err(unpriced), sources) => {
                let reason = sources.as_ref().err().cloned().unwrap_or(unpriced);
                return self.refuse(place, offer.purchase, (1, Strategy::SINGLE), reason, None);
            }
        };
        if first && permits.sources.is_ok() {
            self.found.passed_over += menu.passed_over * stall.offers.len() as u64;
            for (nodes, strategy, reason) in &menu.refused {
                self.refuse(place, offer.purchase, (*nodes, *strategy), reason.clone(), None);
            }
        }
        for choice in &menu.choices {
            match self.column(stall, offer, choice, price, permits.preference) {
                Ok(column) => self.place(column, offer.most_nodes, &permits.sources),
                Err(reason) => {
                    let what = (choice.layout.nodes, choice.strategy);
                    self.refuse(place, offer.purchase, what, reason, None);
                }
            }
        }
    }

    /// What may be chosen from in a pool.
    pub fn menu(&mut self, stall: &Stall<'a>, permits: &Permits) -> Result<Rc<Menu>, Reason> {
        let hardware = stall.hardware.as_ref().map_err(Clone::clone)?;
        let (work, number, amount) = self.job.as_ref().ok_or(Unpredictable::NoTask)?;
        let measured = self.measured(stall);
        let forbids = permits.gradients.is_some() || permits.activations.is_some();
        let key = (hardware.facts, stall.most_nodes, forbids.then_some(stall.place.site));
        if measured.is_empty()
            && let Some(known) = self.menus.get(&key)
        {
            return Ok(Rc::clone(known));
        }
        let room = Room {
            most_nodes: stall.most_nodes,
            beyond: self.common.is_small,
            gradients: permits.gradients.clone(),
            activations: permits.activations.clone(),
            measured,
        };
        let is_usual = room.measured.is_empty();
        let job = Job { work, number: *number, amount: *amount };
        let menu = Rc::new(Menu::of(&mut self.common.predictor, hardware, &job, &room));
        if is_usual {
            self.menus.insert(key, Rc::clone(&menu));
        }
        Ok(menu)
    }

    /// Rates that were measured on the machines of a pool, which are named by their type or by the pool.
    pub fn measured(&self, stall: &Stall<'_>) -> Vec<&'a MeasuredRate> {
        let workload = self.workload;
        if workload.measured.is_empty() {
            return Vec::new();
        }
        let world = self.common.world;
        let (machine, pool) = (world.machine_name(stall.place), world.pool_name(stall.place));
        workload.measured.iter().filter(|rate| rate.machine == machine || rate.machine == pool).collect()
    }

    /// A column but for its copies of the data.
    fn column(
        &mut self,
        stall: &Stall<'a>,
        offer: &Offer,
        choice: &Choice,
        usd_per_node_hour: Decimal,
        preference: Decimal,
    ) -> Result<Column, Reason> {
        let expected = match offer.interruptions {
            Some(interruptions) if offer.purchase == PurchaseKind::Spot => {
                Some(self.interrupted(stall, choice, interruptions)?)
            }
            _ => None,
        };
        let choice = expected.as_ref().unwrap_or(choice);
        let nodes = choice.layout.nodes;
        let seconds = round_up_to_milliseconds(choice.prediction.seconds).max(0.001);
        if !seconds.is_finite() || seconds > LONGEST_SECONDS {
            return Err(Reason::TooLong { machine: self.common.world.machine_name(stall.place) });
        }
        let carbon_kg = stall.consumption.carbon_kg(nodes, seconds);
        if self.common.needs_carbon && carbon_kg.is_none() {
            return Err(Reason::NoCarbon { machine: self.common.world.machine_name(stall.place) });
        }
        let (place, purchase, layout) = (stall.place, offer.purchase, choice.layout);
        Ok(Column {
            groups: vec![Group { place, purchase, layout, usd_per_node_hour, batch: None }],
            strategy: choice.strategy,
            prediction: Arc::clone(&choice.prediction),
            seconds,
            release_seconds: 0.0,
            compute_usd: compute_usd(usd_per_node_hour, nodes, seconds),
            preference_usd: compute_usd(preference, nodes, seconds),
            energy_kwh: stall.consumption.energy_kwh(nodes, seconds),
            carbon_kg,
            copies: vec![],
            exchanges: vec![],
        })
    }

    fn interrupted(&mut self, stall: &Stall<'a>, choice: &Choice, of: Interruptions) -> Result<Choice, Reason> {
        let sheet = stall.hardware.as_ref().ok().and_then(|hardware: &Rc<Hardware<'_>>| hardware.sheet());
        let network = sheet.and_then(|sheet| sheet.network);
        let bits = [of.per_hour, of.restart_seconds, network.unwrap_or(0.0)].map(f64::to_bits);
        let key = (Arc::as_ptr(&choice.prediction), bits);
        if let Some(known) = self.interrupted.get(&key) {
            return known.clone();
        }
        let found = spot::expected(choice, of, self.checkpoint_bytes(), network);
        self.interrupted.insert(key, found.clone());
        found
    }

    /// What a job that learns keeps to go on from.
    fn checkpoint_bytes(&self) -> f64 {
        match (&self.workload.job, &self.job) {
            (Kind::Train(_) | Kind::FineTune(_), Some((Work::Train(train), _, _))) => {
                let parameters = train.model.parameters().map_or(0.0, |parameters| parameters as f64);
                checkpoint_bytes(parameters, train.precision, train.optimizer_bytes)
            }
            _ => 0.0,
        }
    }

    /// Lists a column once for each way to have the data, or as refused.
    pub fn place(&mut self, column: Column, most_nodes: u32, sources: &Sources) {
        let what = (column.nodes(), column.strategy);
        let (place, purchase) = (column.first().place, column.first().purchase);
        match sources {
            Ok(sources) => {
                for set in sources {
                    let column = self.with_copies(&column, set.clone());
                    match self.limits(&column, most_nodes) {
                        None => self.found.columns.push(column),
                        Some(reason) => self.refuse(place, purchase, what, reason, Some(Box::new(column))),
                    }
                }
            }
            // What is refused keeps its time and price, so that a plan can say what a rule costs.
            Err(reason) => self.refuse(place, purchase, what, reason.clone(), Some(Box::new(column))),
        }
    }

    pub fn refuse(
        &mut self,
        place: Place,
        purchase: PurchaseKind,
        (nodes, strategy): (u32, Strategy),
        reason: Reason,
        column: Option<Box<Column>>,
    ) {
        self.found.refused.push(Refused { place, purchase, strategy, nodes, reason, column });
    }

    fn with_copies(&self, column: &Column, set: Vec<usize>) -> Column {
        let own = self.workload.earliest_start.map_or(0.0, |start| round_up_to_milliseconds(start.get()));
        let arrival = set.iter().map(|copy| self.common.copies.list[*copy].seconds).fold(0.0, f64::max);
        Column { release_seconds: own.max(arrival), copies: set, ..column.clone() }
    }

    /// Why a column cannot be as far as nodes and time are concerned.
    pub fn limits(&self, column: &Column, available: u32) -> Option<Reason> {
        if column.first().layout.nodes > available {
            return Some(Reason::Quota { needed: column.first().layout.nodes, available });
        }
        let (ends, latest) = (column.release_seconds + column.seconds, self.common.world.latest_end(self.workload));
        (ends > latest).then_some(Reason::Deadline { ends, latest })
    }
}

/// Longest run time that is told exactly to a millisecond: 10,000 years.
const LONGEST_SECONDS: f64 = 3.2e11;
