//! Outbreaks that the tests of several methods know. Counts are facts; where they were published stands with each.

/// Influenza A(H1N1) in a school in Pennsylvania, onsets by day from 2009-04-27. Cauchemez et al. 2011, PNAS 108:2825.
pub const FLU_2009: [f64; 32] = [
    1., 1., 0., 2., 5., 3., 3., 3., 6., 2., 5., 9., 13., 12., 13., 11., 12., 6., 6., 6., 3., 1., 0., 2., 0.,
    0., 0., 0., 2., 0., 2., 0.,
];

/// Its serial interval from lag 0. Cori et al. 2013.
pub const FLU_2009_SERIAL_INTERVAL: [f64; 12] =
    [0., 0.233, 0.359, 0.198, 0.103, 0.053, 0.027, 0.014, 0.007, 0.003, 0.002, 0.001];

/// Ebola in Yambuku, onsets of cases by day from 1976-08-25. Camacho et al. 2014, Epidemics 9:70.
pub const EBOLA_1976_CASES: [f64; 73] = [
    1., 0., 0., 0., 0., 0., 0., 1., 1., 1., 4., 1., 1., 3., 2., 7., 9., 4., 8., 9., 8., 9., 6., 6., 3., 8.,
    10., 5., 16., 12., 11., 11., 7., 7., 4., 4., 3., 7., 2., 3., 8., 5., 7., 5., 2., 3., 4., 3., 6., 2., 1.,
    0., 0., 0., 1., 1., 2., 0., 0., 0., 1., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,
];

/// Deaths of the same days.
pub const EBOLA_1976_DEATHS: [f64; 73] = [
    0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 1., 2., 1., 3., 1., 2., 1., 8., 4., 3., 5., 8.,
    6., 6., 10., 3., 7., 8., 11., 7., 13., 12., 9., 9., 7., 6., 8., 6., 2., 6., 4., 3., 2., 6., 4., 6., 7.,
    7., 2., 4., 1., 1., 4., 1., 1., 0., 0., 0., 2., 0., 2., 1., 0., 0., 0., 0., 0., 0., 1.,
];
