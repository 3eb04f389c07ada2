//! How an epidemic travels: places with people who are susceptible, latent, infectious or recovered, and travellers between them. Many
//! runs, with and without a restriction, under the same chance.
//!
//! Each day and place: S→L binomial with 1 − exp(−βI/N), L→I with 1 − exp(−1/latent days), I→R with γ = 1 − exp(−1/infectious days), and β = Rγ, so that
//! one infectious person infects R others among the susceptible. Of L and I travel binomially as many as travellers per day
//! and person say, to places in proportion; a restriction lowers their number, detection keeps infectious ones at home. Travellers come and go in
//! equal numbers, so that places keep their size; only infection moves.
//!
//! Assumes: everybody in a place meets everybody, travellers are a random sample, R of a place does not change unless told. As in GLEAM
//! (Balcan et al., J Comput Sci 2010;1:132–45), without its commuting and real flights: **flows are the user's, or gravity's; gravity's
//! are illustrative**, and results say so. Units: people, days.
//!
//! Random numbers are keyed by run, place and day ([`crate::random`]): neither threads nor a restriction elsewhere shift them.

use crate::across;
use crate::importation::{ImportationError, within};
use crate::random::Stream;

/// A place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// People, a whole number.
    pub population: f64,
    /// Infectious on the day before the first.
    pub infectious: f64,
    /// R here.
    pub r: f64,
}

/// Travellers per day from one place to another, by index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// From.
    pub from: usize,
    /// To.
    pub to: usize,
    /// Travellers per day.
    pub travellers: f64,
}

/// Where flows come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Travel {
    /// All flows.
    pub flows: Vec<Flow>,
    /// Whether they are only a model's.
    pub illustrative: bool,
}

/// Fewer travellers.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// From this day on; the first is 1.
    pub day: usize,
    /// Share of travellers left out.
    pub share: f64,
    /// From and to this place; all flows if not given.
    pub place: Option<usize>,
}

/// Everything that a run needs.
#[derive(Debug, Clone)]
pub struct Metapopulation {
    /// Places.
    pub places: Vec<Place>,
    /// Flows between them.
    pub travel: Travel,
    /// Mean days from infection until infectious.
    pub latent_days: f64,
    /// Mean days infectious.
    pub infectious_days: f64,
    /// Share of infectious travellers who are found before they leave.
    pub detected: f64,
    /// Fewer travellers.
    pub restriction: Option<Restriction>,
    /// So many days.
    pub days: usize,
    /// So many runs.
    pub runs: u32,
    /// The seed.
    pub seed: u64,
}

/// What happened to a place in one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Day of the first infected arrival.
    pub arrived: Option<usize>,
    /// Infected arrivals.
    pub arrivals: f64,
    /// Infected in the place, in all.
    pub infected: f64,
    /// Day on which at least 100 had been infected in the place.
    pub hundred: Option<usize>,
}

/// So many infections in a place are an outbreak.
pub const OUTBREAK: f64 = 100.0;
/// The most places.
pub const MAX_PLACES: usize = 1000;

/// Flows by gravity: `per_person` trips per person and day in all, between two places in proportion to both populations and to the
/// great-circle distance, at least 50 km, to the power −`exponent`. Positions are latitude and longitude in degrees. Illustrative.
pub fn gravity(populations: &[f64], positions: &[(f64, f64)], per_person: f64, exponent: f64) -> Travel {
    let mut flows = Vec::new();
    for (from, (n, here)) in populations.iter().zip(positions).enumerate() {
        for (to, (m, there)) in populations.iter().zip(positions).enumerate() {
            if from != to {
                let distance = kilometres(*here, *there).max(50.0);
                flows.push(Flow { from, to, travellers: n * m / libm::pow(distance, exponent) });
            }
        }
    }
    let sum: f64 = flows.iter().map(|flow| flow.travellers).sum();
    let scale = if sum > 0.0 { per_person * populations.iter().sum::<f64>() / sum } else { 0.0 };
    for flow in &mut flows {
        flow.travellers *= scale;
    }
    Travel { flows, illustrative: true }
}

/// Haversine on a sphere of 6371 km.
fn kilometres(one: (f64, f64), other: (f64, f64)) -> f64 {
    let radians = |degrees: f64| degrees * std::f64::consts::PI / 180.0;
    let half_sine = |angle: f64| {
        let sine = libm::sin(angle / 2.0);
        sine * sine
    };
    let (lat1, lat2) = (radians(one.0), radians(other.0));
    let h = half_sine(lat2 - lat1) + libm::cos(lat1) * libm::cos(lat2) * half_sine(radians(other.1 - one.1));
    2.0 * 6371.0 * libm::asin(h.sqrt().min(1.0))
}

/// Where travellers of a place go.
struct Departures {
    /// Trips per person and day.
    rate: f64,
    /// Destinations and the running share of all who leave.
    to: Vec<(usize, f64)>,
}

/// People who carry the infection.
#[derive(Clone, Copy, Default)]
struct State {
    susceptible: f64,
    latent: f64,
    infectious: f64,
}

impl Metapopulation {
    fn check(&self) -> Result<(), ImportationError> {
        let places = self.places.len();
        within("the number of places", places as f64, "1 to 1000", |n| {
            (1.0..=MAX_PLACES as f64).contains(&n)
        })?;
        within("days", self.days as f64, "1 to 3650", |n| (1.0..=3650.0).contains(&n))?;
        within("runs", f64::from(self.runs), "1 to 100000", |n| (1.0..=100_000.0).contains(&n))?;
        within("latent days", self.latent_days, "above 0", |n| n > 0.0)?;
        within("infectious days", self.infectious_days, "above 0", |n| n > 0.0)?;
        within("detected", self.detected, "0 to 1", |n| (0.0..=1.0).contains(&n))?;
        for place in &self.places {
            within("population", place.population, "a whole number above 0", |n| {
                n >= 1.0 && n.fract() == 0.0
            })?;
            let most = place.population;
            within("infectious", place.infectious, "a whole number up to the population", |n| {
                (0.0..=most).contains(&n) && n.fract() == 0.0
            })?;
            within("R", place.r, "0 to 100", |r| (0.0..=100.0).contains(&r))?;
        }
        for flow in &self.travel.flows {
            within("travellers", flow.travellers, "at least 0", |n| n >= 0.0)?;
            let known = flow.from < places && flow.to < places;
            within("a flow's place", flow.from.max(flow.to) as f64, "one of the places", |_| known)?;
        }
        if let Some(restriction) = &self.restriction {
            within("restriction", restriction.share, "0 to 1", |n| (0.0..=1.0).contains(&n))?;
        }
        Ok(())
    }

    /// All runs; in each, the course of every place.
    pub fn run(&self) -> Result<Vec<Vec<Course>>, ImportationError> {
        self.check()?;
        let (open, restricted) = (self.departures(None), self.departures(self.restriction.as_ref()));
        let runs: Vec<u32> = (0..self.runs).collect();
        Ok(across::each(&runs, |run| self.one(*run, &open, &restricted)))
    }

    fn departures(&self, restriction: Option<&Restriction>) -> Vec<Departures> {
        let mut all: Vec<Departures> =
            self.places.iter().map(|_| Departures { rate: 0.0, to: Vec::new() }).collect();
        for flow in self.travel.flows.iter().filter(|flow| flow.from != flow.to) {
            let share = match restriction {
                Some(r) if r.place.is_none_or(|place| place == flow.from || place == flow.to) => {
                    1.0 - r.share
                }
                _ => 1.0,
            };
            let of = &mut all[flow.from];
            of.rate += flow.travellers * share;
            of.to.push((flow.to, of.rate));
        }
        for (of, place) in all.iter_mut().zip(&self.places) {
            for (_, share) in &mut of.to {
                *share /= of.rate;
            }
            // Nobody leaves more than once a day.
            of.rate = (of.rate / place.population).min(1.0);
        }
        all
    }

    fn one(&self, run: u32, open: &[Departures], restricted: &[Departures]) -> Vec<Course> {
        let course = Course { arrived: None, arrivals: 0.0, infected: 0.0, hundred: None };
        let mut courses = vec![course; self.places.len()];
        let start = |place: &Place| State {
            susceptible: place.population - place.infectious,
            latent: 0.0,
            infectious: place.infectious,
        };
        let mut states: Vec<State> = self.places.iter().map(start).collect();
        let becomes = -libm::expm1(-1.0 / self.latent_days);
        let recovers = -libm::expm1(-1.0 / self.infectious_days);
        let mut coming = vec![State::default(); self.places.len()];
        for day in 1..=self.days {
            let limited = self.restriction.as_ref().is_some_and(|r| day >= r.day);
            let departures = if limited { restricted } else { open };
            for (i, place) in self.places.iter().enumerate() {
                let state = &mut states[i];
                if state.latent + state.infectious <= 0.0 {
                    continue;
                }
                // Days and places are few.
                #[allow(clippy::cast_possible_truncation)]
                let mut stream = Stream::new(self.seed, day as u32, i as u32, run);
                let force = place.r * recovers * state.infectious / place.population;
                let infected = stream.binomial(state.susceptible, -libm::expm1(-force));
                let ripe = stream.binomial(state.latent, becomes);
                let over = stream.binomial(state.infectious, recovers);
                state.susceptible -= infected;
                state.latent += infected - ripe;
                state.infectious += ripe - over;
                courses[i].infected += infected;
                if courses[i].hundred.is_none() && courses[i].infected >= OUTBREAK {
                    courses[i].hundred = Some(day);
                }
                let of = &departures[i];
                let latent = stream.binomial(state.latent, of.rate);
                let infectious = stream.binomial(state.infectious, of.rate * (1.0 - self.detected));
                state.latent -= latent;
                state.infectious -= infectious;
                spread(of, latent, &mut stream, |to| coming[to].latent += 1.0);
                spread(of, infectious, &mut stream, |to| coming[to].infectious += 1.0);
            }
            for ((state, came), course) in states.iter_mut().zip(&mut coming).zip(&mut courses) {
                let infected = came.latent + came.infectious;
                if infected > 0.0 {
                    state.latent += came.latent;
                    state.infectious += came.infectious;
                    course.arrivals += infected;
                    course.arrived = course.arrived.or(Some(day));
                    *came = State::default();
                }
            }
        }
        courses
    }
}

/// Sends travellers to destinations, each by a number of its own.
fn spread(of: &Departures, travellers: f64, stream: &mut Stream, mut send: impl FnMut(usize)) {
    let mut left = travellers;
    while left > 0.0 {
        let u = stream.uniform();
        let at = of.to.partition_point(|(_, share)| *share < u).min(of.to.len() - 1);
        send(of.to[at].0);
        left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importation::{Growth, delay_bought};
    use proptest::prelude::*;

    fn place(name: &str, population: f64, infectious: f64) -> Place {
        Place { name: name.to_owned(), population, infectious, r: 2.4 }
    }

    /// Latent and infectious for 3.75 days each: a generation of 7.5 days and R 2.4, as Chinazzi et al. 2020 found for Wuhan.
    fn two_places() -> Metapopulation {
        let flows =
            vec![Flow { from: 0, to: 1, travellers: 100.0 }, Flow { from: 1, to: 0, travellers: 100.0 }];
        Metapopulation {
            places: vec![place("origin", 1e7, 200.0), place("destination", 1e6, 0.0)],
            travel: Travel { flows, illustrative: false },
            latent_days: 3.75,
            infectious_days: 3.75,
            detected: 0.0,
            restriction: None,
            days: 120,
            runs: 300,
            seed: 11,
        }
    }

    fn mean_arrival(of: &Metapopulation) -> f64 {
        let courses = of.run().unwrap();
        let days: Vec<f64> = courses.iter().filter_map(|run| run[1].arrived).map(|day| day as f64).collect();
        assert!(days.len() > 290, "nearly every run reaches the destination");
        days.iter().sum::<f64>() / days.len() as f64
    }

    /// r of the discrete process: the largest root of (e^r − 1 + σ)(e^r − 1 + γ) = σRγ.
    fn growth() -> f64 {
        let rate = 1.0 - libm::exp(-1.0 / 3.75);
        // σ = γ: e^r − 1 + γ = γ√R.
        libm::log(1.0 - rate + rate * 2.4_f64.sqrt())
    }

    #[test]
    fn restricting_travel_postpones_as_the_rule_says() {
        let open = two_places();
        let share = 0.9;
        let restriction = Some(Restriction { day: 1, share, place: None });
        let closed = Metapopulation { restriction, ..open.clone() };
        let found = mean_arrival(&closed) - mean_arrival(&open);
        let r = growth();
        let wanted = delay_bought(Growth { rate: r, low: r, high: r }, share, false).unwrap().days;
        assert!((found - wanted).abs() < 0.15 * wanted, "{found} {wanted}");
    }

    /// Chinazzi et al. 2020: fewer travellers mean fewer exports in proportion, and no smaller epidemic at the origin.
    #[test]
    fn exports_fall_in_proportion_and_the_origin_does_not_notice() {
        let open = Metapopulation { days: 60, ..two_places() };
        let restriction = Some(Restriction { day: 1, share: 0.8, place: Some(1) });
        let closed = Metapopulation { restriction, ..open.clone() };
        let mean = |of: &Metapopulation, value: fn(&[Course]) -> f64| {
            let runs = of.run().unwrap();
            runs.iter().map(|run| value(run)).sum::<f64>() / runs.len() as f64
        };
        let exports = |run: &[Course]| run[1].arrivals;
        assert!((mean(&closed, exports) / mean(&open, exports) - 0.2).abs() < 0.03);
        let origin = |run: &[Course]| run[0].infected;
        assert!((mean(&closed, origin) / mean(&open, origin) - 1.0).abs() < 0.05);
    }

    #[test]
    fn the_same_seed_gives_the_same_courses() {
        let of = Metapopulation { runs: 20, ..two_places() };
        assert_eq!(of.run().unwrap(), of.run().unwrap());
        assert_ne!(of.run().unwrap(), Metapopulation { seed: 12, ..of.clone() }.run().unwrap());
        let more = Metapopulation { runs: 25, ..of.clone() }.run().unwrap();
        assert_eq!(more[..20], of.run().unwrap()[..]);
    }

    #[test]
    fn gravity_is_illustrative_symmetric_and_has_the_trips_asked_for() {
        let positions = [(30.6, 114.3), (31.2, 121.5), (-33.9, 151.2)];
        let travel = gravity(&[1e7, 2e7, 5e6], &positions, 0.01, 1.0);
        assert!(travel.illustrative);
        let sum: f64 = travel.flows.iter().map(|flow| flow.travellers).sum();
        assert!((sum / (0.01 * 3.5e7) - 1.0).abs() < 1e-12);
        let flow = |from, to| travel.flows.iter().find(|f| (f.from, f.to) == (from, to)).unwrap().travellers;
        assert!((flow(0, 1) / flow(1, 0) - 1.0).abs() < 1e-12);
        assert!(flow(0, 1) > flow(0, 2));
        assert!((kilometres(positions[0], positions[1]) - 690.0).abs() < 15.0);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let refused = |of: Metapopulation| of.run().unwrap_err().code();
        let travel = Travel { flows: vec![Flow { from: 0, to: 7, travellers: 1.0 }], illustrative: false };
        assert_eq!(refused(Metapopulation { travel, ..two_places() }), "epi-import-number");
        assert_eq!(refused(Metapopulation { places: vec![], ..two_places() }), "epi-import-number");
        assert_eq!(refused(Metapopulation { latent_days: 0.0, ..two_places() }), "epi-import-number");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn nobody_is_infected_twice(r in 0.0..6.0_f64, population in 10_u32..5000, seed in any::<u64>()) {
            let mut of = Metapopulation { runs: 5, seed, ..two_places() };
            for place in &mut of.places {
                place.r = r;
                place.population = f64::from(population);
                place.infectious = place.infectious.min(5.0);
            }
            for run in of.run().unwrap() {
                let infected: f64 = run.iter().map(|course| course.infected).sum();
                prop_assert!(infected <= 2.0 * f64::from(population));
                prop_assert!(run[0].infected >= 0.0 && run[1].arrivals >= 0.0);
                prop_assert_eq!(run[1].arrived.is_some(), run[1].arrivals > 0.0);
            }
        }
    }
}
