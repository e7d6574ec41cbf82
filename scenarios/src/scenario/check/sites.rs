//! Where sites are.

use super::Check;
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
        if let Some(country) = &site.country {
            expect_country(check, country, &at.key("country"));
        }
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
