//! Considered placements: every one, with what became of it and why.

use askama::Template;
use indexmap::IndexMap;
use scenarios::plan::{Candidate, Plan, Verdict};

use super::{FileNames, Section};
use crate::error::ReportError;
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/considered.html")]
struct Body<'a> {
    groups: Vec<Group<'a>>,
    pruned: u64,
    considered: u64,
}

struct Group<'a> {
    workload: &'a str,
    counts: String,
    table: &'a Table,
    open: bool,
}

/// The placements that were considered.
pub(super) fn section(plan: &Plan) -> Result<Section, ReportError> {
    let mut by_workload: IndexMap<&str, Vec<&Candidate>> = IndexMap::new();
    for candidate in &plan.explanation.considered {
        by_workload.entry(&candidate.workload).or_default().push(candidate);
    }
    by_workload.values_mut().for_each(|candidates| candidates.sort_by(|a, b| order(a).cmp(&order(b))));
    let mut names = FileNames::default();
    let tables: Vec<_> = by_workload
        .iter()
        .map(|(workload, list)| table(&names.next("tables/considered", workload), workload, list))
        .collect();
    let groups = by_workload.iter().zip(&tables).map(|((workload, list), table)| Group {
        workload,
        counts: counts(list),
        table,
        open: list.len() <= 12 && by_workload.len() <= 3,
    });
    let body = Body {
        groups: groups.collect(),
        pruned: plan.solver.columns_pruned,
        considered: plan.solver.columns_considered,
    };
    Section::new("considered", "Considered placements", &body, &[], &tables.iter().collect::<Vec<_>>())
}

/// Chosen first, then by cost, then by name.
fn order(candidate: &Candidate) -> (Verdict, Option<rust_decimal::Decimal>, &str, &str) {
    (candidate.verdict, candidate.cost_usd, &candidate.site, &candidate.machine)
}

const VERDICTS: [(Verdict, &str, &str, &str); 4] = [
    (Verdict::Chosen, "✓", "chosen", "good"),
    (Verdict::Lost, "○", "lost", "mark"),
    (Verdict::Dominated, "–", "dominated", "mark"),
    (Verdict::Refused, "✗", "refused", "bad"),
];

fn counts(candidates: &[&Candidate]) -> String {
    let parts = VERDICTS.iter().filter_map(|(verdict, _, word, _)| {
        let n = candidates.iter().filter(|candidate| candidate.verdict == *verdict).count();
        (n > 0).then(|| format!("{n} {word}"))
    });
    format!("{} considered: {}", candidates.len(), parts.collect::<Vec<_>>().join(", "))
}

fn table(name: &str, workload: &str, candidates: &[&Candidate]) -> Table {
    let columns = [
        ("Verdict", "verdict"),
        ("", "workload"),
        ("Site", "site"),
        ("", "pool"),
        ("Machines", "machine"),
        ("", "nodes"),
        ("Purchase", "purchase"),
        ("Strategy", "strategy"),
        ("Run time", "seconds"),
        ("Cost", "cost_usd"),
        ("Reason", "reason"),
    ];
    let mut table = Table::new(name, &format!("Placements considered for {workload}"), &columns);
    for c in candidates {
        table.row([
            verdict(c.verdict),
            Cell::name(&c.workload),
            Cell::name(&c.site).with_note(&format!("pool {}", c.pool)),
            Cell::name(&c.pool),
            Cell::name(&c.machine).shown_as(&format!("{} × {}", c.nodes, c.machine)),
            Cell::count(c.nodes.into()),
            Cell::text(c.purchase.to_string()),
            Cell::text(c.strategy.to_string()),
            Cell::or_none(c.seconds, Cell::duration),
            Cell::or_none(c.cost_usd, Cell::usd),
            Cell::text(&c.reason).with_class("wide"),
        ]);
    }
    table
}

fn verdict(verdict: Verdict) -> Cell {
    let found = VERDICTS.iter().find(|(known, ..)| *known == verdict);
    let (_, sign, word, class) = found.expect("all verdicts are listed");
    Cell::text(word).shown_as(&format!("{sign} {word}")).with_class(class)
}
