//! Where sites are, and what they provide.

use super::{Check, safeguards, tiers};
use crate::catalog::is_country;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Site, SiteKind};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let sites = check.root.key("sites");
    for (name, site) in &check.scenario.sites {
        let at = sites.key(name);
        match site.kind {
            SiteKind::Private => private(check, site, &at),
            SiteKind::Public => public(check, site, &at),
        }
        for (key, country) in [("country", &site.country), ("operator", &site.operator)] {
            if let Some(country) = country {
                expect_country(check, country, &at.key(key));
            }
        }
        safeguards::expect(check, &site.safeguards, &at.key("safeguards"));
        egress(check, site, &at);
        if let Some(pue) = site.pue {
            expect_pue(check, pue, &at.key("pue"));
        }
    }
}

fn egress(check: &mut Check<'_>, site: &Site, at: &Located<'_>) {
    tiers::expect(check, &site.egress_tiers, &at.key("egress_tiers"));
    if site.egress.is_some() && !site.egress_tiers.is_empty() {
        let place = at.key("egress_tiers").key_span();
        let problem = Diagnostic::new(place, "the site has one price of egress and tiers", "beside `egress`");
        check.tell(problem.help("keep `egress` for one price, `egress_tiers` for prices by amount"));
    }
}

/// A building takes at least the energy of its machines.
pub(super) fn expect_pue(check: &mut Check<'_>, pue: f64, at: &Located<'_>) {
    if pue < 1.0 {
        let help = "write the building's energy over its machines', such as `pue: 1.2`";
        check.wrong(at, "a power usage effectiveness is at least 1", "below 1", help);
    }
}

fn private(check: &mut Check<'_>, site: &Site, at: &Located<'_>) {
    for (key, value) in [("provider", &site.provider), ("region", &site.region)] {
        if value.is_some() {
            let problem =
                Diagnostic::new(at.key(key).key_span(), format!("a private site has no {key}"), "of public sites");
            check.tell(problem.help(format!("remove `{key}`, or write `kind: public`")));
        }
    }
}

fn public(check: &mut Check<'_>, site: &Site, at: &Located<'_>) {
    let missing = |key: &str, example: &str| {
        let problem = Diagnostic::new(at.key_span(), format!("a public site needs its {key}"), "does not say");
        problem.help(format!("add `{key}: {example}`"))
    };
    match (&site.provider, &site.region) {
        (Some(provider), Some(region)) => region_of(check, site, provider, region, at),
        (Some(_), None) => check.tell(missing("region", "eu-central-1")),
        (None, Some(_)) => check.tell(missing("provider", "aws")),
        (None, None) if site.country.is_none() => {
            check.tell(missing("provider", "aws").help("add `provider` and `region`, or the `country`"));
        }
        (None, None) => {}
    }
}

fn region_of(check: &mut Check<'_>, site: &Site, provider: &str, region: &str, at: &Located<'_>) {
    let catalog = check.catalog;
    if !catalog.providers().any(|other| other == provider) {
        return check.expect_known("provider", provider, &at.key("provider"), catalog.providers());
    }
    let regions = catalog.regions().iter().filter(|other| other.provider == provider);
    check.expect_known("region", region, &at.key("region"), regions.map(|other| other.region.as_str()));
    let stated = site.country.as_ref().zip(catalog.region(provider, region));
    if let Some((country, known)) = stated.filter(|(country, known)| **country != known.country) {
        let message = format!("`{region}` is in {}, not in {country}", known.country);
        check.wrong(&at.key("country"), message, "not where the region is", "remove the line; the catalogue knows it");
    }
}

/// Checks a country's code.
pub(super) fn expect_country(check: &mut Check<'_>, country: &str, at: &Located<'_>) {
    if is_country(country) {
        return;
    }
    let upper = country.to_uppercase();
    let help = match upper.as_str() {
        "UK" => "write `GB`".to_owned(),
        code if is_country(code) => format!("write `{code}`"),
        _ => "write its ISO 3166 code, two capital letters such as `DE`".to_owned(),
    };
    check.wrong(at, format!("`{country}` is no country"), "not an ISO 3166 code", help);
}
