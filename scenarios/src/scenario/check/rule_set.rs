//! Sets of rules.

/// A set of rules by their positions in a list, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleSet(Vec<u64>);

impl RuleSet {
    /// None of `count` rules.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// All of `count` rules.
    pub(super) fn all(count: usize) -> Self {
        let mut all = Self::none(count);
        (0..count).for_each(|rule| all.insert(rule));
        all
    }

    pub(super) fn insert(&mut self, rule: usize) {
        self.0[rule / 64] |= 1 << (rule % 64);
    }

    /// Adds the rules of another set over the same list.
    pub(super) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    /// Keeps the rules that another set over the same list has too.
    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= other);
    }

    /// Its rules, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |word: u64| (0..64).filter(move |bit| word >> bit & 1 == 1);
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(move |(index, word)| bits(*word).map(move |bit| 64 * index + bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_unite_and_intersect() {
        let set = |rules: &[usize]| {
            let mut set = RuleSet::none(130);
            for rule in rules {
                set.insert(*rule);
            }
            set
        };
        let mut found = set(&[0, 63, 129]);
        found.unite(&set(&[64]));
        assert_eq!(found.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        found.intersect(&set(&[63, 64, 65]));
        assert_eq!(found, set(&[63, 64]));
        assert_eq!(RuleSet::all(130).iter().count(), 130);
        assert_eq!(RuleSet::none(0).iter().count(), 0);
    }
}
