/// A set of kinds that is small and knows too many: a kind that is in it is always found, one that is not is found
/// seldom.
///
/// It tells a wake which of the parked polls are worth asking. Asking one for nothing costs time and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindSet(u64);

impl KindSet {
    /// Every kind.
    pub const ANY: Self = Self(u64::MAX);
    /// No kind.
    pub const NONE: Self = Self(0);

    /// One kind.
    pub fn of(kind: &str) -> Self {
        Self(1 << (hash(kind) >> 58))
    }

    /// The kinds of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there may be a kind that is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl<'a> FromIterator<&'a str> for KindSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(kinds: I) -> Self {
        kinds.into_iter().map(Self::of).fold(Self::NONE, Self::and)
    }
}

/// FNV-1a, and a multiplication that carries all of it to the highest bits.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;

    #[test]
    fn what_is_in_it_is_found() {
        let names: Vec<String> = (0..100).map(|number| format!("workflow-{number}")).collect();
        let all: KindSet = names.iter().map(String::as_str).collect();
        assert!(names.iter().all(|name| all.meets(KindSet::of(name)) && KindSet::ANY.meets(KindSet::of(name))));
        assert!(!KindSet::NONE.meets(all));
    }

    #[test]
    fn what_is_not_in_it_is_seldom_found() {
        let few: KindSet = ["order", "refund", "ship"].into_iter().collect();
        let found = (0..1_000).filter(|number| few.meets(KindSet::of(&format!("workflow-{number}")))).count();
        assert!(found < 80, "{found} of 1,000");
    }
}
