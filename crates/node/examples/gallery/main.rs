//! Writes every component as static pages into a folder, to be looked at in a browser.
//!
//! `cargo run -p node --example gallery -- /tmp/gallery` writes `components.<lang>.html` and so on, with the style
//! sheet beside them. The figures are made up.

mod pages;

use node::i18n::Lang;
use node::layout::asset;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("gallery"), PathBuf::from);
    std::fs::create_dir_all(folder.join("assets"))?;
    for asset in asset::ALL {
        write(&folder, asset.path.trim_start_matches('/'), asset.bytes)?;
    }
    for lang in Lang::ALL {
        for (name, html) in pages::all(lang) {
            // From a file, /assets would be the root of the disk.
            let html = html.replace("\"/assets/", "\"assets/");
            write(&folder, &format!("{name}.{}.html", lang.code()), html.as_bytes())?;
        }
    }
    println!("{}", folder.display());
    Ok(())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::write(folder.join(name), bytes)
}
