//! Where a document was not as its schema says.

use std::ops::Range;

/// Places whose values were replaced by others that fit; found fast, since a bad file has very many.
pub(super) struct Replaced {
    /// Their first bytes, ascending.
    starts: Vec<usize>,
    /// The last byte of each and all before it.
    ends: Vec<usize>,
}

impl Replaced {
    pub(super) fn new(spans: impl Iterator<Item = Range<usize>>) -> Self {
        let mut spans: Vec<_> = spans.map(|span| (span.start, span.end)).collect();
        spans.sort_unstable();
        let last = |furthest: &mut usize, (_, end): &(usize, usize)| {
            *furthest = (*furthest).max(*end);
            Some(*furthest)
        };
        let ends = spans.iter().scan(0, last).collect();
        Self { starts: spans.into_iter().map(|(start, _)| start).collect(), ends }
    }

    /// Whether one of them meets a span, or stands beside it.
    pub(super) fn touches(&self, span: &Range<usize>) -> bool {
        let before = self.starts.partition_point(|start| *start <= span.end);
        before.checked_sub(1).is_some_and(|last| self.ends[last] >= span.start)
    }

    /// Whether one of them starts inside of a span.
    pub(super) fn starts_in(&self, span: &Range<usize>) -> bool {
        let first = self.starts.partition_point(|start| *start < span.start);
        self.starts.get(first).is_some_and(|start| *start < span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_found() {
        let replaced = Replaced::new([10..12, 0..5, 1..2, 11..11].into_iter());
        let check = |span: Range<usize>, touches: bool, starts_in: bool| {
            assert_eq!((replaced.touches(&span), replaced.starts_in(&span)), (touches, starts_in), "{span:?}");
        };
        check(0..1, true, true);
        check(2..9, true, false);
        check(6..9, false, false);
        check(6..10, true, false);
        check(6..11, true, true);
        check(12..20, true, false);
        check(13..20, false, false);
        assert!(!Replaced::new(std::iter::empty()).touches(&(0..9)));
    }
}
