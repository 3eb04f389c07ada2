//! Revocation: which entries a later root of their author disowns, and since when.
//!
//! The rule is [`record::standing::disowned`]; here are the rows that it is asked about. Roots come from the source,
//! times from the index, so that the answer is the same whichever of them came first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use record::standing::{Disowned, Revoked, Times, disowned};
use record::{Authority, Origin, RootChain};
use store::db::{DbError, Tx};

use super::rows::int;
use super::settling::note;
use super::source::Source;
use super::touched::{All, Reads, Touched};
use super::{Follower, IndexError, Writer};

/// The revoked keys of one author.
#[derive(Default)]
pub(super) struct Revocations {
    chain: Option<Arc<RootChain>>,
    keys: BTreeMap<[u8; 32], Revoked>,
}

impl Revocations {
    /// What is revoked of the author key that a root of this version lists under this name.
    pub(super) fn of(&self, root: u64, signer: &str) -> Option<Revoked> {
        if self.keys.is_empty() {
            return None;
        }
        let root = self.chain.as_ref()?.at(root)?;
        let key = root.keys.iter().find(|key| key.vkey.name() == signer)?;
        self.keys.get(key.vkey.public()).copied()
    }
}

impl Follower<'_> {
    /// A root of an authority is known here that was not before: entries that it disowns are marked, and logs are
    /// measured by the witnesses that count now.
    pub async fn roots(&self, author: &Authority) -> Result<(), IndexError> {
        self.witnesses_changed().await?;
        self.writer().await.roots(author).await?;
        self.settled(author).await
    }
}

impl Writer<'_> {
    /// The public keys that an author has revoked.
    pub(super) fn revoked_keys(&self, author: &Authority) -> BTreeSet<[u8; 32]> {
        let chain = self.source.chain(author);
        chain.map(|chain| chain.revoked_keys().into_keys().collect()).unwrap_or_default()
    }

    /// Marks the entries that the roots of an author disown.
    pub(super) async fn roots(&mut self, author: &Authority) -> Result<(), IndexError> {
        let revoked = self.revoked_keys(author);
        if revoked.is_empty() {
            return Ok(());
        }
        let Some(chain) = self.source.chain(author) else { return Ok(()) };
        let mut tx = self.index.db().begin().await?;
        for root in chain.roots().map(|signed| &signed.root) {
            for key in root.keys.iter().filter(|key| revoked.contains(key.vkey.public())) {
                let values = [author.as_str().into(), int(root.version), key.vkey.name().into()];
                let sql = "update entry set revoked = 1
                           where author = $1 and root_version = $2 and signer = $3 and revoked = 0";
                tx.run(sql, &values).await?;
            }
        }
        let mut touched = Touched::default();
        touched.add_all(author, All::Revoked);
        self.moves(author.as_str());
        let findings = self.settle(&mut tx, touched).await?;
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(())
    }

    /// Looks again at some entries of an author that a revoked key signed, behind a place. Answers the last of them.
    pub(super) async fn disown_some(
        &mut self,
        author: &Authority,
        behind: &(String, i64),
    ) -> Result<Option<(String, i64)>, IndexError> {
        let sql = "select origin, pos, released, proven, here, rank, root_version, signer, disowned
                   from entry where author = $1 and revoked = 1 and (origin > $2 or (origin = $2 and pos > $3))
                     and valid = 1 order by author, origin, pos limit 300";
        self.moves(author.as_str());
        let mut tx = self.index.db().begin().await?;
        let values = [author.as_str().into(), behind.0.as_str().into(), behind.1.into()];
        let rows = tx.rows(sql, &values).await?;
        let last = rows.last().map(|row| Ok::<_, DbError>((row.text(0)?, row.int(1)?))).transpose()?;
        let mut touched = Touched::default();
        self.judge(&mut tx, author, rows, &mut touched).await?;
        let findings = self.settle(&mut tx, touched).await?;
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(last)
    }

    /// Entries of an author claim a later time than before, by which revocations go.
    pub(super) async fn times_changed(&self, tx: &mut Tx, author: &Authority) -> Result<(), IndexError> {
        if self.revoked_keys(author).is_empty() {
            return Ok(());
        }
        note(tx, &[], &[(author.to_string(), All::Revoked)].into()).await
    }

    /// Looks again at the entries in a range of one log that a revoked key signed.
    pub(super) async fn disown_range(
        &self,
        tx: &mut Tx,
        origin: &Origin,
        first: u64,
        end: u64,
        touched: &mut Touched,
    ) -> Result<(), IndexError> {
        let sql = "select origin, pos, released, proven, here, rank, root_version, signer, disowned
                   from entry where origin = $1 and pos >= $2 and pos < $3 and revoked = 1 and valid = 1";
        let rows = tx.rows(sql, &[origin.to_string().into(), int(first), int(end)]).await?;
        self.judge(tx, &origin.authority, rows, touched).await
    }

    async fn judge(
        &self,
        tx: &mut Tx,
        author: &Authority,
        rows: Vec<store::db::Row>,
        touched: &mut Touched,
    ) -> Result<(), IndexError> {
        if rows.is_empty() {
            return Ok(());
        }
        let revocations = revocations(self.source, tx, author.as_str()).await?;
        for row in rows {
            let (origin, pos) = (row.text(0)?, row.uint(1)?);
            let times = Times { claimed: row.int(2)?, proven: row.opt_int(3)?, here: row.opt_int(4)? };
            let revoked = revocations.of(row.uint(6)?, &row.opt_text(7)?.unwrap_or_default());
            let now = revoked
                .map_or(Disowned::No, |revoked| disowned(times, row.int(5).unwrap_or(i64::MIN), &revoked));
            let (now, before) = (number(now), row.int(8)?);
            if now != before {
                let values = [now.into(), origin.as_str().into(), int(pos)];
                tx.run("update entry set disowned = $1 where origin = $2 and pos = $3", &values).await?;
            }
            // One that was disowned before may be so since another time.
            if now != before || now != 0 {
                touched
                    .resting_on(
                        tx,
                        &origin
                            .parse()
                            .map_err(|_| IndexError::Damaged { origin: origin.clone(), index: pos })?,
                        pos,
                        pos + 1,
                    )
                    .await?;
            }
        }
        Ok(())
    }
}

/// The revoked keys of an author, each with the times at which that was known.
pub(super) async fn revocations<R: Reads>(
    source: &dyn Source,
    rows: &mut R,
    author: &str,
) -> Result<Revocations, IndexError> {
    let Ok(authority) = author.parse::<Authority>() else { return Ok(Revocations::default()) };
    let Some(chain) = source.chain(&authority) else { return Ok(Revocations::default()) };
    let mut keys = BTreeMap::new();
    for (key, (since, version)) in chain.revoked_keys() {
        let known = root_known(rows, author, version).await?.unwrap_or_else(|| {
            // No log says so yet; the root itself does.
            let from = chain.at(version).map_or(since, |root| root.from);
            Times { claimed: from.posix(), proven: None, here: None }
        });
        keys.insert(key, Revoked { since, known });
    }
    Ok(Revocations { chain: Some(chain), keys })
}

fn number(disowned: Disowned) -> i64 {
    match disowned {
        Disowned::No => 0,
        Disowned::Since => 1,
        Disowned::Always => 2,
    }
}

/// When it was known that a root, or a newer one, is in force: from the public logs, which everybody reads. Only of an
/// author that has none here from any other: what a sealed log says must not show on the public face.
async fn root_known<R: Reads>(rows: &mut R, author: &str, version: u64) -> Result<Option<Times>, IndexError> {
    let sql =
        "select min(e.released), min(e.proven), min(e.here) from entry e join log l on l.origin = e.origin
      where e.author = $1 and e.kind in ('log.open', 'log.root') and e.root_version >= $2 and e.valid = 1
        and (l.audience = 'public' or not exists (
          select 1 from log p where p.authority = $1 and p.audience = 'public'))";
    let rows = rows.rows(sql.into(), &[author.into(), int(version)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (proven, here) = (row.opt_int(1)?, row.opt_int(2)?);
    Ok(row.opt_int(0)?.map(|claimed| Times { claimed, proven, here }))
}
