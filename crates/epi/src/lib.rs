//! Epidemiology: pure functions over series of figures. The same inputs give the same bytes on every machine and with any number
//! of threads: transcendental functions are those of `libm`, threads share out series and never a sum.
//!
//! It never reads a file, a clock or a source of randomness, never fills a gap in silence, and never turns a missing or negative
//! figure into a zero.

#![forbid(unsafe_code)]
