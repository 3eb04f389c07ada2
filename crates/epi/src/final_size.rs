//! Final size: which share of each group is infected in an epidemic that nobody stops.
//!
//! zᵢ = 1 − exp(−R₀ σᵢ Σⱼ mᵢⱼ sⱼ zⱼ / ρ), where zᵢ is the share of those susceptible in group i who are infected, mᵢⱼ how many people of group j
//! one person of group i meets (per day, in any unit), sⱼ the share of group j that is susceptible at the start, σᵢ how susceptible
//! those of group i are beside others, and ρ the largest eigenvalue of m: R₀ is that of a wholly susceptible population with σ = 1. One group: z = 1 − exp(−R₀ z).
//!
//! Assumes: no measures, no births, infection leaves immunity, groups mix as m says until the end. Source: Andreasen, Bull Math Biol 2011;73:2305–21. Unlike `finalsize` nothing is normalised before; the
//! matrix is that of meetings as surveys give them.
//!
//! Newton's method from z = 1. The left side less the right one is convex, so every step stays above the largest solution and none
//! can end at the trivial one; where σ and s keep R at 1 or below, the answer is 0.

/// Groups of people and whom they meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// People in each group.
    pub sizes: Vec<f64>,
    /// Row i: how many people of each group one person of group i meets.
    pub contacts: Vec<Vec<f64>>,
    /// Share of each group that is susceptible at the start, 0 to 1.
    pub susceptible: Vec<f64>,
    /// How easily a susceptible person of each group is infected, beside 1.
    pub susceptibility: Vec<f64>,
}

/// How an epidemic ends.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalSize {
    /// Share of each whole group that is infected.
    pub shares: Vec<f64>,
    /// Share of everybody.
    pub overall: f64,
    /// People infected.
    pub infected: f64,
    /// The reproduction number at the start, with the immunity there is.
    pub effective: f64,
    /// Share of everybody that must be immune, evenly in all groups and in addition to those who are, for the epidemic not to grow.
    pub threshold: f64,
}

/// The most groups.
pub const MAX_GROUPS: usize = 100;
/// The largest R₀ that is looked at: ten times that of measles is a mistyped number.
pub const MAX_R0: f64 = 200.0;

/// Why a final size cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FinalSizeError {
    /// No or too many groups.
    #[error("{found} groups; it must be 1 to {MAX_GROUPS}")]
    Groups {
        /// How many.
        found: usize,
    },
    /// A row or column is missing.
    #[error("{what} has {found} entries for {groups} groups")]
    Shape {
        /// What: `contacts`, `susceptible`, `susceptibility`.
        what: &'static str,
        /// Its length.
        found: usize,
        /// How many groups there are.
        groups: usize,
    },
    /// A number that cannot be.
    #[error("{found} as {what} of group {group}; it must be {wanted}")]
    Number {
        /// What: `population`, `contacts`, `susceptible`, `susceptibility`.
        what: &'static str,
        /// Of which group, from 1.
        group: usize,
        /// What was given.
        found: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// Nobody meets anybody.
    #[error("nobody meets anybody: the contacts have no number above 0")]
    NoContacts,
    /// R₀ out of range.
    #[error("R0 is {found}; it must be above 0 and at most {MAX_R0}")]
    R0 {
        /// What was given.
        found: f64,
    },
}

impl FinalSizeError {
    /// Machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Groups { .. } => "epi-groups",
            Self::Shape { .. } => "epi-groups-shape",
            Self::Number { .. } => "epi-groups-number",
            Self::NoContacts => "epi-no-contacts",
            Self::R0 { .. } => "epi-r0",
        }
    }

    /// Named arguments, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Groups { found } => vec![("found", found.to_string()), ("most", MAX_GROUPS.to_string())],
            Self::Shape { what, found, groups } => {
                vec![
                    ("what", (*what).to_owned()),
                    ("found", found.to_string()),
                    ("groups", groups.to_string()),
                ]
            }
            Self::Number { what, group, found, wanted } => vec![
                ("what", (*what).to_owned()),
                ("group", group.to_string()),
                ("found", found.to_string()),
                ("wanted", (*wanted).to_owned()),
            ],
            Self::NoContacts => Vec::new(),
            Self::R0 { found } => vec![("found", found.to_string()), ("most", MAX_R0.to_string())],
        }
    }
}

impl Population {
    /// One group in which everybody meets everybody, all susceptible.
    pub fn mixed(size: f64) -> Self {
        Self {
            sizes: vec![size],
            contacts: vec![vec![1.0]],
            susceptible: vec![1.0],
            susceptibility: vec![1.0],
        }
    }

    /// How far meetings are from being mutual: the largest |nᵢmᵢⱼ − nⱼmⱼᵢ| beside the larger of both. Surveys give 0.1 to 0.5.
    pub fn unmutual(&self) -> f64 {
        let mut most: f64 = 0.0;
        for (i, row) in self.contacts.iter().enumerate() {
            for (j, contacts) in row.iter().enumerate().skip(i + 1) {
                let (here, there) = (self.sizes[i] * contacts, self.sizes[j] * self.contacts[j][i]);
                if here.max(there) > 0.0 {
                    most = most.max((here - there).abs() / here.max(there));
                }
            }
        }
        most
    }

    fn check(&self) -> Result<(), FinalSizeError> {
        let groups = self.sizes.len();
        if groups == 0 || groups > MAX_GROUPS {
            return Err(FinalSizeError::Groups { found: groups });
        }
        let shape = |what, found| {
            if found == groups { Ok(()) } else { Err(FinalSizeError::Shape { what, found, groups }) }
        };
        shape("contacts", self.contacts.len())?;
        self.contacts.iter().try_for_each(|row| shape("contacts", row.len()))?;
        shape("susceptible", self.susceptible.len())?;
        shape("susceptibility", self.susceptibility.len())?;
        let numbers = |what, all: &[f64], wanted, fine: fn(f64) -> bool| {
            all.iter().enumerate().try_for_each(|(i, found)| {
                let refused = FinalSizeError::Number { what, group: i + 1, found: *found, wanted };
                if found.is_finite() && fine(*found) { Ok(()) } else { Err(refused) }
            })
        };
        numbers("population", &self.sizes, "above 0", |x| x > 0.0)?;
        numbers("susceptible", &self.susceptible, "0 to 1", |x| (0.0..=1.0).contains(&x))?;
        numbers("susceptibility", &self.susceptibility, "at least 0", |x| x >= 0.0)?;
        for (i, row) in self.contacts.iter().enumerate() {
            if let Some(found) = row.iter().find(|x| !(x.is_finite() && **x >= 0.0)) {
                let wanted = "at least 0";
                return Err(FinalSizeError::Number { what: "contacts", group: i + 1, found: *found, wanted });
            }
        }
        Ok(())
    }

    /// How the epidemic ends at this R₀.
    pub fn final_size(&self, r0: f64) -> Result<FinalSize, FinalSizeError> {
        self.check()?;
        if !(r0 > 0.0 && r0 <= MAX_R0) {
            return Err(FinalSizeError::R0 { found: r0 });
        }
        let scale = r0
            / Some(largest_eigenvalue(&self.contacts))
                .filter(|x| *x > 0.0)
                .ok_or(FinalSizeError::NoContacts)?;
        let force: Vec<Vec<f64>> = self
            .contacts
            .iter()
            .zip(&self.susceptibility)
            .map(|(row, sigma)| {
                row.iter().zip(&self.susceptible).map(|(m, s)| scale * sigma * m * s).collect()
            })
            .collect();
        let effective = largest_eigenvalue(&force);
        let infected = if effective > 1.0 { largest_solution(&force) } else { vec![0.0; self.sizes.len()] };
        let shares: Vec<f64> = infected.iter().zip(&self.susceptible).map(|(z, s)| z * s).collect();
        let count: f64 = shares.iter().zip(&self.sizes).map(|(share, size)| share * size).sum();
        let overall = count / self.sizes.iter().sum::<f64>();
        let threshold = (1.0 - 1.0 / effective).max(0.0);
        Ok(FinalSize { shares, overall, infected: count, effective, threshold })
    }
}

/// The largest eigenvalue of a matrix without negative entries, by powers of the matrix plus a multiple of the identity, which lets
/// none of them alternate.
fn largest_eigenvalue(matrix: &[Vec<f64>]) -> f64 {
    let row_sum = |row: &Vec<f64>| row.iter().sum::<f64>();
    let shift = matrix.iter().map(row_sum).fold(0.0, f64::max);
    if shift <= 0.0 {
        return 0.0;
    }
    let mut vector = vec![1.0; matrix.len()];
    let mut value = 0.0;
    for _ in 0..100_000 {
        let product = times(matrix, &vector);
        let next: Vec<f64> = product.iter().zip(&vector).map(|(p, v)| p + shift * v).collect();
        let size = next.iter().copied().fold(0.0, f64::max);
        vector = next.into_iter().map(|x| x / size).collect();
        let found = size - shift;
        if (found - value).abs() <= 1e-16 * size {
            value = found;
            break;
        }
        value = found;
    }
    value
}

fn times(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| row.iter().zip(vector).map(|(m, v)| m * v).sum()).collect()
}

/// The largest z with zᵢ = 1 − exp(−Σⱼ aᵢⱼ zⱼ).
fn largest_solution(force: &[Vec<f64>]) -> Vec<f64> {
    let mut z = vec![1.0; force.len()];
    for _ in 0..200 {
        let escape: Vec<f64> = times(force, &z).iter().map(|x| libm::exp(-x)).collect();
        let above: Vec<f64> = z.iter().zip(&escape).map(|(z, e)| z - 1.0 + e).collect();
        let jacobian = force
            .iter()
            .zip(&escape)
            .enumerate()
            .map(|(i, (row, e))| {
                row.iter().enumerate().map(|(j, a)| f64::from(u8::from(i == j)) - e * a).collect()
            })
            .collect();
        let Some(step) = solve(jacobian, above) else { break };
        let next: Vec<f64> = z.iter().zip(&step).map(|(z, step)| (z - step).clamp(0.0, 1.0)).collect();
        let moved = z.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        z = next;
        if moved < 1e-15 {
            break;
        }
    }
    z
}

/// Solves a x = b by elimination with row pivots; `None` if a is singular.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs()))?;
        a.swap(column, pivot);
        b.swap(column, pivot);
        if a[column][column].abs() < 1e-300 {
            return None;
        }
        for row in column + 1..n {
            let factor = a[row][column] / a[column][column];
            let (above, below) = a.split_at_mut(row);
            for (x, of_pivot) in below[0].iter_mut().zip(&above[column]).skip(column) {
                *x -= factor * of_pivot;
            }
            b[row] -= factor * b[column];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| a[row][k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_group_at_known_r0() {
        for (r0, wanted) in [
            (1.1, 0.176_134_1),
            (1.3, 0.422_970_0),
            (1.5, 0.582_811_6),
            (2.0, 0.796_812_1),
            (2.5, 0.892_644_8),
            (3.0, 0.940_479_8),
            (4.0, 0.980_172_6),
        ] {
            let found = Population::mixed(1e6).final_size(r0).unwrap();
            assert!((found.overall - wanted).abs() < 6e-8, "{r0} {found:?}");
            assert!((found.effective - r0).abs() < 1e-12);
        }
        let none = Population::mixed(1e6).final_size(0.9).unwrap();
        assert_eq!((none.overall.to_bits(), none.threshold.to_bits()), (0, 0));
    }

    /// POLYMOD, United Kingdom (Mossong et al. 2008, doi 10.1371/journal.pmed.0050074), ages 0–19, 20–39, 40 and more, made mutual; meetings per person in
    /// units of the largest eigenvalue. `finalsize` gives the same shares.
    #[test]
    fn three_ages_in_the_united_kingdom() {
        let sizes = vec![14_799_290.0, 16_526_302.0, 28_961_159.0];
        let rates = [
            [4.514_574_680_295_31e-8, 1.600_070_634_969_721_6e-8, 8.965_769_907_397_096e-9],
            [1.600_070_634_969_721_6e-8, 2.489_595_394_003_417_5e-8, 1.346_050_691_257_933e-8],
            [8.965_769_907_397_096e-9, 1.346_050_691_257_933e-8, 1.464_762_932_284_38e-8],
        ];
        let contacts =
            rates.iter().map(|row| row.iter().zip(&sizes).map(|(rate, n)| rate * n).collect()).collect();
        let ages = Population { sizes, contacts, susceptible: vec![1.0; 3], susceptibility: vec![1.0; 3] };
        let found = ages.final_size(1.5).unwrap();
        for (found, wanted) in found.shares.iter().zip([0.654_486_6, 0.575_003_0, 0.458_887_1]) {
            assert!((found - wanted).abs() < 6e-8, "{found} {wanted}");
        }
        assert!(ages.unmutual() < 1e-12);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |population: Population| population.final_size(2.0).unwrap_err();
        let mixed = Population::mixed(1000.0);
        assert_eq!(refused(Population { sizes: vec![], ..mixed.clone() }).code(), "epi-groups");
        assert_eq!(refused(Population { susceptible: vec![], ..mixed.clone() }).code(), "epi-groups-shape");
        assert_eq!(
            refused(Population { susceptible: vec![1.5], ..mixed.clone() }).code(),
            "epi-groups-number"
        );
        assert_eq!(
            refused(Population { contacts: vec![vec![f64::NAN]], ..mixed.clone() }).code(),
            "epi-groups-number"
        );
        assert_eq!(
            refused(Population { contacts: vec![vec![0.0]], ..mixed.clone() }).code(),
            "epi-no-contacts"
        );
        assert_eq!(mixed.final_size(f64::INFINITY).unwrap_err().code(), "epi-r0");
    }

    fn populations() -> impl Strategy<Value = Population> {
        (1_usize..6).prop_flat_map(|n| {
            let row = prop::collection::vec(0.05..10.0_f64, n);
            (
                prop::collection::vec(100.0..1e7_f64, n),
                prop::collection::vec(row, n),
                prop::collection::vec(0.1..1.0_f64, n),
                prop::collection::vec(0.2..2.0_f64, n),
            )
                .prop_map(|(sizes, contacts, susceptible, susceptibility)| Population {
                    sizes,
                    contacts,
                    susceptible,
                    susceptibility,
                })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The equation itself, and the largest solution, found slowly from above.
        #[test]
        fn solves_the_equation(population in populations(), r0 in 0.5..6.0_f64) {
            let found = population.final_size(r0).unwrap();
            let rho = largest_eigenvalue(&population.contacts);
            let mut z = vec![1.0; population.sizes.len()];
            for _ in 0..4000 {
                z = (0..z.len()).map(|i| {
                    let force: f64 = (0..z.len()).map(|j| population.contacts[i][j] * population.susceptible[j] * z[j]).sum();
                    1.0 - libm::exp(-r0 / rho * population.susceptibility[i] * force)
                }).collect();
            }
            // At the threshold the slow way never arrives.
            prop_assume!((found.effective - 1.0).abs() > 3e-2);
            for (i, share) in found.shares.iter().enumerate() {
                let slow = z[i] * population.susceptible[i];
                prop_assert!((share - slow).abs() < 1e-9, "{share} {slow} {}", found.effective);
            }
        }

        #[test]
        fn grows_with_r0_and_knows_no_unit(population in populations(), r0 in 0.5..6.0_f64, factor in 0.01..100.0_f64) {
            let one = population.final_size(r0).unwrap();
            prop_assert!(population.final_size(r0 * 1.1).unwrap().overall >= one.overall);
            let mut other = population.clone();
            other.contacts.iter_mut().flatten().for_each(|m| *m *= factor);
            other.sizes.iter_mut().for_each(|n| *n *= factor);
            let other = other.final_size(r0).unwrap();
            prop_assert!((one.overall - other.overall).abs() < 1e-9);
        }
    }
}
