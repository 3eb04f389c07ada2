//! Turns `locales/`, `assets/` and what `web/` was built into to Rust before the crate compiles.
//!
//! A message that one language lacks, that is named wrongly or that takes other arguments than in English
//! stops the build here; a message that does not exist stops it in rustc, because messages are methods.

mod assets;
mod messages;

use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let (root, out) = (Path::new(&root), Path::new(&out));
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build");

    match messages::generate(&root.join("locales")) {
        Ok(code) => write(&out.join("messages.rs"), &code),
        Err(faults) => {
            for fault in &faults {
                println!("cargo::error={fault}");
            }
            std::process::exit(1);
        }
    }
    let scripts = root.join("../../web/dist");
    println!("cargo::rerun-if-changed={}", scripts.display());
    match assets::generate(&root.join("assets"), &scripts) {
        Ok(code) => write(&out.join("assets.rs"), &code),
        Err(fault) => {
            println!("cargo::error={fault}");
            std::process::exit(1);
        }
    }
}

fn write(path: &Path, code: &str) {
    std::fs::write(path, code).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
