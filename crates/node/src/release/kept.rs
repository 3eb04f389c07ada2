//! Acts that were done, by their keys: who repeats one is told what was done the first time.
//!
//! What is kept is written in the commit of the act itself, for [`DAYS`]. It decides nothing: what an act's answer
//! is, its caller says.

use record::Time;
use serde::{Deserialize, Serialize};
use store::{Cells, CellsError, Swap};
use tlog::hash::{Hash, sha256};

use super::{ReleaseError, Released};
use crate::saved;

/// The space of acts: by key what is known of one, and by key and number the parts of its answer.
const SPACE: &str = "act";
/// The space that finds them by their day.
const BY_DAY: &str = "act-day";
/// Acts are kept for so many days.
pub const DAYS: i64 = 30;
/// The longest key, in characters.
const MAX_KEY: usize = 64;
/// Bytes of an answer in one cell.
const CHUNK: usize = 1 << 20;
/// Old acts found at once.
const PAGE: usize = 256;

/// A caller's key of an act: who repeats the act gives it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActKey {
    name: String,
    of: Hash,
    files: Option<Hash>,
}

impl ActKey {
    /// A key for what is asked, byte for byte, and for what stands in its files: the same key for something else is
    /// refused. `None` for files that cannot be read: whoever repeats an act may have moved them.
    ///
    /// # Errors
    /// What is no key.
    pub fn new(name: &str, asked: &[u8], files: Option<&[u8]>) -> Result<Self, ReleaseError> {
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > MAX_KEY || !name.chars().all(is_of_key) {
            return Err(ReleaseError::KeyForm(name.chars().take(MAX_KEY).collect()));
        }
        Ok(Self { name: name.to_owned(), of: sha256(asked), files: files.map(sha256) })
    }

    /// As the caller gave it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What is kept of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// SHA-256 of what was asked, hex.
    of: String,
    /// SHA-256 of what stood in its files, hex; empty if that was not known.
    #[serde(default)]
    files: String,
    /// The day on which it began.
    day: String,
    /// Cells that hold lists of what was released, one or more for each commit but the last.
    lists: u32,
    /// Cells after them that hold the answer; none as long as commits are left to be made.
    answer: u32,
}

/// What is known of an act before it goes on.
#[derive(Debug)]
pub(super) enum Before {
    /// Nothing of it was done.
    Nothing,
    /// Some of its commits were made.
    Begun(Begun),
    /// It is done; this was its answer.
    Done(Vec<u8>),
}

/// An act of several commits of which some were made.
#[derive(Debug)]
pub(super) struct Begun {
    kept: Kept,
    bytes: Vec<u8>,
    /// What they released.
    pub(super) released: Vec<Released>,
}

/// What is known of an act.
pub(super) async fn find(cells: &dyn Cells, key: &ActKey) -> Result<Before, ReleaseError> {
    let Some(bytes) = cells.get(SPACE, &key.name).await? else { return Ok(Before::Nothing) };
    let Some(kept) = saved::read::<Kept>(cells, SPACE, &key.name).await? else { return Ok(Before::Nothing) };
    let other_files = key.files.is_some_and(|files| !kept.files.is_empty() && kept.files != files.to_hex());
    if kept.of != key.of.to_hex() || other_files {
        return Err(ReleaseError::KeyReused(key.name.clone()));
    }
    if kept.answer > 0 {
        let mut answer = Vec::new();
        for n in kept.lists..kept.lists + kept.answer {
            answer.extend(cells.get(SPACE, &part(&key.name, n)).await?.unwrap_or_default());
        }
        return Ok(Before::Done(answer));
    }
    let mut released = Vec::new();
    for n in 0..kept.lists {
        let list = saved::read::<Vec<Released>>(cells, SPACE, &part(&key.name, n)).await?;
        released.extend(list.unwrap_or_default());
    }
    Ok(Before::Begun(Begun { kept, bytes, released }))
}

/// What a commit changes of what is kept: `answer` if it is the act's last one.
pub(super) fn swaps(
    key: &ActKey,
    before: Option<&Begun>,
    released: &[Released],
    answer: Option<&[u8]>,
    now: Time,
) -> Vec<Swap> {
    let mut kept = before.map_or_else(
        || Kept {
            of: key.of.to_hex(),
            files: key.files.map(|files| files.to_hex()).unwrap_or_default(),
            day: now.date().to_string(),
            lists: 0,
            answer: 0,
        },
        |begun| begun.kept.clone(),
    );
    let parts: Vec<Vec<u8>> = match answer {
        Some(answer) => answer.chunks(CHUNK).map(<[u8]>::to_vec).collect(),
        // A list of so many is well below what a cell takes.
        None => released.chunks(4096).map(|list| saved::encode(&list)).collect(),
    };
    let mut swaps = Vec::new();
    for (n, bytes) in (kept.lists..).zip(parts) {
        swaps.push(Swap::new(SPACE, &part(&key.name, n), None, Some(bytes)));
    }
    let count = u32::try_from(swaps.len()).unwrap_or(u32::MAX);
    if answer.is_some() {
        kept.answer = count;
    } else {
        kept.lists += count;
    }
    let old = before.map(|begun| begun.bytes.clone());
    if old.is_none() {
        swaps.push(Swap::new(BY_DAY, &format!("{}/{}", kept.day, key.name), None, Some(Vec::new())));
    }
    swaps.push(Swap::new(SPACE, &key.name, old, Some(saved::encode(&kept))));
    swaps
}

fn part(name: &str, n: u32) -> String {
    format!("{name}/{n:06}")
}

/// Forgets acts of more than [`DAYS`] ago.
///
/// # Errors
/// State cannot be read or changed.
pub async fn sweep(cells: &dyn Cells, now: Time) -> Result<(), CellsError> {
    let first = now.saturating_add(-DAYS * 86_400).date().to_string();
    loop {
        let page = cells.scan(BY_DAY, "", None, PAGE).await?;
        let old: Vec<String> = page.into_iter().map(|(key, _)| key).filter(|key| *key < first).collect();
        if old.is_empty() {
            return Ok(());
        }
        for by_day in old {
            let name = by_day.split_once('/').map_or("", |(_, name)| name);
            let mut forgotten = vec![Swap::new(BY_DAY, &by_day, Some(Vec::new()), None)];
            if let Some(kept) = cells.get(SPACE, name).await? {
                forgotten.push(Swap::new(SPACE, name, Some(kept), None));
            }
            for (part, value) in cells.scan(SPACE, &format!("{name}/"), None, usize::MAX >> 1).await? {
                forgotten.push(Swap::new(SPACE, &part, Some(value), None));
            }
            if !cells.swap_all(&forgotten).await? {
                // Somebody else forgets it.
                return Ok(());
            }
        }
    }
}
