//! The one call into HiGHS that its Rust interface lacks: a count that is a 64-bit integer.

#![allow(unsafe_code)]

use highs::SolvedModel;

/// Branch-and-bound nodes; 0 for a model without integers.
pub(super) fn of(solved: &SolvedModel) -> u64 {
    let mut count: i64 = 0;
    // SAFETY: the model lives through the call, the name ends in a zero byte, and `count` is a
    // valid 64-bit integer, the type that HiGHS documents for `mip_node_count`.
    let status = unsafe {
        highs_sys::Highs_getInt64InfoValue(solved.as_ptr().cast_mut(), c"mip_node_count".as_ptr(), &raw mut count)
    };
    if status == highs_sys::STATUS_OK { u64::try_from(count).unwrap_or(0) } else { 0 }
}
