//! The document that `planner transfer` reads.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::units::{Bandwidth, Bytes};
use serde::{Deserialize, Serialize};

use super::network::{Link, Network, NetworkError, Place};
use super::solve::Request;

/// Value of `format`.
pub const FORMAT: &str = "causeway.transfer/1";

/// A network and a copy that is wanted over it, in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferDocument {
    /// [`FORMAT`].
    pub format: String,
    /// Region where the data is.
    pub from: String,
    /// Region where it goes.
    pub to: String,
    /// How much, such as `100 GB`.
    pub amount: Bytes,
    /// At what rate, such as `8 Gbit/s`.
    pub rate: Bandwidth,
    /// Connections of a gateway with which `throughput_gbps` was measured.
    pub connections_per_gateway: u32,
    /// Regions, in the order of the rows and columns below.
    pub regions: Vec<Region>,
    /// Gbit/s of one gateway's full set of connections, from row to column; 0 where there is no link.
    pub throughput_gbps: Vec<Vec<f64>>,
    /// Price of egress in US dollars a gigabyte, from row to column.
    pub usd_per_gb: Vec<Vec<f64>>,
    /// Regions that the data may not pass, with the rule that forbids it.
    #[serde(default)]
    pub forbidden: BTreeMap<String, String>,
}

/// A region of the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Price of a gateway in US dollars an hour.
    pub gateway_usd_per_hour: f64,
    /// Most gateways that can be rented.
    pub most_gateways: u32,
    /// What a gateway can send, in Gbit/s.
    pub egress_gbps: f64,
    /// What a gateway can receive, in Gbit/s.
    pub ingress_gbps: f64,
}

/// Why a document describes no copy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DocumentProblem {
    /// It is no such document.
    #[error("not a document of format `{FORMAT}`: {0}")]
    Json(String),
    /// It is another kind or version of document.
    #[error("the format is `{found}`, expected `{FORMAT}`")]
    Format {
        /// What it says.
        found: String,
    },
    /// A matrix that does not have a row and a column for each region.
    #[error("`{matrix}` {found}; {regions} regions need {regions} rows of {regions} figures")]
    Shape {
        /// Which matrix.
        matrix: &'static str,
        /// How many there are.
        found: String,
        /// How many regions there are.
        regions: usize,
    },
    /// A price that is no number of dollars.
    #[error("the price of {what} is {found} USD: expected 0 to 1000000")]
    Price {
        /// Of what.
        what: String,
        /// The figure.
        found: f64,
    },
    /// The figures make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// What tells the kind of a document.
#[derive(Deserialize)]
struct Kind {
    format: String,
}

impl TransferDocument {
    /// Reads a document from its bytes.
    ///
    /// # Errors
    /// For what is no JSON, another format, an unknown field, or a quantity without its unit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentProblem> {
        let json = |error: serde_json::Error| DocumentProblem::Json(error.to_string());
        let Kind { format } = serde_json::from_slice(bytes).map_err(json)?;
        if format != FORMAT {
            return Err(DocumentProblem::Format { found: format });
        }
        serde_json::from_slice(bytes).map_err(json)
    }

    /// The network that it describes.
    ///
    /// # Errors
    /// For matrices of another shape than the regions, and for figures that are no rates or prices.
    pub fn network(&self) -> Result<Network, DocumentProblem> {
        self.check_shape("throughput_gbps", &self.throughput_gbps)?;
        self.check_shape("usd_per_gb", &self.usd_per_gb)?;
        let places = self.regions.iter().map(Region::place).collect::<Result<_, _>>()?;
        let mut links = BTreeMap::new();
        for (from, (rates, prices)) in self.throughput_gbps.iter().zip(&self.usd_per_gb).enumerate() {
            let others = rates.iter().zip(prices).enumerate().filter(|(to, _)| *to != from);
            for (to, (gbps, price)) in others {
                let what = || format!("a gigabyte from `{}` to `{}`", self.regions[from].name, self.regions[to].name);
                links.insert((from, to), Link { gbps: *gbps, usd_per_gb: usd(*price, what)? });
            }
        }
        Ok(Network::new(places, links, self.connections_per_gateway)?)
    }

    /// The copy that it asks for.
    #[must_use]
    pub fn request(&self) -> Request {
        Request {
            from: self.from.clone(),
            to: self.to.clone(),
            amount: self.amount,
            rate: self.rate,
            forbidden: self.forbidden.clone(),
        }
    }

    fn check_shape(&self, matrix: &'static str, rows: &[Vec<f64>]) -> Result<(), DocumentProblem> {
        let regions = self.regions.len();
        let shape = |found: String| Err(DocumentProblem::Shape { matrix, found, regions });
        if rows.len() != regions {
            return shape(format!("has {} rows", rows.len()));
        }
        match rows.iter().position(|row| row.len() != regions) {
            Some(row) => shape(format!("has {} figures in row {}", rows[row].len(), row + 1)),
            None => Ok(()),
        }
    }
}

impl Region {
    fn place(&self) -> Result<Place, DocumentProblem> {
        let what = || format!("an hour of a gateway at `{}`", self.name);
        Ok(Place {
            name: self.name.clone(),
            gateway_usd_per_hour: usd(self.gateway_usd_per_hour, what)?,
            most_gateways: self.most_gateways,
            egress_gbps: self.egress_gbps,
            ingress_gbps: self.ingress_gbps,
        })
    }
}

fn usd(found: f64, what: impl Fn() -> String) -> Result<Decimal, DocumentProblem> {
    Decimal::try_from(found).map_err(|_| DocumentProblem::Price { what: what(), found })
}
