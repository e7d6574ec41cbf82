//! Facts about ordered pairs of regions.

use std::collections::HashMap;

use super::region::{self, Region};

/// A region by its position among all regions.
pub(super) type RegionIndex = usize;

/// Values by (from, to).
pub(super) type Pairs<T> = HashMap<(RegionIndex, RegionIndex), T>;

/// Position of a region among all regions, which are sorted.
pub(super) fn index(regions: &[Region], provider: &str, region: &str) -> Option<RegionIndex> {
    regions.binary_search_by(|other| region::key(other).cmp(&(provider, region))).ok()
}
