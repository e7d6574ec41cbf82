//! One chain of stages, each of several machines beside each other, for fleets that are too large for every composition.

use super::composition::Held;
use super::fleet::Fleet;

/// Halvings of the interval that holds the rate.
const HALVINGS: usize = 40;

/// The best chain that is found: every stage carries a rate, and the rate is as high as the machines last for.
///
/// A stage takes the machines that lose least by holding as many layers as it does, measured by the most that they
/// could do, `max k·c(k)`; and of all numbers of layers the one that costs least a layer.
pub(super) fn best(fleet: &Fleet) -> Vec<Held> {
    let worth: Vec<f64> = (0..fleet.classes().len()).map(|class| worth(fleet, class)).collect();
    let all: f64 = worth.iter().zip(fleet.counts()).map(|(worth, count)| worth * count as f64).sum();
    let (mut low, mut high) = (0.0, all / fleet.layers() as f64);
    let mut best = Vec::new();
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        match chain(fleet, &worth, middle) {
            Some(held) => (low, best) = (middle, held),
            None => high = middle,
        }
    }
    best
}

/// Most work of a machine in layers times tokens a second.
fn worth(fleet: &Fleet, class: usize) -> f64 {
    let rates = fleet.classes()[class].tokens_per_second.iter();
    rates.zip(1_u32..).map(|(rate, layers)| rate * f64::from(layers)).fold(0.0, f64::max)
}

/// Stages of at least a rate that hold all layers; none if the machines do not last.
fn chain(fleet: &Fleet, worth: &[f64], rate: f64) -> Option<Vec<Held>> {
    let (mut free, mut start, mut held) = (fleet.counts(), 0, Vec::new());
    while start < fleet.layers() {
        let stages = (1..=fleet.layers() - start).filter_map(|layers| {
            let machines = stage(fleet, worth, &free, layers, rate)?;
            let cost: f64 = machines.iter().zip(worth).map(|(count, worth)| *count as f64 * worth).sum();
            Some((cost / layers as f64, layers, machines))
        });
        let (_, layers, machines) = stages.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        for (class, count) in machines.into_iter().enumerate() {
            free[class] -= count;
            held.extend(std::iter::repeat_n((class, start, layers), count));
        }
        start += layers;
    }
    Some(held)
}

/// Machines of each class that together carry a rate with so many layers each; none if the free ones do not.
///
/// Two ways to round are tried: as many as are needed of the most suitable class, or no more than fit under the rate
/// and one more machine for the rest.
fn stage(fleet: &Fleet, worth: &[f64], free: &[usize], layers: usize, rate: f64) -> Option<Vec<usize>> {
    let own: Vec<f64> = fleet.classes().iter().map(|class| class.rate(layers)).collect();
    let mut order: Vec<usize> = (0..free.len()).filter(|class| free[*class] > 0 && own[*class] > 0.0).collect();
    order.sort_by(|&a, &b| (worth[a] / own[a]).total_cmp(&(worth[b] / own[b])).then(own[b].total_cmp(&own[a])));
    let cost =
        |taken: &Vec<usize>| -> f64 { taken.iter().zip(worth).map(|(count, worth)| *count as f64 * worth).sum() };
    let ways = [rounded_up(&order, &own, free, rate), rounded_down(&order, &own, free, worth, rate)];
    ways.into_iter().flatten().min_by(|a, b| cost(a).total_cmp(&cost(b)))
}

/// As many machines as are needed, class by class, without those at the end that turn out to be too many.
fn rounded_up(order: &[usize], own: &[f64], free: &[usize], rate: f64) -> Option<Vec<usize>> {
    let mut taken = vec![0; free.len()];
    let mut need = rate;
    for &class in order {
        taken[class] = ((need / own[class]).ceil().max(0.0) as usize).min(free[class]);
        need -= taken[class] as f64 * own[class];
        if need <= 0.0 {
            break;
        }
    }
    for &class in order.iter().rev() {
        let surplus = ((-need / own[class]).floor().max(0.0) as usize).min(taken[class]);
        taken[class] -= surplus;
        need += surplus as f64 * own[class];
    }
    (need <= 0.0).then_some(taken)
}

/// As many machines as fit under the rate, class by class, and the least machine that carries the rest.
fn rounded_down(order: &[usize], own: &[f64], free: &[usize], worth: &[f64], rate: f64) -> Option<Vec<usize>> {
    let mut taken = vec![0; free.len()];
    let mut need = rate;
    for &class in order {
        taken[class] = ((need / own[class]).floor().max(0.0) as usize).min(free[class]);
        need -= taken[class] as f64 * own[class];
    }
    if need > 0.0 {
        let carries = |class: &&usize| own[**class] >= need && taken[**class] < free[**class];
        let last = *order.iter().filter(carries).min_by(|a, b| worth[**a].total_cmp(&worth[**b]))?;
        taken[last] += 1;
    }
    Some(taken)
}
