//! Probability distributions: what of them the methods need, to about 13 digits, on `libm` alone, so that the last bit is the same on
//! every machine.
//!
//! There is no random number here, and no distribution that no method asks for.

pub mod beta;
pub mod gamma;
pub mod negative_binomial;
pub mod normal;
pub mod poisson;
mod saddle;
mod temme;
