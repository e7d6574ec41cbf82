//! Throughput of a placement: the maximum flow over machines as edges between boundaries of layers.

/// A machine that holds layers: its edge leads from boundary `from` to boundary `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub from: usize,
    pub to: usize,
    pub rate: f64,
}

/// Share of the largest rate below which nothing flows.
const NEGLIGIBLE: f64 = 1e-12;

/// The maximum flow from boundary 0 to boundary `last`, and what each machine carries of it (Edmonds and Karp, 1972).
pub(super) fn maximum(edges: &[Edge], last: usize) -> (f64, Vec<f64>) {
    let negligible = edges.iter().map(|edge| edge.rate).fold(0.0, f64::max) * NEGLIGIBLE;
    let mut flow = vec![0.0; edges.len()];
    while let Some(path) = shortest(edges, &flow, last, negligible) {
        let room =
            |(edge, forward): &(usize, bool)| if *forward { edges[*edge].rate - flow[*edge] } else { flow[*edge] };
        let more = path.iter().map(room).fold(f64::INFINITY, f64::min);
        for (edge, forward) in path {
            flow[edge] += if forward { more } else { -more };
        }
    }
    let total = edges.iter().zip(&flow).filter(|(edge, _)| edge.from == 0).map(|(_, flow)| flow).sum();
    (total, flow)
}

/// The path with the fewest edges over which more can flow, as edges with their direction.
fn shortest(edges: &[Edge], flow: &[f64], last: usize, negligible: f64) -> Option<Vec<(usize, bool)>> {
    let mut came_by: Vec<Option<(usize, bool)>> = vec![None; last + 1];
    let mut reached = vec![0];
    let mut next = 0;
    while let Some(&boundary) = reached.get(next) {
        next += 1;
        for (index, edge) in edges.iter().enumerate() {
            let (forward, backward) = (edge.rate - flow[index] > negligible, flow[index] > negligible);
            let step = match boundary {
                from if from == edge.from && forward => Some((edge.to, true)),
                to if to == edge.to && backward => Some((edge.from, false)),
                _ => None,
            };
            if let Some((target, forward)) = step
                && target != 0
                && came_by[target].is_none()
            {
                came_by[target] = Some((index, forward));
                reached.push(target);
            }
        }
    }
    let mut path = Vec::new();
    let mut boundary = last;
    while boundary != 0 {
        let (index, forward) = came_by[boundary]?;
        path.push((index, forward));
        boundary = if forward { edges[index].from } else { edges[index].to };
    }
    Some(path)
}
