//! Parts of the world as providers' price lists name them.

/// Part of the world of a country that has cloud regions.
pub(super) fn continent(country: &str) -> &'static str {
    match country {
        "US" | "CA" | "MX" => "north-america",
        "BR" | "CL" | "CO" | "PE" => "south-america",
        "AU" | "NZ" => "oceania",
        "AE" | "BH" | "IL" | "QA" | "SA" | "TR" => "middle-east",
        "ZA" | "MA" => "africa",
        "CN" | "HK" | "ID" | "IN" | "JP" | "KR" | "MY" | "PH" | "SG" | "TH" | "TW" => "asia",
        _ => "europe",
    }
}
