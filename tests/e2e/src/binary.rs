//! Where the program is. It is never built from here.

use std::path::PathBuf;

/// The program under test: `CONCORD_BIN`, or `concord` in the folder that holds this test's own folder.
pub fn concord() -> PathBuf {
    if let Some(path) = std::env::var_os("CONCORD_BIN") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "CONCORD_BIN is {}, which is no file", path.display());
        return path;
    }
    let test = std::env::current_exe().expect("a test knows where it is");
    let path =
        test.parent().and_then(|deps| deps.parent()).expect("in target/<profile>/deps").join("concord");
    assert!(
        path.is_file(),
        "the program is not at {}: run `cargo build -p node` first, or name it in CONCORD_BIN",
        path.display()
    );
    path
}
