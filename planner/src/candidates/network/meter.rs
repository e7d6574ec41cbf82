//! Prices of data that fall with its amount.

use std::cell::RefCell;

use scenarios::units::Tariff;

/// Counts the data of one origin that shares a price by amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Site that the data leaves.
    pub site: usize,
    /// Site that it reaches, for a link with prices of its own.
    pub to: Option<usize>,
    /// Price by amount over the whole plan.
    pub tariff: Tariff,
}

/// All meters that were met.
#[derive(Debug, Default)]
pub(super) struct Meters(RefCell<Vec<Meter>>);

impl Meters {
    /// Position of a meter, which is added when it is new.
    pub fn find(&self, meter: Meter) -> usize {
        let mut all = self.0.borrow_mut();
        all.iter().position(|known| *known == meter).unwrap_or_else(|| {
            all.push(meter);
            all.len() - 1
        })
    }

    pub fn all(&self) -> Vec<Meter> {
        self.0.borrow().clone()
    }

    /// The tariff of a meter.
    pub fn tariff(&self, meter: usize) -> Option<Tariff> {
        self.0.borrow().get(meter).map(|meter| meter.tariff.clone())
    }
}
