//! Why a rate cannot be reached, and what would help.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;

use super::error::TransferError;
use super::network::Network;
use super::plan::{Path, by_link, gateways, paths, whole};
use super::program;
use super::solve::{Wanted, solve};

/// What is exhausted when the most is carried that is possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bottleneck {
    /// The link is all there is.
    Link {
        /// Where it begins.
        from: String,
        /// Where it ends.
        to: String,
    },
    /// All connections that leave the gateways of a place.
    ConnectionsOut(String),
    /// All connections that enter the gateways of a place.
    ConnectionsIn(String),
    /// What the gateways of a place can send.
    Egress(String),
    /// What the gateways of a place can receive.
    Ingress(String),
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { from, to } => write!(f, "the direct link `{from}` → `{to}`"),
            Self::ConnectionsOut(place) => write!(f, "the connections that leave `{place}`"),
            Self::ConnectionsIn(place) => write!(f, "the connections that enter `{place}`"),
            Self::Egress(place) => write!(f, "what the gateways at `{place}` can send"),
            Self::Ingress(place) => write!(f, "what the gateways at `{place}` can receive"),
        }
    }
}

/// A place that may not be passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// Its name.
    pub place: String,
    /// The rule that forbids it.
    pub rule: String,
}

/// What makes the copy possible.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy {
    /// A lower rate, in Gbit/s.
    LowerRate(f64),
    /// Leave to pass these places.
    Permit(Vec<Forbidden>),
    /// As many gateways as this at these places.
    Gateways(Vec<(String, u32)>),
}

/// A remedy and the price of the copy with it.
#[derive(Debug, Clone, PartialEq)]
pub struct WayOut {
    /// What is changed.
    pub remedy: Remedy,
    /// Cost of the copy in US dollars then.
    pub usd: Decimal,
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Remedy::LowerRate(gbps) => write!(f, "ask for at most {gbps} Gbit/s")?,
            Remedy::Permit(places) => {
                let place = |Forbidden { place, rule }: &Forbidden| format!("passing `{place}` (rule `{rule}`)");
                write!(f, "permit {}", joined(places.iter().map(place)))?;
            }
            Remedy::Gateways(counts) => {
                let count = |(place, count): &(String, u32)| format!("{count} gateways at `{place}`");
                write!(f, "allow {}", joined(counts.iter().map(count)))?;
            }
        }
        write!(f, ": {} USD", self.usd.round_dp(4).normalize())
    }
}

/// Why a rate cannot be reached, and what would help, the cheapest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortfall {
    /// Where the data is.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// Rate that is asked for, in Gbit/s.
    pub asked_gbps: f64,
    /// Highest rate that is possible, in Gbit/s; 0 if no permitted link leads there.
    pub possible_gbps: f64,
    /// What keeps it from being higher.
    pub bottlenecks: Vec<Bottleneck>,
    /// What may not be passed, and why.
    pub forbidden: Vec<Forbidden>,
    /// What would help.
    pub ways_out: Vec<WayOut>,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, asked_gbps: asked, possible_gbps: possible, .. } = self;
        match self.bottlenecks.as_slice() {
            [] => write!(f, "no permitted link leads from `{from}` to `{to}`")?,
            [link @ Bottleneck::Link { .. }] => {
                write!(f, "{link} carries {} Gbit/s, {asked} are asked for", down(*possible))?;
            }
            all => {
                let all = joined(all.iter().map(ToString::to_string));
                let possible = down(*possible);
                write!(
                    f,
                    "from `{from}` to `{to}` at most {possible} Gbit/s are possible, {asked} are asked for: {all} are used up"
                )?;
            }
        }
        let mut by_rule: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for Forbidden { place, rule } in &self.forbidden {
            by_rule.entry(rule).or_default().push(format!("`{place}`"));
        }
        by_rule.iter().try_for_each(|(rule, places)| {
            write!(f, "; rule `{rule}` keeps the data from passing {}", joined(places.iter().cloned()))
        })
    }
}

impl Shortfall {
    /// The ways out in one sentence.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let ways: Vec<String> = self.ways_out.iter().map(ToString::to_string).collect();
        (!ways.is_empty()).then(|| ways.join("; or "))
    }
}

/// What keeps the rate from being reached.
pub(super) fn explain(wanted: &Wanted<'_>) -> Result<Shortfall, TransferError> {
    let task = &wanted.task;
    let name = |place: usize| task.network.places()[place].name.clone();
    let forbidden = |(place, rule): (&usize, &String)| Forbidden { place: name(*place), rule: rule.clone() };
    let best = paths(&program::fastest(task)?.by_link, task.from, task.to);
    Ok(Shortfall {
        from: name(task.from),
        to: name(task.to),
        asked_gbps: wanted.gbps,
        possible_gbps: best.iter().map(|(_, rate)| rate).sum(),
        bottlenecks: bottlenecks(task.network, &best),
        forbidden: wanted.rules.iter().map(forbidden).collect(),
        ways_out: ways_out(wanted, &best)?,
    })
}

/// Shares of a limit from which it counts as used up.
const FULL: f64 = 1.0 - 1e-6;

fn bottlenecks(network: &Network, best: &[Path]) -> Vec<Bottleneck> {
    let rates = by_link(best);
    let places: BTreeSet<usize> = rates.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let mut found = Vec::new();
    for place in places {
        let (limits, name) = (&network.places()[place], network.places()[place].name.clone());
        let most = f64::from(limits.most_gateways);
        let sum = |leaving: bool, sets: bool| -> f64 {
            let here = rates.iter().filter(|((from, to), _)| if leaving { *from == place } else { *to == place });
            here.map(|(link, rate)| if sets { rate / network.links()[link].gbps } else { *rate }).sum()
        };
        let used = [
            (sum(true, true), most, Bottleneck::ConnectionsOut(name.clone())),
            (sum(false, true), most, Bottleneck::ConnectionsIn(name.clone())),
            (sum(true, false), most * limits.egress_gbps, Bottleneck::Egress(name.clone())),
            (sum(false, false), most * limits.ingress_gbps, Bottleneck::Ingress(name)),
        ];
        found.extend(used.into_iter().filter(|(used, limit, _)| *used >= limit * FULL).map(|(_, _, what)| what));
    }
    as_link(network, best, &found).map_or(found, |link| vec![link])
}

/// The one link that is used, if it is full on one side or both and nothing else limits it.
fn as_link(network: &Network, best: &[Path], found: &[Bottleneck]) -> Option<Bottleneck> {
    let [(path, _)] = best else { return None };
    let [from, to] = path.as_slice() else { return None };
    let is_link = |what: &Bottleneck| matches!(what, Bottleneck::ConnectionsOut(_) | Bottleneck::ConnectionsIn(_));
    let name = |place: usize| network.places()[place].name.clone();
    found.iter().any(is_link).then(|| Bottleneck::Link { from: name(*from), to: name(*to) })
}

/// Every single change that makes the copy possible, the cheapest first.
fn ways_out(wanted: &Wanted<'_>, best: &[Path]) -> Result<Vec<WayOut>, TransferError> {
    let mut ways = permits(wanted)?;
    let possible: f64 = best.iter().map(|(_, rate)| rate).sum();
    if possible > 0.0 {
        ways.extend(lower_rate(wanted, possible)?);
        ways.extend(more_gateways(wanted, best, wanted.gbps / possible)?);
    }
    ways.sort_by_key(|way| way.usd);
    Ok(ways)
}

fn priced(wanted: &Wanted<'_>, remedy: Remedy) -> Result<Option<WayOut>, TransferError> {
    Ok(solve(wanted)?.map(|plan| WayOut { remedy, usd: plan.total_usd }))
}

fn lower_rate(wanted: &Wanted<'_>, possible: f64) -> Result<Option<WayOut>, TransferError> {
    let gbps = down(possible);
    if gbps <= 0.0 {
        return Ok(None);
    }
    priced(&Wanted { gbps, ..wanted.clone() }, Remedy::LowerRate(gbps))
}

/// Each rule's place alone, and all together if none suffices.
fn permits(wanted: &Wanted<'_>) -> Result<Vec<WayOut>, TransferError> {
    let permit = |places: &[usize]| {
        let mut changed = wanted.clone();
        changed.task.forbidden.retain(|place| !places.contains(place));
        let place = |place: &usize| Forbidden {
            place: wanted.task.network.places()[*place].name.clone(),
            rule: wanted.rules.get(place).cloned().unwrap_or_default(),
        };
        priced(&changed, Remedy::Permit(places.iter().map(place).collect()))
    };
    let all: Vec<usize> = wanted.rules.keys().copied().collect();
    let mut ways = Vec::new();
    for place in &all {
        ways.extend(permit(&[*place])?);
    }
    if ways.is_empty() && all.len() > 1 {
        ways.extend(permit(&all)?);
    }
    Ok(ways)
}

/// All limits grow with the gateways: as many times more at the places in use carry as many times more.
fn more_gateways(wanted: &Wanted<'_>, best: &[Path], times: f64) -> Result<Option<WayOut>, TransferError> {
    let network = wanted.task.network;
    let needed = gateways(network, &by_link(best));
    let more: BTreeMap<usize, u32> = needed
        .into_iter()
        .map(|(place, needed)| (place, whole(needed * times * (1.0 + 1e-9))))
        .filter(|(place, needed)| *needed > network.places()[*place].most_gateways)
        .collect();
    let counts = more.iter().map(|(place, count)| (network.places()[*place].name.clone(), *count)).collect();
    let larger = network.with_gateways(&more);
    let mut changed = wanted.clone();
    changed.task.network = &larger;
    priced(&changed, Remedy::Gateways(counts))
}

/// Rounded down to four decimals, so that it stays possible.
fn down(gbps: f64) -> f64 {
    (gbps * 1e4 + 1e-6).floor() / 1e4
}

fn joined(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
