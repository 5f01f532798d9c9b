use std::{collections::BTreeMap, fmt};

/// How often things happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn get(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Those of these things that are less than a hundredth of all of them.
    pub(crate) fn rare(&self, things: &[&'static str]) -> Vec<&'static str> {
        let all: u64 = things.iter().map(|what| self.get(what)).sum();
        things.iter().copied().filter(|what| self.get(what) * 100 < all || self.get(what) == 0).collect()
    }
}

/// The shares of some of the things of a tally.
pub(crate) struct Histogram<'a> {
    pub(crate) title: &'static str,
    pub(crate) tally: &'a Tally,
    pub(crate) things: &'a [&'static str],
}

impl fmt::Display for Histogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.things.iter().map(|what| self.tally.get(what)).sum();
        writeln!(f, "{} ({all}):", self.title)?;
        for what in self.things {
            let count = self.tally.get(what);
            let percent = count as f64 * 100.0 / all.max(1) as f64;
            let bar = "#".repeat(percent.round() as usize);
            writeln!(f, "  {what:18} {count:>10} {percent:5.1} % {bar}")?;
        }
        Ok(())
    }
}
