//! Generates one constant per file of `assets/` and per script that was built in `web/`, with its content hash in its address.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// Suffix, media type. Files with other suffixes (sources, licences) are not served.
const SERVED: [(&str, &str); 3] =
    [("css", "text/css; charset=utf-8"), ("svg", "image/svg+xml"), ("js", "text/javascript; charset=utf-8")];

/// Scripts that `web/` is built into. They are not in the repository: `make web` makes them.
const SCRIPTS: [&str; 2] = ["room.js", "analysis.js"];

/// The Rust code of the module `layout::asset`'s table, or why there is none.
pub fn generate(folder: &Path, scripts: &Path) -> Result<String, String> {
    let mut names: Vec<(String, &Path)> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| (entry.expect("readable folder").file_name().to_string_lossy().into_owned(), folder))
        .collect();
    for script in SCRIPTS {
        if !scripts.join(script).is_file() {
            return Err(format!(
                "web/dist/{script} is not there: run `make web` first (it needs Node.js and npm; `make demo` and `make test` do it)"
            ));
        }
        names.push((script.to_owned(), scripts));
    }
    names.sort();

    let mut code = String::new();
    let mut all = Vec::new();
    for (name, folder) in &names {
        let Some((stem, suffix)) = name.rsplit_once('.') else { continue };
        let Some((_, media_type)) = SERVED.iter().find(|(served, _)| *served == suffix) else { continue };
        let path = folder.join(name);
        let bytes = std::fs::read(&path).expect("listed file is readable");
        let hash = hex::encode(Sha256::digest(&bytes));
        let constant = name.to_uppercase().replace(['.', '-'], "_");
        writeln!(
            code,
            "/// `{name}`\npub const {constant}: Asset = Asset {{ path: \"/assets/{stem}.{short}.{suffix}\", \
             media_type: {media_type:?}, sha256: {hash:?}, bytes: include_bytes!({path:?}) }};",
            short = &hash[..16],
            path = path.display().to_string(),
        )
        .expect("writing to a string");
        all.push(constant);
    }
    writeln!(code, "/// Every asset, for the HTTP layer.\npub const ALL: &[Asset] = &[{}];", all.join(", "))
        .expect("writing to a string");
    Ok(code)
}
