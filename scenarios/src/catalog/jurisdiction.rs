//! Countries and the dated groups that residency rules name.

use serde::Deserialize;

use super::table;

/// Date of the memberships and adequacy decisions: the newest one taken into account.
pub const GROUPS_AS_OF: &str = "2026-01-27";

/// Groups of countries, each with what it holds.
///
/// `eu-adequate` is what the GDPR's chapter V leaves free: the EEA and the countries with a decision of adequacy for
/// all transfers. Canada (commercial organisations) and the United States (certified organisations) have partial
/// decisions and are not in it. `cn-mainland` holds neither Hong Kong nor Macau nor Taiwan.
pub const GROUPS: [(&str, &str); 4] = [
    ("cn-mainland", "mainland China"),
    ("eea", "European Economic Area"),
    ("eu", "European Union"),
    ("eu-adequate", "EEA and countries with an adequacy decision of the European Commission"),
];

/// Groups that hold one country.
#[derive(Debug)]
pub(super) struct Jurisdiction {
    /// ISO 3166 code of the country.
    pub country: String,
    /// Names of the groups.
    pub groups: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Row {
    country_code: String,
    eu: u8,
    eea: u8,
    gdpr_adequacy: String,
}

/// Reads all jurisdictions, sorted by country.
pub(super) fn load() -> Vec<Jurisdiction> {
    let mut jurisdictions: Vec<_> = table::JURISDICTIONS.rows().map(jurisdiction).collect();
    jurisdictions.sort_by(|a, b| a.country.cmp(&b.country));
    jurisdictions
}

fn jurisdiction(row: Row) -> Jurisdiction {
    let groups = GROUPS.iter().map(|(name, _)| *name).filter(|name| match *name {
        "cn-mainland" => row.country_code == "CN",
        "eea" => row.eea == 1,
        "eu" => row.eu == 1,
        _ => matches!(row.gdpr_adequacy.as_str(), "eea" | "adequate"),
    });
    Jurisdiction { groups: groups.collect(), country: row.country_code }
}

/// Codes of all countries, ISO 3166-1 alpha-2.
const COUNTRIES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC \
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC \
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether a text is the code of a country, ISO 3166-1 alpha-2.
#[must_use]
pub fn is_country(code: &str) -> bool {
    COUNTRIES.split(' ').any(|country| country == code)
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn countries_are_in_their_groups() {
        let check =
            |country: &str, groups: &[&str]| assert_eq!(Catalog::bundled().groups(country), groups, "{country}");
        check("DE", &["eea", "eu", "eu-adequate"]);
        check("NO", &["eea", "eu-adequate"]);
        check("CH", &["eu-adequate"]);
        check("US", &[]);
        check("CN", &["cn-mainland"]);
        check("HK", &[]);
        check("XX", &[]);
    }

    #[test]
    fn groups_are_in_wider_groups() {
        let check = |group: &str, wider: &[&str]| assert_eq!(Catalog::bundled().wider_groups(group), wider, "{group}");
        check("eu", &["eea", "eu-adequate"]);
        check("eea", &["eu-adequate"]);
        check("eu-adequate", &[]);
        check("cn-mainland", &[]);
        check("DE", &[]);
    }

    #[test]
    fn codes_of_countries_are_known() {
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert!(is_country("DE") && is_country("MO"));
        assert!(!is_country("UK") && !is_country("de") && !is_country("D") && !is_country(""));
        let catalog = Catalog::bundled();
        assert!(catalog.regions().iter().all(|region| is_country(&region.country)));
    }
}
