//! What was measured of one contender.

/// One contender's rounds.
#[derive(Clone)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// What a call took in each round, ascending: nanoseconds, or bytes where it is memory.
    rounds: Vec<f64>,
    /// The part of the calls that ran the body, over all rounds.
    pub(crate) computed: f64,
}

impl Measured {
    /// What these rounds took. At least one.
    pub(crate) fn new(name: &'static str, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Self { name, rounds, computed: 0.0 }
    }

    /// The same, of which this part ran the body.
    pub(crate) fn computing(self, computed: f64) -> Self {
        Self { computed, ..self }
    }

    /// The median round.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    /// The distance between the quartiles, in per cent of the median: how noisy the machine was.
    pub(crate) fn spread(&self) -> f64 {
        (self.quantile(3, 4) - self.quantile(1, 4)) / self.median() * 100.0
    }

    /// The fastest round.
    pub(crate) fn fastest(&self) -> f64 {
        self.quantile(0, 1)
    }

    fn quantile(&self, part: usize, of: usize) -> f64 {
        self.rounds[(self.rounds.len() - 1) * part / of]
    }
}
