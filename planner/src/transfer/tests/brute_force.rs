//! All sets of gateways and all corners of the polytope of path flows, on networks of three and four places.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

/// A linear program in a few variables: minimise `cost·x` with `rows·x ≤ limits`, `x ≥ 0` and `Σ x = total`.
struct Corners {
    cost: Vec<f64>,
    rows: Vec<(Vec<f64>, f64)>,
    total: f64,
}

impl Corners {
    /// The least cost over all corners.
    fn least(&self) -> Option<f64> {
        let count = self.cost.len();
        let mut rows = self.rows.clone();
        rows.extend((0..count).map(|at| ((0..count).map(|other| if other == at { -1.0 } else { 0.0 }).collect(), 0.0)));
        let mut best = None;
        self.visit(&rows, &mut vec![], 0, &mut best);
        best
    }

    fn visit(&self, rows: &[(Vec<f64>, f64)], tight: &mut Vec<usize>, next: usize, best: &mut Option<f64>) {
        if tight.len() + 1 == self.cost.len() {
            let equations =
                tight.iter().map(|row| rows[*row].clone()).chain([(vec![1.0; self.cost.len()], self.total)]);
            if let Some(point) = corner(equations.collect())
                && rows.iter().all(|(row, limit)| dot(row, &point) <= limit + 1e-9)
            {
                let cost = dot(&self.cost, &point);
                *best = Some(best.map_or(cost, |best: f64| best.min(cost)));
            }
            return;
        }
        for row in next..rows.len() {
            tight.push(row);
            self.visit(rows, tight, row + 1, best);
            tight.pop();
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves equations by elimination; none if they are not independent.
fn corner(mut equations: Vec<(Vec<f64>, f64)>) -> Option<Vec<f64>> {
    let count = equations.len();
    for column in 0..count {
        let pivot =
            (column..count).max_by(|a, b| equations[*a].0[column].abs().total_cmp(&equations[*b].0[column].abs()))?;
        equations.swap(column, pivot);
        let (row, value) = equations[column].clone();
        if row[column].abs() < 1e-9 {
            return None;
        }
        for other in (0..count).filter(|other| *other != column) {
            let factor = equations[other].0[column] / row[column];
            equations[other].0.iter_mut().zip(&row).for_each(|(at, row)| *at -= factor * row);
            equations[other].1 -= factor * value;
        }
    }
    Some((0..count).map(|at| equations[at].1 / equations[at].0[at]).collect())
}

/// Simple paths from the first place to the last.
fn all_paths(places: usize) -> Vec<Vec<usize>> {
    let mut found = vec![];
    let mut open = vec![vec![0]];
    while let Some(path) = open.pop() {
        for next in (0..places).filter(|next| !path.contains(next)) {
            let longer = [path.clone(), vec![next]].concat();
            if next == places - 1 { found.push(longer) } else { open.push(longer) }
        }
    }
    found
}

/// Least cost with at most one gateway a place, or none.
fn least_cost(document: &TransferDocument) -> Option<f64> {
    let (places, rate) = (document.regions.len(), document.rate.0 / 1e9);
    let (gigabytes, hours) = (document.amount.gigabytes(), document.amount.0 as f64 * 8.0 / document.rate.0 / 3600.0);
    let mut best: Option<f64> = None;
    for open in 0..1_usize << (places - 2) {
        let is_open = |place: usize| {
            place == 0
                || place == places - 1
                || open >> (place - 1) & 1 == 1 && !document.forbidden.contains_key(&document.regions[place].name)
        };
        let paths: Vec<Vec<usize>> = all_paths(places)
            .into_iter()
            .filter(|path| path.iter().all(|place| is_open(*place)))
            .filter(|path| path.windows(2).all(|ends| document.throughput_gbps[ends[0]][ends[1]] > 0.0))
            .collect();
        if paths.is_empty() {
            continue;
        }
        let gateways: f64 =
            (0..places).filter(|place| is_open(*place)).map(|place| document.regions[place].gateway_usd_per_hour).sum();
        if let Some(egress) = corners(document, &paths, gigabytes / rate, rate).least() {
            let cost = egress + gateways * hours;
            best = Some(best.map_or(cost, |best| best.min(cost)));
        }
    }
    best
}

fn corners(document: &TransferDocument, paths: &[Vec<usize>], gigabytes_per_gbps: f64, rate: f64) -> Corners {
    let over = |path: &[usize], value: &dyn Fn(usize, usize) -> f64| -> f64 {
        path.windows(2).map(|ends| value(ends[0], ends[1])).sum()
    };
    let cost = paths.iter().map(|path| over(path, &|from, to| document.usd_per_gb[from][to] * gigabytes_per_gbps));
    let mut rows = vec![];
    for (place, region) in document.regions.iter().enumerate() {
        let sets = |from: usize, to: usize| 1.0 / document.throughput_gbps[from][to];
        let mut row = |value: &dyn Fn(usize, usize) -> f64, limit: f64| {
            rows.push((paths.iter().map(|path| over(path, value)).collect(), limit));
        };
        row(&|from, to| if from == place { sets(from, to) } else { 0.0 }, 1.0);
        row(&|from, to| if to == place { sets(from, to) } else { 0.0 }, 1.0);
        row(&|from, _| f64::from(u8::from(from == place)), region.egress_gbps);
        row(&|_, to| f64::from(u8::from(to == place)), region.ingress_gbps);
    }
    Corners { cost: cost.collect(), rows, total: rate }
}

fn any_document() -> impl Strategy<Value = TransferDocument> {
    (3..5_usize).prop_flat_map(|places| {
        let square = |range: std::ops::Range<u32>| prop::collection::vec(prop::collection::vec(range, places), places);
        let regions = prop::collection::vec((0..30_u32, 2..20_u32, 2..20_u32), places);
        (square(0..20), square(0..20), regions, 1..12_u32, prop::option::of(1..places - 1)).prop_map(
            |(rates, prices, regions, rate, forbidden)| {
                let region = |(at, (price, egress, ingress)): (usize, (u32, u32, u32))| {
                    serde_json::json!({
                        "name": at.to_string(), "gateway_usd_per_hour": f64::from(price) / 10.0, "most_gateways": 1,
                        "egress_gbps": egress, "ingress_gbps": ingress,
                    })
                };
                let last = (regions.len() - 1).to_string();
                let price = |price: &u32| f64::from(*price) / 100.0;
                let forbidden = forbidden.map(|place: usize| (place.to_string(), "rule"));
                let document = serde_json::json!({
                    "format": FORMAT, "from": "0", "to": last, "amount": "50 GB", "rate": format!("{rate} Gbit/s"),
                    "connections_per_gateway": 64,
                    "regions": regions.into_iter().enumerate().map(region).collect::<Vec<_>>(),
                    "throughput_gbps": rates,
                    "usd_per_gb": prices.iter().map(|row| row.iter().map(price).collect()).collect::<Vec<Vec<f64>>>(),
                    "forbidden": forbidden.into_iter().collect::<BTreeMap<_, _>>(),
                });
                TransferDocument::parse(document.to_string().as_bytes()).expect("a document")
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_set_of_gateways_and_paths_is_cheaper(document in any_document()) {
        match (solved(&document), least_cost(&document)) {
            (Ok(plan), Some(least)) => {
                let found = f64::try_from(plan.total_usd).expect("a sum");
                prop_assert!((found - least).abs() < 1e-4, "{} is not {}", found, least);
                let passes = |place: &String| plan.paths.iter().any(|path| path.places.contains(place));
                prop_assert!(!document.forbidden.keys().any(passes));
                let sum: Decimal = plan.links.iter().map(|link| link.egress_usd).sum();
                prop_assert_eq!(sum, plan.egress_usd);
            }
            (Err(TransferError::Infeasible(why)), None) => {
                prop_assert!(why.possible_gbps < why.asked_gbps);
                let lower = why.ways_out.iter().any(|way| matches!(way.remedy, Remedy::LowerRate(_)));
                prop_assert_eq!(lower, why.possible_gbps > 0.0);
            }
            (found, least) => prop_assert!(false, "{:?}, but {:?}", found, least),
        }
    }
}
