//! What is done where the root keys are kept, on a machine without a network: sign a drafted root, make the
//! keys of the root after next. No node and no data folder is needed.

use std::path::{Path, PathBuf};

use record::Authority;
use record::root::{Role, SignedRoot, TrustRoot};
use serde_json::json;
use tlog::key::Signer;
use tlog::note::Note;

use crate::command::{Command, RootCommand};
use crate::fault::Fault;
use crate::identity::Key;
use crate::operate::{self, OperateError, Outcome};

/// Bytes of a root at most.
const MAX_ROOT: u64 = 64 * 1024;

/// Carries out the commands that need root keys and no node; gives back every other one.
pub(super) fn run(command: Command) -> Result<Result<Outcome, Command>, Fault> {
    match command {
        Command::Root(RootCommand::Sign { file, keys }) => sign(&file, &keys).map(Ok),
        Command::Root(RootCommand::Keys { authority, first, count, folder }) => {
            make(&authority, first, count, &folder).map(Ok)
        }
        Command::Root(RootCommand::Vkey { keys }) => vkeys(&keys).map(Ok),
        other => Ok(Err(other)),
    }
}

fn make(authority: &Authority, first: u32, count: u32, folder: &Path) -> Result<Outcome, Fault> {
    let mut vkeys = Vec::new();
    for n in first..first.saturating_add(count) {
        let key = Key::generate(authority, Role::Root, n)?;
        key.write(folder)?;
        vkeys.push(key.verifier.to_string());
    }
    let text = vkeys.join("\n");
    Ok(Outcome::new(json!({ "vkeys": vkeys, "folder": folder }), text))
}

/// What is public of the key files, in the order in which they are named.
fn vkeys(files: &[PathBuf]) -> Result<Outcome, Fault> {
    let vkeys = files
        .iter()
        .map(|path| Ok(Key::read(path)?.verifier.to_string()))
        .collect::<Result<Vec<_>, Fault>>()?;
    let text = vkeys.join("\n");
    Ok(Outcome::new(json!({ "vkeys": vkeys }), text))
}

/// Adds signatures to a draft or to a root that others have signed.
fn sign(file: &Path, keys: &[PathBuf]) -> Result<Outcome, Fault> {
    let bytes = operate::read_file(file, MAX_ROOT)?;
    let signers = keys.iter().map(|path| Key::read(path)?.signer()).collect::<Result<Vec<_>, _>>()?;
    let signers: Vec<&dyn Signer> = signers.iter().map(|s| s as &dyn Signer).collect();
    let note = if let Ok(mut note) = Note::parse(&bytes) {
        for signature in Note::sign(&note.text, &signers)?.signatures {
            if !note.signatures.iter().any(|s| s.name == signature.name && s.id == signature.id) {
                note.add_signature(signature)?;
            }
        }
        note
    } else {
        let text = std::str::from_utf8(&bytes)
            .map_err(|why| OperateError::file(file, format!("it is no text: {why}")))?;
        Note::sign(text, &signers)?
    };
    let root = TrustRoot::parse_text(&note.text)?;
    let signatures = note.signatures.len();
    let signed = note.to_bytes();
    SignedRoot::parse(&signed)?;
    std::fs::write(file, &signed).map_err(|why| OperateError::file(file, why))?;
    let text = format!(
        "root {} of {} has {signatures} signatures; it needs {}",
        root.version, root.authority, root.threshold
    );
    Ok(Outcome::new(
        json!({ "version": root.version, "signatures": signatures, "threshold": root.threshold }),
        text,
    ))
}
