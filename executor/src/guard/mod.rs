//! The plan's residency rules, enforced again where the data is opened.
//!
//! The planner has checked the plan. The guard trusts nobody: before a workload opens records or
//! weights it asks the rules in the plan whether they may be at the site that it stands for.

use scenarios::plan::{Assignment, PermittedBy, Plan};
use scenarios::residency::{self, Deed, Denied, Label, Period, Place};
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
    let from = plan.residency.starts;
    let period = Period { from, until: from.after(assignment.end_seconds) };
    for group in &assignment.groups {
        let unknown = || GuardError::UnknownSite { workload: workload.clone(), site: group.site.clone() };
        let site = plan.sites.get(&group.site).ok_or_else(unknown)?;
        let place = Place::of(&group.site, site);
        for (label, form) in used(plan, assignment)? {
            for action in [Action::Store, Action::Process, Action::Access] {
                let deed = Deed { label, form, action, place, period };
                let denied = |denied| GuardError::Denied { workload: workload.clone(), denied: Box::new(denied) };
                permits.extend(residency::permit(&plan.residency.rules, &deed).map_err(denied)?);
            }
        }
    }
    Ok(permits)
}

/// What a workload holds at its site: its records, or what a preparation made of them, and the weights that it makes or uses.
fn used<'a>(plan: &'a Plan, assignment: &'a Assignment) -> Result<Vec<(Label<'a>, Form)>, GuardError> {
    let own = label(plan, assignment);
    let weights_from = match assignment.job.weights_of() {
        None => own,
        Some(of) => {
            let unknown = || GuardError::UnknownWeights { workload: assignment.workload.clone(), of: of.to_owned() };
            label(plan, named(plan, of).ok_or_else(unknown)?)
        }
    };
    let form = if preparation(plan, assignment).is_some() { Form::Features } else { Form::Raw };
    let forms = own.map(|own| (own, form)).into_iter();
    Ok(forms.chain(weights_from.map(|from| (from, Form::Weights))).collect())
}

fn named<'a>(plan: &'a Plan, workload: &str) -> Option<&'a Assignment> {
    plan.assignments.iter().find(|other| other.workload == workload)
}

/// The preparation whose records a workload reads, if it reads no data set.
fn preparation<'a>(plan: &'a Plan, assignment: &Assignment) -> Option<&'a Assignment> {
    named(plan, assignment.job.data()?).filter(|other| matches!(other.job, Job::Preprocess(_)))
}

/// The data set that a workload's records come from.
fn label<'a>(plan: &'a Plan, assignment: &'a Assignment) -> Option<Label<'a>> {
    let data = preparation(plan, assignment).unwrap_or(assignment).data.as_ref()?;
    Some(Label { dataset: &data.dataset, class: &data.class })
}
