//! The normal distribution.

/// Φ(z): the probability of a value up to z.
pub fn cumulative(z: f64) -> f64 {
    0.5 * libm::erfc(-z * core::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹(p), for 0 < p < 1; infinite at 0 and 1, not a number elsewhere.
///
/// Source: M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988), PPND16: about 16 digits.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &MIDDLE.0, &MIDDLE.1);
    }
    let r = (-libm::log(p.min(1.0 - p))).sqrt();
    let z = if r <= 5.0 { ratio(r - 1.6, &OUTER.0, &OUTER.1) } else { ratio(r - 5.0, &FAR.0, &FAR.1) };
    if q < 0.0 { -z } else { z }
}

fn ratio(r: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |value, c| value * r + c);
    polynomial(above) / polynomial(below)
}

#[rustfmt::skip]
const MIDDLE: ([f64; 8], [f64; 8]) = (
    [3.387_132_872_796_366_5, 1.331_416_678_917_843_8e2, 1.971_590_950_306_551_3e3, 1.373_169_376_550_946e4,
     4.592_195_393_154_987e4, 6.726_577_092_700_87e4, 3.343_057_558_358_813e4, 2.509_080_928_730_122_7e3],
    [1.0, 4.231_333_070_160_091e1, 6.871_870_074_920_579e2, 5.394_196_021_424_751e3,
     2.121_379_430_158_659_7e4, 3.930_789_580_009_271e4, 2.872_908_573_572_194_3e4, 5.226_495_278_852_854e3],
);
#[rustfmt::skip]
const OUTER: ([f64; 8], [f64; 8]) = (
    [1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
     1.270_458_252_452_368_4, 2.417_807_251_774_506e-1, 2.272_384_498_926_918_4e-2, 7.745_450_142_783_414e-4],
    [1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 6.897_673_349_851e-1,
     1.481_039_764_274_800_8e-1, 1.519_866_656_361_645_7e-2, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9],
);
#[rustfmt::skip]
const FAR: ([f64; 8], [f64; 8]) = (
    [6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 2.965_605_718_285_048_7e-1,
     2.653_218_952_657_612_4e-2, 1.242_660_947_388_078_4e-3, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288_1e-7],
    [1.0, 5.998_322_065_558_879e-1, 1.369_298_809_227_358e-1, 1.487_536_129_085_061_5e-2,
     7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_8e-15],
);

#[cfg(test)]
mod tests {
    /// R 4.2.2: `format(qnorm(c(...)), digits = 17)`.
    #[test]
    fn quantiles_are_those_of_r() {
        for (p, z) in [
            (0.975, 1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_813),
            (0.3, -0.524_400_512_708_040_9),
            (1e-10, -6.361_340_902_404_056),
            (1e-100, -21.273_453_560_965_32),
        ] {
            let ours = super::quantile(p);
            assert!((ours / z - 1.0).abs() < 1e-14, "{p}: {ours} {z}");
        }
        assert!(super::quantile(1.5).is_nan());
    }

    #[test]
    fn quantile_and_probability_undo_each_other() {
        for n in 1..1000 {
            let p = f64::from(n) / 1000.0;
            assert!((super::cumulative(super::quantile(p)) - p).abs() < 1e-15);
        }
    }
}
