//! The peer of `append`: Tessera's POSIX driver, a Go program that lies in `bench/tessera`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// What one run of it says.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Seconds until the last entry was integrated.
    pub seconds: f64,
}

/// The program, built; or why it cannot be had.
pub struct Tessera(PathBuf);

impl Tessera {
    /// Builds it into `folder`.
    pub fn build(folder: &Path) -> Result<Self, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tessera");
        let program = folder.join("tessera");
        let mut go = Command::new("go");
        let built =
            go.args(["build", "-mod=readonly", "-o"]).arg(&program).arg(".").current_dir(source).output();
        match built {
            Err(error) => Err(format!("Tessera is left out: there is no Go here ({error})")),
            Ok(output) if output.status.success() => Ok(Self(program)),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(format!("Tessera is left out: it could not be built: {}", said.trim()))
            }
        }
    }

    /// Appends `entries` entries of `bytes` bytes by `callers` callers to a new log in `folder`.
    pub fn run(&self, folder: &Path, entries: usize, callers: usize, bytes: usize) -> Result<Run, Failure> {
        let numbers = [entries, callers, bytes].map(|number| number.to_string());
        let output = Command::new(&self.0).arg(folder).args(numbers).output()?;
        if !output.status.success() {
            return Err(format!("Tessera: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let said = String::from_utf8(output.stdout)?;
        Ok(Run { seconds: said.trim().parse()? })
    }
}
