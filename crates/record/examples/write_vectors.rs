//! Writes the test vectors to `tests/vectors`. What age makes is random: its files are kept as they are; to
//! have new ones, delete `sealed/*.age` first.

#[allow(dead_code)] // Shared with the tests, which use the rest.
#[path = "../tests/sharing/cast.rs"]
mod cast;
#[allow(dead_code)]
#[path = "../tests/protocol/fixture.rs"]
mod fixture;
#[path = "../tests/sharing/vectors.rs"]
mod vectors;

fn main() -> std::io::Result<()> {
    let folder = vectors::folder();
    let files = vectors::files(|path| std::fs::read(folder.join(path)).ok());
    for (path, bytes) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
