//! The plan's residency rules, enforced again where the data is opened.
//!
//! The planner has checked the plan. The guard trusts nobody: before a workload opens records or
//! weights it asks the rules in the plan whether they may be at the site that it stands for.

use scenarios::plan::{Assignment, PermittedBy, Plan};
use scenarios::residency::{self, Denied, Label, Place};
use scenarios::scenario::{Action, Form, Job};

/// Why a workload may not run where the plan puts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// A rule of the plan refuses it.
    #[error("workload `{workload}` is refused: {denied}")]
    Denied {
        /// The workload.
        workload: String,
        /// The rule, or that none allows it.
        denied: Box<Denied>,
    },
    /// The plan does not describe the site.
    #[error("workload `{workload}` runs at the site `{site}`, which the plan does not describe")]
    UnknownSite {
        /// The workload.
        workload: String,
        /// The site.
        site: String,
    },
    /// The plan does not hold the workload whose weights are used.
    #[error("workload `{workload}` uses the weights of `{of}`, which the plan does not hold")]
    UnknownWeights {
        /// The workload.
        workload: String,
        /// Workload that should have made them.
        of: String,
    },
}

/// The rules that permit all that the assignment does with classified data at its sites.
///
/// # Errors
/// A rule refuses it, or none allows it.
pub fn admit(plan: &Plan, assignment: &Assignment) -> Result<Vec<PermittedBy>, GuardError> {
    let workload = &assignment.workload;
    let mut permits = Vec::new();
    for group in &assignment.groups {
        let unknown = || GuardError::UnknownSite { workload: workload.clone(), site: group.site.clone() };
        let site = plan.sites.get(&group.site).ok_or_else(unknown)?;
        let place = Place { site: &group.site, names: &site.places };
        for (label, form) in used(plan, assignment)? {
            for action in [Action::Store, Action::Process] {
                let permit = residency::permit(&plan.residency.rules, label, form, action, place);
                let denied = |denied| GuardError::Denied { workload: workload.clone(), denied: Box::new(denied) };
                permits.extend(permit.map_err(denied)?);
            }
        }
    }
    Ok(permits)
}

/// What a workload holds at its site: its records, and the weights that it makes or uses.
fn used<'a>(plan: &'a Plan, assignment: &'a Assignment) -> Result<Vec<(Label<'a>, Form)>, GuardError> {
    let own = label(assignment);
    let weights_from = match &assignment.job {
        Job::Train(_) => own,
        Job::Evaluate(evaluation) => {
            let of = &evaluation.weights_of;
            let unknown = || GuardError::UnknownWeights { workload: assignment.workload.clone(), of: of.clone() };
            label(plan.assignments.iter().find(|other| other.workload == *of).ok_or_else(unknown)?)
        }
    };
    Ok(vec![(own, Form::Raw), (weights_from, Form::Weights)])
}

fn label(assignment: &Assignment) -> Label<'_> {
    Label { dataset: &assignment.data.dataset, class: &assignment.data.class }
}
