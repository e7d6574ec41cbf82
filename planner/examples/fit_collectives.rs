//! Fits the constants and curves of collectives that ship with the planner.
//!
//! `cargo run --release -p planner --example fit_collectives -- CURVES.csv planner/calibration`

use std::error::Error;

use planner::performance::collective::measured::{Table, read_points};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [curves, output] = arguments.as_slice() else {
        return Err("usage: fit_collectives CURVES.csv DIRECTORY".into());
    };
    let (constants, knots) = Table::fitted(&read_points(fs_err::File::open(curves)?)?)?;
    fs_err::write(format!("{output}/collectives.csv"), constants)?;
    fs_err::write(format!("{output}/collective_curves.csv"), knots)?;
    Ok(())
}
