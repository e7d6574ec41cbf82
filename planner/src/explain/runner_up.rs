//! The best placement of a workload that was not chosen.

use rust_decimal::Decimal;
use scenarios::plan::RunnerUp;
use scenarios::scenario::Objective;

use super::considered::{alone_usd, lost_reason, machines};
use crate::candidates::Column;
use crate::planning::Decision;

/// The best other possible placement, judged by itself.
pub(super) fn of(decision: &Decision<'_>, job: usize) -> Option<RunnerUp> {
    let workload = &decision.candidates.workloads[job];
    if workload.service.is_some() {
        return None;
    }
    let chosen = decision.solution.choice[job];
    let others = workload.columns.iter().enumerate().filter(|(index, _)| *index != chosen).map(|(_, column)| column);
    let all = others.chain(workload.dominated.iter().map(|dominated| &dominated.column));
    // The same machines with a copy of the data from elsewhere are no other place.
    let here = &workload.columns[chosen];
    let all = all.filter(|column| column.groups != here.groups || column.strategy != here.strategy);
    let ends = |column: &Column| column.release_seconds + column.seconds;
    let priced: Vec<(Decimal, &Column)> = all.map(|column| (alone_usd(decision, job, column), column)).collect();
    let best = priced.into_iter().min_by(|(a_usd, a), (b_usd, b)| {
        let (money, time) = (a_usd.cmp(b_usd), ends(a).total_cmp(&ends(b)));
        match decision.world.loaded.scenario.objective {
            Objective::Cost | Objective::Weighted(_) => money.then(time),
            Objective::FinishTime => time.then(money),
            Objective::Carbon => a.carbon_kg.partial_cmp(&b.carbon_kg).unwrap_or(std::cmp::Ordering::Equal).then(money),
        }
    });
    let (usd, column) = best?;
    let groups: Vec<String> = column.groups.iter().map(|group| machines(&decision.world, group)).collect();
    Some(RunnerUp {
        placement: format!("{}, {}", groups.join(" and "), column.strategy),
        cost_usd: usd.normalize(),
        seconds: column.seconds,
        reason: lost_reason(decision, job, column),
    })
}
