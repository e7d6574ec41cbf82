//! The ranks of a workload on the machines of its plan.

use scenarios::plan::Assignment;

/// Site of each rank, in the order of the groups.
pub(super) fn sites(assignment: &Assignment) -> Vec<String> {
    let of_group = |group: &scenarios::plan::Group| {
        let ranks = group.nodes.saturating_mul(group.ranks_per_node) as usize;
        std::iter::repeat_n(group.site.clone(), ranks)
    };
    assignment.groups.iter().flat_map(of_group).take(assignment.strategy.ranks() as usize).collect()
}
