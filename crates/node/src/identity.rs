//! The signing keys of this authority: made by `concord init`, read when a command or the server needs them.
//!
//! Each key is one file with one line, readable by its owner alone, in the notation of Go's
//! `sumdb/note` (`PRIVATE+KEY+<name>+...`). Root keys are made here too but into a folder of their own,
//! which does not belong on a serving node. Secrets never reach logs, `Debug` or the databases.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use record::Authority;
use record::root::Role;
use tlog::key::{KeyType, LocalSigner, SecretKey, VerifierKey};

use crate::fault::Coded;

/// A key file larger than this is not one.
const MAX_KEY_FILE: u64 = 4096;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file does not hold a key.
    #[error("{path} does not hold a key: {why}")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no key for a role.
    #[error("no {role} key in {path} that the root lists; `concord key rotate {role}` makes one")]
    NoKey {
        /// The role.
        role: Role,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file of a key that the root lists is not what it was.
    #[error(
        "{path} does not hold the {role} key ({why}): put the file back from a backup, or `concord key rotate {role}` makes another \
         one for the next trust root"
    )]
    DamagedKey {
        /// The role.
        role: Role,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no random bytes: {0}")]
    NoRandomness(String),
    /// Root keys lie in the data folder of a serving node.
    #[error("root keys lie in {0}: move them to a place that no server can read, then start again")]
    RootKeysInside(PathBuf),
    /// Other users of the machine can put files of theirs in the place of ours.
    #[error("other users of this machine can write into {path}: `chmod -R go= {folder}`, then start again")]
    Writable {
        /// The folder, or the configuration.
        path: PathBuf,
        /// The data folder.
        folder: PathBuf,
    },
    /// Other users of the machine can read what is secret.
    #[error("other users of this machine can read {path}: `chmod -R go= {folder}`, then start again")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// The data folder.
        folder: PathBuf,
    },
}

impl Coded for IdentityError {
    fn code(&self) -> &str {
        match self {
            Self::File { .. } => "identity-file",
            Self::NotAKey { .. } => "identity-not-a-key",
            Self::NoKey { .. } => "identity-no-key",
            Self::DamagedKey { .. } => "identity-damaged-key",
            Self::NoRandomness(_) => "identity-no-randomness",
            Self::RootKeysInside(_) => "identity-root-keys-inside",
            Self::Writable { .. } => "identity-writable",
            Self::Exposed { .. } => "identity-exposed",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::File { path, why } | Self::NotAKey { path, why } => {
                vec![("path", path.display().to_string()), ("reason", why.clone())]
            }
            Self::NoKey { role, path } => {
                vec![("role", role.to_string()), ("path", path.display().to_string())]
            }
            Self::DamagedKey { role, path, why } => vec![
                ("role", role.to_string()),
                ("path", path.display().to_string()),
                ("reason", why.clone()),
            ],
            Self::NoRandomness(why) => vec![("reason", why.clone())],
            Self::RootKeysInside(path) => vec![("path", path.display().to_string())],
            Self::Exposed { path, folder } | Self::Writable { path, folder } => {
                vec![("path", path.display().to_string()), ("folder", folder.display().to_string())]
            }
        }
    }
}

/// What type of signature a role makes (protocol section 0).
pub fn key_type(role: Role) -> KeyType {
    match role {
        Role::Witness | Role::Holds => KeyType::Cosignature,
        _ => KeyType::Ed25519,
    }
}

/// `N` bytes from the operating system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], IdentityError> {
    let mut bytes = [0u8; N];
    rand::rand_core::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .map_err(|e| IdentityError::NoRandomness(e.to_string()))?;
    Ok(bytes)
}

/// One key with its listed name.
pub struct Key {
    /// As the root lists it.
    pub verifier: VerifierKey,
    secret: SecretKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.verifier.name()).finish_non_exhaustive()
    }
}

impl Key {
    /// A new key `<authority>/<role>/<n>`.
    pub fn generate(authority: &Authority, role: Role, n: u32) -> Result<Self, IdentityError> {
        let secret = SecretKey::from_seed(random()?);
        let name = format!("{authority}/{role}/{n}");
        let verifier = secret
            .verifier(&name, key_type(role))
            .map_err(|e| IdentityError::NotAKey { path: name.into(), why: e.to_string() })?;
        Ok(Self { verifier, secret })
    }

    /// Reads a key file.
    pub fn read(path: &Path) -> Result<Self, IdentityError> {
        let file = |why: String| IdentityError::File { path: path.to_path_buf(), why };
        if fs::metadata(path).map_err(|e| file(e.to_string()))?.len() > MAX_KEY_FILE {
            return Err(IdentityError::NotAKey { path: path.to_path_buf(), why: "too large".into() });
        }
        let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(|e| file(e.to_string()))?);
        let (verifier, secret) = SecretKey::from_text(text.trim_end())
            .map_err(|e| IdentityError::NotAKey { path: path.to_path_buf(), why: e.to_string() })?;
        Ok(Self { verifier, secret })
    }

    /// Writes the key to a new file in `folder`, mode 0600, and returns its path.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, IdentityError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        create_private_folder(folder)?;
        let path = folder.join(file_name(self.verifier.name()));
        let fail = |why: String| IdentityError::File { path: path.clone(), why };
        let text = self
            .secret
            .to_text(self.verifier.name(), self.verifier.key_type())
            .map_err(|e| fail(e.to_string()))?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|e| fail(e.to_string()))?;
        writeln!(file, "{}", text.as_str())
            .and_then(|()| file.sync_all())
            .map_err(|e| fail(e.to_string()))?;
        Ok(path)
    }

    /// A signer under the listed name.
    pub fn signer(&self) -> Result<LocalSigner, IdentityError> {
        self.signer_named(self.verifier.name())
    }

    /// A signer with the same key under another name: a log key signs under its log's origin.
    pub fn signer_named(&self, name: &str) -> Result<LocalSigner, IdentityError> {
        LocalSigner::new(name, self.verifier.key_type(), self.secret.clone())
            .map_err(|e| IdentityError::NotAKey { path: name.into(), why: e.to_string() })
    }
}

/// The file of the key `<authority>/<role>/<n>`: `<role>-<n>.key`.
fn file_name(name: &str) -> String {
    let mut parts = name.rsplit('/');
    let n = parts.next().unwrap_or_default();
    let role = parts.next().unwrap_or_default();
    format!("{role}-{n}.key")
}

/// Makes a folder that only its owner can enter.
pub fn create_private_folder(folder: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| IdentityError::File { path: folder.to_path_buf(), why: e.to_string() })
}

/// The files of keys in a folder, ordered by name.
fn key_files(folder: &Path) -> Result<Vec<PathBuf>, IdentityError> {
    let fail = |e: std::io::Error| IdentityError::File { path: folder.to_path_buf(), why: e.to_string() };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|e| e == "key") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The operational keys of a node.
#[derive(Debug, Default)]
pub struct Identity {
    folder: PathBuf,
    keys: Vec<Key>,
    /// Files that hold no key any more, and why: what needs another one goes on.
    damaged: Vec<(PathBuf, String)>,
}

impl Identity {
    /// Reads the keys of `folder`.
    pub fn read(folder: &Path) -> Result<Self, IdentityError> {
        let mut identity = Self { folder: folder.to_path_buf(), ..Self::default() };
        for path in key_files(folder)? {
            match Key::read(&path) {
                Ok(key) => identity.keys.push(key),
                Err(IdentityError::NotAKey { path, why } | IdentityError::File { path, why }) => {
                    tracing::error!(path = %path.display(), why, "the file of a key is damaged");
                    identity.damaged.push((path, why));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(identity)
    }

    /// Files that should hold a key and do not.
    pub fn damaged(&self) -> impl Iterator<Item = &Path> {
        self.damaged.iter().map(|(path, _)| path.as_path())
    }

    /// The file of a role that holds no key, if there is one.
    pub fn damaged_of(&self, role: Role) -> Option<&(PathBuf, String)> {
        self.damaged.iter().rev().find(|(path, _)| number_in(path, role).is_some())
    }

    /// The key of `role` that `root` lists; the highest number if there are several.
    pub fn key(&self, role: Role, root: &record::root::TrustRoot) -> Result<&Key, IdentityError> {
        self.keys
            .iter()
            .filter(|key| {
                root.keys.iter().any(|listed| listed.role == role && listed.vkey == key.verifier)
                    && !root.revoked.iter().any(|(revoked, _)| revoked.public() == key.verifier.public())
            })
            .max_by_key(|key| number(key.verifier.name()))
            .ok_or_else(|| match self.damaged_of(role).cloned() {
                Some((path, why)) => IdentityError::DamagedKey { role, path, why },
                None => IdentityError::NoKey { role, path: self.folder.clone() },
            })
    }

    /// A signer of `role`, under its listed name.
    pub fn signer(&self, role: Role, root: &record::root::TrustRoot) -> Result<LocalSigner, IdentityError> {
        self.key(role, root)?.signer()
    }

    /// The number the next key of `role` gets.
    pub fn next_number(&self, role: Role) -> u32 {
        let prefix = format!("/{role}/");
        let of_role = self.keys.iter().filter(|k| k.verifier.name().contains(&prefix));
        let numbers = of_role.map(|k| number(k.verifier.name()));
        // The name of a damaged one is taken.
        let taken = self.damaged.iter().filter_map(|(path, _)| number_in(path, role));
        numbers.chain(taken).max().map_or(1, |n| n + 1)
    }

    /// Is a root key among them? A serving node must have none.
    pub fn root_key(&self) -> Option<&VerifierKey> {
        self.keys.iter().map(|k| &k.verifier).find(|v| v.name().contains("/root/"))
    }
}

fn number(name: &str) -> u32 {
    name.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The number of a role's key by the name of its file.
fn number_in(path: &Path, role: Role) -> Option<u32> {
    let name = path.file_stem()?.to_str()?;
    name.strip_prefix(&format!("{role}-"))?.parse().ok()
}

/// `serve` refuses to run where root keys lie (protocol section 1).
pub fn refuse_root_keys(data: &Path) -> Result<(), IdentityError> {
    let mut folders = vec![data.to_path_buf()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > 64 {
            break; // keys lie near the top; tiles and blobs make deep trees
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("root-") && name.ends_with(".key") {
                return Err(IdentityError::RootKeysInside(folder));
            }
            if path.is_dir() && name != "files" {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// Whatever this process makes from now on, its owner alone can read.
pub fn keep_private() {
    use rustix::fs::Mode;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Refuses a data folder into which other users of the machine can write: they could put a configuration, keys or a database of
/// theirs in the place of ours. What lies in a folder that nobody else may enter is safe from them.
pub fn refuse_writable(data: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    let refused = |path: &Path| {
        let (path, folder) = (path.to_path_buf(), data.to_path_buf());
        Err(IdentityError::Writable { path, folder })
    };
    if mode(data) & 0o022 != 0 {
        return refused(data);
    }
    if mode(data) & 0o011 == 0 {
        return Ok(());
    }
    let inside = [crate::config::FILE_NAME, "keys", "files", "guard", "state.db"];
    match inside.iter().map(|name| data.join(name)).find(|path| mode(path) & 0o022 != 0) {
        Some(path) => refused(&path),
        None => Ok(()),
    }
}

/// Refuses a data folder of which other users of the machine can read what is secret: keys, and the databases, which hold
/// `age` secrets and opened contents. A folder that nobody else may enter protects all that lies in it.
pub fn refuse_exposed(data: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_open = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    if !is_open(data) {
        return Ok(());
    }
    let mut folders = vec![data.to_path_buf()];
    let keys = data.join("keys");
    folders.extend(is_open(&keys).then_some(keys));
    for folder in folders {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let secret = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            name.ends_with(".key") || name.ends_with(".secret") || name.contains(".db")
        };
        let exposed = entries.flatten().map(|entry| entry.path()).filter(secret).find(|path| is_open(path));
        if let Some(path) = exposed {
            return Err(IdentityError::Exposed { path, folder: data.to_path_buf() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog::key::Signer as _;

    fn authority() -> Authority {
        "moh.chn.example".parse().unwrap()
    }

    #[test]
    fn a_key_survives_its_file_and_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate(&authority(), Role::Author, 1).unwrap();
        let path = key.write(&folder.path().join("keys")).unwrap();
        assert!(path.ends_with("author-1.key"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Key::read(&path).unwrap();
        assert_eq!(read.verifier, key.verifier);
        assert_eq!(read.signer().unwrap().key(), &key.verifier);
    }

    #[test]
    fn no_secret_is_in_debug_and_no_key_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate(&authority(), Role::Log, 1).unwrap();
        let path = key.write(folder.path()).unwrap();
        let secret = fs::read_to_string(&path).unwrap();
        // Behind `PRIVATE+KEY+name+id+`; the base64 of a seed has a plus too, now and then.
        let seed = secret.trim().splitn(5, '+').nth(4).unwrap();
        assert!(seed.len() > 40 && !format!("{key:?}").contains(seed));
        assert!(matches!(key.write(folder.path()), Err(IdentityError::File { .. })));
    }

    #[test]
    fn a_damaged_key_file_is_named_with_what_to_do_and_its_number_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for role in [Role::Log, Role::Caller] {
            Key::generate(&authority(), role, 1).unwrap().write(folder.path()).unwrap();
        }
        fs::write(folder.path().join("caller-1.key"), "").unwrap();
        let identity = Identity::read(folder.path()).unwrap();
        assert_eq!((identity.keys.len(), identity.next_number(Role::Caller)), (1, 2));
        let (path, why) = identity.damaged_of(Role::Caller).unwrap().clone();
        let said = IdentityError::DamagedKey { role: Role::Caller, path, why }.to_string();
        assert!(said.contains("caller-1.key") && said.contains("concord key rotate caller"), "{said}");
        assert!(identity.damaged_of(Role::Log).is_none());
    }

    #[test]
    fn a_serving_node_refuses_root_keys_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refuse_root_keys(folder.path()).is_ok());
        Key::generate(&authority(), Role::Root, 1).unwrap().write(&folder.path().join("deep/keys")).unwrap();
        assert!(matches!(refuse_root_keys(folder.path()), Err(IdentityError::RootKeysInside(_))));
    }

    #[test]
    fn a_folder_into_which_other_users_can_write_is_refused_and_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o777, 0o770, 0o702, 0o720] {
            allow(folder.path(), mode);
            let refused = refuse_writable(folder.path()).unwrap_err().to_string();
            assert!(
                refused.contains("chmod") && refused.contains(folder.path().to_str().unwrap()),
                "{refused}"
            );
        }
        let keys = folder.path().join("keys");
        fs::create_dir(&keys).unwrap();
        allow(&keys, 0o777);
        allow(folder.path(), 0o755);
        assert!(refuse_writable(folder.path()).unwrap_err().to_string().contains("keys"));
        allow(folder.path(), 0o700);
        refuse_writable(folder.path()).unwrap();
        allow(&keys, 0o700);
        allow(folder.path(), 0o755);
        refuse_writable(folder.path()).unwrap();
    }

    /// Into a folder that was there, and that others may enter.
    #[test]
    fn what_other_users_can_read_is_refused_and_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let state = folder.path().join("state.db");
        fs::write(&state, b"secrets").unwrap();
        allow(&state, 0o644);
        allow(folder.path(), 0o755);
        let refused = refuse_exposed(folder.path()).unwrap_err();
        assert!(refused.to_string().contains("state.db"), "{refused}");
        allow(&state, 0o600);
        refuse_exposed(folder.path()).unwrap();
        allow(&state, 0o644);
        allow(folder.path(), 0o700);
        refuse_exposed(folder.path()).unwrap();
    }
}
