//! Published delay distributions, with their sources: chosen by name, or by disease where there is one. Never taken silently: whoever
//! takes one says its name and citation.
//!
//! Facts re-entered from the cited papers, most by way of the register of parameters epiparameterDB (Epiverse-TRACE). Times in days.
//! Each is of its setting: another outbreak, other measures and other patients have other delays.

use crate::delay::Continuous;
use crate::distribution::gamma::Gamma;

/// What is delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// From one onset to those that it caused.
    SerialInterval,
    /// From onset to death.
    OnsetToDeath,
    /// From onset to hospital.
    OnsetToHospital,
    /// From hospital to death.
    HospitalToDeath,
    /// From infection to onset.
    Incubation,
}

/// How the source states the distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stated {
    GammaMeanSd(f64, f64),
    GammaShapeScale(f64, f64),
    LogNormalMeanSd(f64, f64),
    LogNormal(f64, f64),
    Weibull(f64, f64),
}

use Stated::{GammaMeanSd, GammaShapeScale, LogNormal, LogNormalMeanSd, Weibull};

/// One published distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// Its name here; stable.
    pub name: &'static str,
    /// The disease, in lower case.
    pub disease: &'static str,
    /// What is delayed.
    pub quantity: Quantity,
    /// Who published it, where.
    pub citation: &'static str,
    /// The DOI.
    pub doi: &'static str,
    /// Where it was observed, and in how many.
    pub setting: &'static str,
    stated: Stated,
}

impl Published {
    /// The distribution, in days.
    pub fn distribution(&self) -> Continuous {
        match self.stated {
            GammaMeanSd(mean, sd) => Continuous::Gamma(Gamma::of_mean_and_sd(mean, sd)),
            GammaShapeScale(shape, scale) => Continuous::Gamma(Gamma { shape, scale }),
            LogNormal(meanlog, sdlog) => Continuous::LogNormal { meanlog, sdlog },
            LogNormalMeanSd(mean, sd) => {
                let square = libm::log1p((sd / mean) * (sd / mean));
                Continuous::LogNormal { meanlog: libm::log(mean) - 0.5 * square, sdlog: square.sqrt() }
            }
            Weibull(shape, scale) => Continuous::Weibull { shape, scale },
        }
    }

    /// Mean and standard deviation in days: as the source states them, or those of what it states.
    pub fn mean_and_sd(&self) -> (f64, f64) {
        match self.stated {
            GammaMeanSd(mean, sd) | LogNormalMeanSd(mean, sd) => (mean, sd),
            GammaShapeScale(..) | LogNormal(..) | Weibull(..) => {
                (self.distribution().mean(), self.distribution().sd())
            }
        }
    }
}

/// All of a quantity.
pub fn all(quantity: Quantity) -> impl Iterator<Item = &'static Published> {
    LIBRARY.iter().filter(move |published| published.quantity == quantity)
}

/// The one of this name.
pub fn named(name: &str, quantity: Quantity) -> Option<&'static Published> {
    all(quantity).find(|published| published.name == name)
}

/// The one of this name, or all of this disease: who asks by disease chooses where there are several.
pub fn find(name: &str, quantity: Quantity) -> Vec<&'static Published> {
    let name = name.to_lowercase();
    match named(&name, quantity) {
        Some(published) => vec![published],
        None => all(quantity).filter(|published| published.disease == name).collect(),
    }
}

#[rustfmt::skip]
const fn entry(
    name: &'static str, disease: &'static str, quantity: Quantity, stated: Stated, citation: &'static str,
    doi: &'static str, setting: &'static str,
) -> Published {
    Published { name, disease, quantity, citation, doi, setting, stated }
}

use Quantity::{HospitalToDeath, Incubation, OnsetToDeath, OnsetToHospital, SerialInterval};

/// The library.
#[rustfmt::skip]
pub const LIBRARY: &[Published] = &[
    entry("covid-19-nishiura-2020", "covid-19", SerialInterval, LogNormalMeanSd(4.7, 2.9),
        "Nishiura et al. 2020, Int. J. Infect. Dis. 93:284", "10.1016/j.ijid.2020.02.060", "28 pairs, several countries"),
    entry("covid-19-flaxman-2020", "covid-19", SerialInterval, GammaMeanSd(6.5, 4.03),
        "Flaxman et al. 2020, Nature 584:257", "10.1038/s41586-020-2405-7",
        "taken from earlier work for 11 European countries: coefficient of variation 0.62; not estimated there"),
    entry("covid-19-verity-2020", "covid-19", OnsetToDeath, GammaMeanSd(17.8, 8.01),
        "Verity et al. 2020, Lancet Infect. Dis. 20:669", "10.1016/S1473-3099(20)30243-7",
        "24 deaths, mainland China, corrected for growth: coefficient of variation 0.45"),
    entry("covid-19-linton-2020", "covid-19", OnsetToDeath, LogNormalMeanSd(20.2, 11.6),
        "Linton et al. 2020, J. Clin. Med. 9:538", "10.3390/jcm9020538", "34 deaths, China, corrected for right truncation"),
    entry("covid-19-linton-2020", "covid-19", HospitalToDeath, LogNormalMeanSd(13.0, 12.7),
        "Linton et al. 2020, J. Clin. Med. 9:538", "10.3390/jcm9020538", "39 deaths, China, corrected for right truncation"),
    entry("covid-19-linton-2020", "covid-19", OnsetToHospital, LogNormalMeanSd(9.7, 35.2),
        "Linton et al. 2020, J. Clin. Med. 9:538", "10.3390/jcm9020538", "155 living patients, China, corrected for right truncation"),
    entry("covid-19-mcaloon-2020", "covid-19", Incubation, LogNormal(1.63, 0.50),
        "McAloon et al. 2020, BMJ Open 10:e039652", "10.1136/bmjopen-2020-039652", "meta-analysis"),
    entry("ebola-west-africa-2014", "ebola", SerialInterval, GammaMeanSd(15.3, 9.3),
        "WHO Ebola Response Team 2014, N. Engl. J. Med. 371:1481", "10.1056/NEJMoa1411100",
        "92 pairs, Guinea, Liberia and Sierra Leone, to September 2014"),
    entry("ebola-west-africa-2015", "ebola", SerialInterval, GammaMeanSd(14.2, 9.6),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "305 pairs, West Africa 2014"),
    entry("ebola-guinea-2015", "ebola", SerialInterval, GammaMeanSd(15.5, 7.0),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "37 pairs, Guinea 2014"),
    entry("ebola-liberia-2015", "ebola", SerialInterval, GammaMeanSd(15.1, 10.5),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "147 pairs, Liberia 2014"),
    entry("ebola-sierra-leone-2015", "ebola", SerialInterval, GammaMeanSd(12.4, 9.0),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "112 pairs, Sierra Leone 2014"),
    entry("ebola-drc-2018", "ebola", OnsetToDeath, GammaShapeScale(2.4, 3.3333),
        "Ebola Outbreak Epidemiology Team 2018, Lancet 392:213", "10.1016/S0140-6736(18)31387-4", "14 deaths, Democratic Republic of the Congo 2018"),
    entry("ebola-west-africa-2015", "ebola", OnsetToDeath, GammaMeanSd(8.2, 6.4),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "2741 deaths, West Africa 2014"),
    entry("ebola-west-africa-2015", "ebola", HospitalToDeath, GammaMeanSd(4.3, 4.0),
        "WHO Ebola Response Team 2015, N. Engl. J. Med. 372:584", "10.1056/NEJMc1414992", "1167 deaths, West Africa 2014"),
    entry("influenza-h1n1-2009", "influenza", SerialInterval, GammaMeanSd(2.51, 1.55),
        "Ghani et al. 2009, PLoS Curr. 1:RRN1130", "10.1371/currents.RRN1130", "58 pairs, United Kingdom 2009"),
    entry("marburg-angola-2005", "marburg", SerialInterval, GammaMeanSd(9.0, 5.4),
        "Ajelli and Merler 2012, PLoS ONE 7:e50948", "10.1371/journal.pone.0050948", "374 cases, Angola 2005"),
    entry("mers-korea-2015", "mers", SerialInterval, GammaMeanSd(12.6, 2.8),
        "Cowling et al. 2015, Euro Surveill. 20:21163", "10.2807/1560-7917.es2015.20.25.21163", "99 cases, Republic of Korea 2015"),
    entry("mers-korea-2015", "mers", OnsetToDeath, GammaMeanSd(14.6, 10.4),
        "Mizumoto et al. 2015, BMC Med. 13:228", "10.1186/s12916-015-0468-3", "185 cases, Republic of Korea 2015"),
    entry("mpox-usa-2022-rash", "mpox", SerialInterval, GammaShapeScale(2.8, 2.5),
        "Madewell et al. 2022, medRxiv 2022.10.26.22281516", "10.1101/2022.10.26.22281516", "40 pairs, rash to rash, United States 2022"),
    entry("mpox-usa-2022-onset", "mpox", SerialInterval, GammaShapeScale(2.9, 2.9),
        "Madewell et al. 2022, medRxiv 2022.10.26.22281516", "10.1101/2022.10.26.22281516", "57 pairs, onset to onset, United States 2022"),
    entry("mpox-drc-2024", "mpox", SerialInterval, Weibull(1.63, 18.29),
        "Marziano et al. 2024, Emerg. Infect. Dis. 30:2042", "10.3201/eid3010.240665", "32 pairs, Democratic Republic of the Congo"),
    entry("mpox-usa-2022", "mpox", Incubation, LogNormal(1.5, 0.7),
        "Madewell et al. 2022, medRxiv 2022.10.26.22281516", "10.1101/2022.10.26.22281516", "to rash or onset, United States 2022"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delay::Delay;

    #[test]
    fn every_entry_is_a_distribution_with_a_source_and_a_name_of_its_own() {
        for (index, published) in LIBRARY.iter().enumerate() {
            let delay = Delay::discretised(&published.distribution()).unwrap();
            assert!(
                (delay.mean() / published.distribution().mean() - 1.0).abs() < 0.05,
                "{}",
                published.name
            );
            assert!(published.doi.starts_with("10.") && !published.citation.is_empty());
            let twin =
                |other: &Published| other.name == published.name && other.quantity == published.quantity;
            assert!(!LIBRARY[..index].iter().any(twin), "{}", published.name);
        }
    }

    #[test]
    fn a_disease_with_several_does_not_choose_for_the_asker() {
        let names = |disease: &str, quantity| -> Vec<&str> {
            find(disease, quantity).iter().map(|published| published.name).collect()
        };
        assert_eq!(names("Ebola", SerialInterval).len(), 5);
        assert_eq!(names("ebola-guinea-2015", SerialInterval), ["ebola-guinea-2015"]);
        assert_eq!(names("COVID-19", SerialInterval), ["covid-19-nishiura-2020", "covid-19-flaxman-2020"]);
        assert_eq!(names("covid-19", OnsetToDeath), ["covid-19-verity-2020", "covid-19-linton-2020"]);
        assert!(names("cough", SerialInterval).is_empty());
    }

    #[test]
    fn mean_and_deviation_are_those_stated() {
        for (name, quantity, stated) in [
            ("covid-19-nishiura-2020", SerialInterval, (4.7, 2.9)),
            ("covid-19-flaxman-2020", SerialInterval, (6.5, 4.03)),
            ("covid-19-verity-2020", OnsetToDeath, (17.8, 8.01)),
            ("ebola-west-africa-2014", SerialInterval, (15.3, 9.3)),
            ("ebola-guinea-2015", SerialInterval, (15.5, 7.0)),
        ] {
            let published = named(name, quantity).unwrap();
            assert_eq!(published.mean_and_sd(), stated, "{name}");
            let distribution = published.distribution();
            assert!((distribution.mean() - stated.0).abs() < 1e-12, "{name}");
            assert!((distribution.sd() - stated.1).abs() < 1e-12, "{name}");
        }
        // A shape and a scale: the mean is their product.
        let (mean, sd) = named("ebola-drc-2018", OnsetToDeath).unwrap().mean_and_sd();
        assert!((mean - 2.4 * 3.3333).abs() < 1e-12 && (sd - 2.4_f64.sqrt() * 3.3333).abs() < 1e-12);
    }
}
