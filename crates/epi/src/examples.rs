//! Outbreaks that the tests of several methods know. Counts are facts; where they were published stands with each.

/// Influenza A(H1N1) in a school in Pennsylvania, onsets by day from 2009-04-27. Cauchemez et al. 2011, PNAS 108:2825.
pub const FLU_2009: [f64; 32] = [
    1., 1., 0., 2., 5., 3., 3., 3., 6., 2., 5., 9., 13., 12., 13., 11., 12., 6., 6., 6., 3., 1., 0., 2., 0.,
    0., 0., 0., 2., 0., 2., 0.,
];

/// Its serial interval from lag 0. Cori et al. 2013.
pub const FLU_2009_SERIAL_INTERVAL: [f64; 12] =
    [0., 0.233, 0.359, 0.198, 0.103, 0.053, 0.027, 0.014, 0.007, 0.003, 0.002, 0.001];
