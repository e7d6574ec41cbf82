//! Understanding this report: what its words and figures mean.

use askama::Template;

use super::Section;
use crate::error::ReportError;

#[derive(Template)]
#[template(path = "sections/understanding.html")]
struct Body;

/// What words and figures mean.
pub(super) fn section() -> Result<Section, ReportError> {
    Section::new("understanding", "Understanding this report", &Body, &[], &[])
}
