//! Random numbers for scenarios: the same seed gives the same numbers on every machine, in any order and on any number of threads.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011): a block of four
//! 32-bit words is a function of a 64-bit key (the seed) and a 128-bit counter. The counter is here (block, purpose, series, run),
//! so that each run of each series has numbers of its own, whoever computes it first; and two scenarios with the same seed meet the
//! same chance, which makes their difference that of the scenarios.
//!
//! A uniform number takes two words: the upper 53 bits, plus a half, over 2⁵³; it is never 0 or 1. It never asks the system for
//! randomness, and is not for secrets.

use crate::distribution::{normal, poisson};

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    words: [u32; 4],
    used: usize,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Ten rounds.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let product = |i: usize, word: u32| {
            let wide = u64::from(MULTIPLIERS[i]) * u64::from(word);
            // Upper and lower half.
            #[allow(clippy::cast_possible_truncation)]
            let halves = ((wide >> 32) as u32, wide as u32);
            halves
        };
        let ((high0, low0), (high1, low1)) = (product(0, counter[0]), product(1, counter[2]));
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
    }
    counter
}

impl Stream {
    /// The stream of a run of a series for a purpose.
    pub fn new(seed: u64, purpose: u32, series: u32, run: u32) -> Self {
        // Upper and lower half.
        #[allow(clippy::cast_possible_truncation)]
        let key = [seed as u32, (seed >> 32) as u32];
        Self { key, counter: [0, purpose, series, run], words: [0; 4], used: 4 }
    }

    fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.words = philox(self.counter, self.key);
            // A stream of 2³² blocks is never used up by a scenario; it would begin again.
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }

    /// Evenly between 0 and 1, both excluded.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (u64::from(self.word()), u64::from(self.word()));
        // 53 bits are exact in a float.
        let bits = ((high << 32) | low) >> 11;
        (bits as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal, by inversion.
    pub fn normal(&mut self) -> f64 {
        normal::quantile(self.uniform())
    }

    /// Gamma with the shape given and scale 1. Marsaglia & Tsang, ACM Trans Math Softw 2000;26:363–72.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
            if v > 0.0 && libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Poisson. Small means by inversion from 0; large ones by transformed rejection (Hörmann, Insurance Math Econ 1993;12:39–45: PTRS).
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean < 10.0 {
            return self.by_inversion(libm::exp(-mean), |n| mean / n, f64::INFINITY);
        }
        let root = mean.sqrt();
        let b = 0.931 + 2.53 * root;
        let a = -0.059 + 0.024_83 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let vr = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= vr {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if libm::log(v * inverse_alpha / (a / (us * us) + b)) <= libm::log(poisson::probability(mean, k))
            {
                return k;
            }
        }
    }

    /// Negative binomial with mean μ and variance φμ; Poisson where φ is 1 or less.
    pub fn negative_binomial(&mut self, mean: f64, dispersion: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if dispersion <= 1.0 {
            return self.poisson(mean);
        }
        let over = dispersion - 1.0;
        let rate = self.gamma(mean / over) * over;
        self.poisson(rate)
    }

    /// Binomial: of `trials`, each with probability `p`. Few expected by inversion; many by transformed rejection (Hörmann, J Stat Comput Simul
    /// 1993;46:101–10: BTRS).
    pub fn binomial(&mut self, trials: f64, p: f64) -> f64 {
        if trials <= 0.0 || p <= 0.0 {
            return 0.0;
        }
        if p >= 1.0 {
            return trials;
        }
        if p > 0.5 {
            return trials - self.binomial(trials, 1.0 - p);
        }
        let odds = p / (1.0 - p);
        if trials * p < 10.0 {
            let none = libm::exp(trials * libm::log1p(-p));
            return self.by_inversion(none, |n| (trials + 1.0 - n) / n * odds, trials);
        }
        let deviation = (trials * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * deviation;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = trials * p + 0.5;
        let alpha = (2.83 + 5.1 / b) * deviation;
        let vr = 0.92 - 4.2 / b;
        let mode = ((trials + 1.0) * p).floor();
        let log_odds = libm::log(odds);
        let at_mode = libm::lgamma(mode + 1.0) + libm::lgamma(trials - mode + 1.0);
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if k < 0.0 || k > trials {
                continue;
            }
            if us >= 0.07 && v <= vr {
                return k;
            }
            let bound =
                at_mode - libm::lgamma(k + 1.0) - libm::lgamma(trials - k + 1.0) + (k - mode) * log_odds;
            if libm::log(v * alpha / (a / (us * us) + b)) <= bound {
                return k;
            }
        }
    }

    /// The number at which the sum of probabilities passes one uniform number. `ratio(n)` is P(n)/P(n − 1).
    fn by_inversion(&mut self, none: f64, ratio: impl Fn(f64) -> f64, most: f64) -> f64 {
        let mut left = self.uniform();
        let (mut probability, mut n) = (none, 0.0);
        while left > probability && n < most && n < 1000.0 {
            left -= probability;
            n += 1.0;
            probability *= ratio(n);
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::negative_binomial::NegativeBinomial;

    /// Known answers of Random123, `kat_vectors`, philox4x32 with 10 rounds.
    #[test]
    fn known_answers() {
        let ones = u32::MAX;
        for (counter, key, wanted) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox(counter, key), wanted);
        }
    }

    /// Observed frequencies against a law: χ² over cells that expect at least 20.
    fn fits(draws: &[f64], probability: impl Fn(f64) -> f64) {
        let n = draws.len() as f64;
        let most = draws.iter().copied().fold(0.0, f64::max) as usize;
        let mut counts = vec![0.0; most + 1];
        for draw in draws {
            assert!(*draw >= 0.0 && draw.fract() == 0.0);
            counts[*draw as usize] += 1.0;
        }
        let (mut chi, mut cells, mut seen, mut expected) = (0.0_f64, 0.0_f64, 0.0, 0.0);
        for (k, count) in counts.iter().enumerate() {
            seen += count;
            expected += n * probability(k as f64);
            if expected >= 20.0 {
                chi += (seen - expected) * (seen - expected) / expected;
                cells += 1.0;
                (seen, expected) = (0.0, 0.0);
            }
        }
        // Mean `cells`, variance twice that: five standard deviations.
        assert!(chi < cells + 5.0 * (2.0 * cells).sqrt(), "chi² {chi} in {cells} cells");
        assert!(cells > 2.0);
    }

    #[test]
    fn draws_follow_their_laws() {
        const N: usize = 40_000;
        let mut stream = Stream::new(2020, 1, 0, 0);
        for mean in [0.3, 4.0, 9.9, 10.0, 55.0, 1300.0] {
            let draws: Vec<f64> = (0..N).map(|_| stream.poisson(mean)).collect();
            fits(&draws, |k| poisson::probability(mean, k));
        }
        for (mean, dispersion) in [(3.0, 1.5), (40.0, 8.0)] {
            let draws: Vec<f64> = (0..N).map(|_| stream.negative_binomial(mean, dispersion)).collect();
            let law = NegativeBinomial { mean, size: mean / (dispersion - 1.0) };
            fits(&draws, |k| libm::exp(law.log_probability(k)));
        }
        for (trials, p) in [(5.0, 0.3), (40.0, 0.2), (100.0, 0.1), (1000.0, 0.4), (60.0, 0.9), (1e7, 2e-5)] {
            let draws: Vec<f64> = (0..N).map(|_| stream.binomial(trials, p)).collect();
            let log = |k: f64| {
                libm::lgamma(trials + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(trials - k + 1.0)
                    + k * libm::log(p)
                    + (trials - k) * libm::log1p(-p)
            };
            fits(&draws, |k| libm::exp(log(k)));
        }
        let gamma: Vec<f64> = (0..N).map(|_| stream.gamma(0.4)).collect();
        let mean = gamma.iter().sum::<f64>() / N as f64;
        assert!((mean - 0.4).abs() < 5.0 * (0.4 / N as f64).sqrt());
    }

    #[test]
    fn streams_are_their_own_and_begin_again_alike() {
        let take = |seed, purpose, series, run| {
            let mut stream = Stream::new(seed, purpose, series, run);
            [stream.uniform(), stream.uniform(), stream.uniform()].map(f64::to_bits)
        };
        assert_eq!(take(7, 1, 2, 3), take(7, 1, 2, 3));
        let all = [
            take(7, 1, 2, 3),
            take(8, 1, 2, 3),
            take(7, 2, 2, 3),
            take(7, 1, 3, 3),
            take(7, 1, 2, 4),
            take(7 << 32, 1, 2, 3),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| one[0] != other[0]));
        }
    }

    /// The same bytes everywhere: what another machine must give too.
    #[test]
    fn numbers_are_pinned() {
        let mut stream = Stream::new(1, 2, 3, 4);
        let drawn = [
            stream.uniform(),
            stream.normal(),
            stream.gamma(2.5),
            stream.poisson(3.0),
            stream.poisson(300.0),
            stream.negative_binomial(20.0, 3.0),
            stream.binomial(1e6, 0.01),
        ];
        assert_eq!(drawn.map(f64::to_bits), PINNED, "{drawn:?}");
    }

    #[rustfmt::skip]
    const PINNED: [u64; 7] = [
        4590178647876477468, 4598298753331090741, 4609480953993338213, 4616189618054758400, 4644002864190980096,
        4625478292286210048, 4666836971920818176,
    ];
}
