//! The protocol's rules as examples: headers, trust roots, logs and editions, honest and hostile.

mod fixture;
mod headers;
mod hostile_bytes;
mod logs;
mod roots;
mod standing;
