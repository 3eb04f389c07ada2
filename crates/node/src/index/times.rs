//! What others say of a log: witnesses that saw it, and readers that hold it.

use record::Origin;
use store::db::Conflict;

use super::rows::int;
use super::{IndexError, Writer};

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

impl Writer<'_> {
    /// Records a receipt.
    pub async fn received(&mut self, origin: &Origin, receipt: &Receipt) -> Result<(), IndexError> {
        let mut tx = self.index.db().begin().await?;
        let row = vec![
            origin.to_string().into(),
            receipt.authority.as_str().into(),
            int(receipt.size),
            int(receipt.time),
        ];
        // Of two receipts of one size the earlier says since when.
        let sql = "delete from receipt where origin = $1 and authority = $2 and size = $3 and time > $4";
        tx.run(sql, &row).await?;
        tx.insert_many("receipt", &["origin", "authority", "size", "time"], &[row], Conflict::Ignore).await?;
        tx.commit().await?;
        Ok(())
    }
}
