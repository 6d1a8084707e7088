//! Numbers by Zipf's law: the `n`th is drawn in proportion to `1 / n^skew`.

use fastrand::Rng;

/// A distribution.
pub(crate) struct Zipf {
    /// The part of the draws that fall on a number or one before it.
    below: Vec<f64>,
}

impl Zipf {
    pub(crate) fn new(numbers: usize, skew: f64) -> Self {
        let mut sum = 0.0;
        let mut below: Vec<f64> = (1..=numbers)
            .map(|number| {
                sum += (number as f64).powf(-skew);
                sum
            })
            .collect();
        for part in &mut below {
            *part /= sum;
        }
        Self { below }
    }

    /// From 0, which is the most frequent.
    pub(crate) fn draw(&self, random: &mut Rng) -> usize {
        let part = random.f64();
        self.below.partition_point(|below| *below <= part).min(self.below.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_drawn_as_often_as_the_law_says() {
        let (zipf, mut random) = (Zipf::new(3, 1.0), Rng::with_seed(1));
        let mut drawn = [0_u32; 3];
        (0..110_000).for_each(|_| drawn[zipf.draw(&mut random)] += 1);
        for (number, expected) in [60_000, 30_000, 20_000].into_iter().enumerate() {
            assert!(drawn[number].abs_diff(expected) < 1_000, "{drawn:?}");
        }
    }
}
