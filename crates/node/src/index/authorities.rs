//! The known authorities as rows, so that queries can join them. They follow from pins, not from records.

use std::collections::BTreeMap;

use store::db::{Conflict, Value};

use super::{IndexError, Writer};

/// One known authority.
#[derive(Debug, Clone)]
pub struct KnownAuthority {
    /// Its name.
    pub authority: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its code, as its operator or ours says.
    pub code: Option<String>,
    /// How it is shown.
    pub shown_name: String,
    /// How it is shown, by language.
    pub names: BTreeMap<String, String>,
    /// Its role.
    pub role: String,
    /// `self`, `proposed` or `confirmed`.
    pub standing: &'static str,
    /// An operator left it out of what desks show.
    pub left_out: bool,
    /// Where it says that it is reached.
    pub endpoint: String,
    /// The version of its newest root.
    pub root_version: u64,
    /// Until when that is in force, seconds since 1970.
    pub root_until: i64,
}

impl Writer<'_> {
    /// Writes the authorities that the source knows.
    pub async fn authorities(&mut self) -> Result<(), IndexError> {
        let known = self.source.authorities();
        let row = |known: &KnownAuthority| -> Vec<Value> {
            vec![
                known.authority.as_str().into(),
                known.fingerprint.as_str().into(),
                known.code.as_deref().into(),
                known.shown_name.as_str().into(),
                known.role.as_str().into(),
                known.standing.into(),
                known.endpoint.as_str().into(),
                super::rows::int(known.root_version),
                known.root_until.into(),
                i64::from(known.left_out).into(),
            ]
        };
        let rows: Vec<Vec<Value>> = known.iter().map(row).collect();
        let names = known.iter().flat_map(|known| {
            let of = |(lang, name): (&String, &String)| -> Vec<Value> {
                vec![known.authority.as_str().into(), lang.as_str().into(), name.as_str().into()]
            };
            known.names.iter().map(of).collect::<Vec<_>>()
        });
        let names: Vec<Vec<Value>> = names.collect();
        let mut tx = self.index.db().begin().await?;
        tx.run("delete from authority", &[]).await?;
        tx.run("delete from authority_name", &[]).await?;
        let columns = [
            "authority",
            "fingerprint",
            "code",
            "shown_name",
            "role",
            "standing",
            "endpoint",
            "root_version",
            "root_until",
            "left_out",
        ];
        tx.insert_many("authority", &columns, &rows, Conflict::Fail).await?;
        tx.insert_many("authority_name", &["authority", "lang", "name"], &names, Conflict::Fail).await?;
        tx.commit().await?;
        Ok(())
    }
}
