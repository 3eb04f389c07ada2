//! When it was proven that records existed, and who holds them: from `seen` files and receipts.

use record::Origin;
use store::db::{Conflict, Value};

use super::{Index, IndexError};

/// One verified cosignature of a `seen` checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Number of the `seen` file.
    pub n: u64,
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// The witness's authority.
    pub authority: String,
    /// The witness key's name.
    pub key_name: String,
    /// When it cosigned, seconds since 1970.
    pub time: u64,
}

/// A reader's statement that it holds a log up to a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The reader.
    pub authority: String,
    /// Entries it holds.
    pub size: u64,
    /// When it said so, seconds since 1970.
    pub time: u64,
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

impl Index {
    /// Records cosignatures, and the proven times that follow: `proven` is a list of (first, end, time), meaning
    /// that the entries from `first` up to but not including `end` were proven by `time`.
    pub async fn proven(
        &self,
        origin: &Origin,
        seen: &[Seen],
        proven: &[(u64, u64, i64)],
    ) -> Result<(), IndexError> {
        let origin = origin.to_string();
        let mut tx = self.db().begin().await?;
        let columns = ["origin", "size", "seen", "authority", "key_name", "time"];
        let rows: Vec<Vec<Value>> = seen
            .iter()
            .map(|s| {
                vec![
                    origin.as_str().into(),
                    int(s.size),
                    int(s.n),
                    s.authority.as_str().into(),
                    s.key_name.as_str().into(),
                    int(s.time),
                ]
            })
            .collect();
        tx.insert_many("cosignature", &columns, &rows, Conflict::Ignore).await?;
        for (first, end, time) in proven {
            let values = [origin.as_str().into(), int(*first), int(*end), (*time).into()];
            tx.run(
                "update entry set proven = $4 where origin = $1 and pos >= $2 and pos < $3
                 and (proven is null or proven <> $4)",
                &values,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether no receipt is known, as after the index was lost.
    pub async fn has_no_receipts(&self) -> Result<bool, IndexError> {
        let rows = self.db.rows("select 1 from receipt limit 1", &[]).await?;
        Ok(rows.is_empty())
    }

    /// Records a receipt.
    pub async fn received(&self, origin: &Origin, receipt: &Receipt) -> Result<(), IndexError> {
        let mut tx = self.db().begin().await?;
        let row = vec![
            origin.to_string().into(),
            receipt.authority.as_str().into(),
            int(receipt.size),
            int(receipt.time),
        ];
        tx.insert_many("receipt", &["origin", "authority", "size", "time"], &[row], Conflict::Ignore).await?;
        tx.commit().await?;
        Ok(())
    }
}
