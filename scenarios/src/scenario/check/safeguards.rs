//! What sites and links provide.

use super::Check;
use super::names::{is_name, is_reserved};
use crate::yaml::Located;

/// Checks a list of safeguards. Rules name them among places, so they must not be called as a place.
pub(super) fn expect(check: &mut Check<'_>, safeguards: &[String], at: &Located<'_>) {
    let (scenario, catalog) = (check.scenario, check.catalog);
    for (index, name) in safeguards.iter().enumerate() {
        let place = at.item(index);
        if !is_name(name) {
            let message = format!("`{name}` is no name for a safeguard");
            check.wrong(&place, message, "not allowed as a name", "write for example `encryption_at_rest` or `C5`");
        } else if is_reserved(catalog, name) || scenario.sites.contains_key(name) || scenario.groups.contains_key(name)
        {
            let help = "call the safeguard something else, since policies could mean either";
            check.wrong(&place, format!("`{name}` already names a place"), "taken", help);
        }
    }
}
