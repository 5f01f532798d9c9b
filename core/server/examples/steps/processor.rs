use std::{collections::BTreeMap, fs, time::Duration};

/// Ticks per second of /proc, the same on every Linux that we know.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processor time of this process, by the names of its threads. Empty where there is no /proc.
#[derive(Default)]
pub(crate) struct Processor {
    ticks: BTreeMap<String, u64>,
}

impl Processor {
    pub(crate) fn now() -> Self {
        let mut ticks = BTreeMap::new();
        for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
            if let Some((name, used)) = parse(&stat) {
                *ticks.entry(name.to_owned()).or_default() += used;
            }
        }
        Self { ticks }
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        let earlier = |name: &String| before.ticks.get(name).copied().unwrap_or_default();
        Self { ticks: self.ticks.iter().map(|(name, used)| (name.clone(), used - earlier(name).min(*used))).collect() }
    }

    pub(crate) fn of(&self, thread: &str) -> Duration {
        let ticks = self.ticks.get(thread).copied().unwrap_or_default();
        Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND)
    }
}

/// The name of a thread and its user and system time: fields 2, 14 and 15.
fn parse(stat: &str) -> Option<(&str, u64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1;
    let mut times = after.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    Some((name, times.next()? + times.next()?))
}
