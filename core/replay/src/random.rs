use uuid::Uuid;

/// The random stream of an execution: xorshift64 with the shifts 13, 7 and 17, seeded from the low 64 bits of the
/// execution id.
///
/// It is for jitter and choices in workflow code, never for secrets: who knows the id knows the stream.
#[derive(Debug)]
pub(crate) struct Random(u64);

const LARGEST_BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

impl Random {
    pub(crate) fn new(execution_id: Uuid) -> Self {
        let (_, low) = execution_id.as_u64_pair();
        // Zero would stay zero for ever.
        Self(low.max(1))
    }

    /// At least 0 and below 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The largest numbers round up to 2^64.
        (self.0 as f64 / TWO_TO_64).min(LARGEST_BELOW_ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_state_stays_below_one() {
        assert_eq!(u64::MAX as f64 / TWO_TO_64, 1.0);
        assert_eq!(LARGEST_BELOW_ONE, 1.0_f64.next_down());
    }

    #[test]
    fn zero_seed_becomes_one() {
        let mut stream = Random::new(Uuid::nil());
        let x = 1_u64;
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        let x = x ^ (x << 17);
        assert_eq!(stream.next(), x as f64 / TWO_TO_64);
    }
}
