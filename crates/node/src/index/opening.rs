//! Opening: from the entry of a record to its header and to what the desks want of its content.
//!
//! The header comes first: a sealed record is known as soon as its inner header is here, whatever else is still
//! under way. Plaintexts stay in memory. What is sealed is refused as soon as any part of it that is here is not what
//! was committed to, so that the answer depends on what is held and not on when it came.

use record::seal::{self, Identity, OpenError, OpenedHeader};
use record::{Header, Record};

use super::source::Source;
use super::{Content, IndexError};
use crate::desks;
use crate::fault::Fault;

/// What can be said of a valid record.
#[derive(Debug)]
pub(super) enum Opening {
    /// Its header is known; of a sealed record the inner one.
    Open {
        /// The inner header, of a sealed record.
        inner: Option<Box<Header>>,
        /// What the desks want of it, unless that is not here yet.
        content: Option<Content>,
    },
    /// Sealed, and its inner header has not come.
    Closed,
    /// Personal data whose day has come: nobody opens it any more.
    Expired,
    /// Sealed for others.
    NotForUs,
    /// Refused: the seal is broken.
    Refused(Fault),
}

impl Opening {
    fn open(content: Option<Content>) -> Self {
        Self::Open { inner: None, content }
    }
}

/// Opens one record after the other with keys that are read once.
pub(super) struct Opener<'s> {
    source: &'s dyn Source,
    keys: [Option<Vec<Identity>>; 2],
}

impl<'s> Opener<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        Self { source, keys: [None, None] }
    }

    /// `root` is the version of the author's root in force at the record's place.
    pub(super) async fn open(&mut self, record: &Record, root: u64) -> Result<Opening, IndexError> {
        if record.is_sealed() {
            return self.unseal(record, root).await;
        }
        let Some(blob) = desks::wanted(&record.header) else {
            return Ok(Opening::open(Some(Content::default())));
        };
        let bytes = self.source.blob(&blob.sha256).await?;
        Ok(Opening::open(bytes.map(|bytes| Content::new([(blob.sha256, bytes.to_vec())]))))
    }

    async fn unseal(&mut self, record: &Record, root: u64) -> Result<Opening, IndexError> {
        let header = &record.header;
        if header.expires.is_some_and(|day| day.start() <= self.source.now()) {
            return Ok(Opening::Expired);
        }
        let Some(chain) = self.source.chain(&header.author) else { return Ok(Opening::NotForUs) };
        let Some(first) = header.blobs.first() else { return Ok(Opening::NotForUs) };
        let Some(bytes) = self.source.blob(&first.sha256).await? else { return Ok(Opening::Closed) };
        let source = self.source;
        let keys = self.keys(header.expires.is_some()).await?;
        let opened = match seal::open_header(record, &chain, root, |_| Some(bytes.to_vec()), keys) {
            Ok(opened) => opened,
            Err(error) => return Ok(failed(source, record, keys, error)),
        };
        match contents(source, &opened, keys).await? {
            Ok(content) => Ok(Opening::Open { inner: Some(Box::new(opened.inner.header)), content }),
            Err(error) => Ok(failed(source, record, keys, error)),
        }
    }

    async fn keys(&mut self, expiring: bool) -> Result<&[Identity], IndexError> {
        let keys = &mut self.keys[usize::from(expiring)];
        match keys {
            Some(keys) => Ok(keys),
            None => Ok(keys.insert(self.source.identities(expiring).await?)),
        }
    }
}

/// Verifies every content that is here; what the desks want of it, unless that is missing.
async fn contents(
    source: &dyn Source,
    opened: &OpenedHeader,
    keys: &[Identity],
) -> Result<Result<Option<Content>, OpenError>, IndexError> {
    let wanted = desks::wanted(&opened.inner.header).map(|blob| blob.sha256);
    let mut content = Content::default().with_inner_text(opened.inner_text.clone());
    let mut lacks_wanted = wanted.is_some();
    for (n, blob) in opened.content.iter().enumerate() {
        let Some(bytes) = source.blob(&blob.sha256).await? else { continue };
        match opened.plaintext(n, |_| Some(bytes.to_vec()), keys) {
            Ok((plaintext, _)) => {
                let Some(described) = opened.inner.header.blobs.get(n) else { continue };
                if wanted == Some(described.sha256) {
                    content.add(described.sha256, plaintext);
                    lacks_wanted = false;
                }
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok((!lacks_wanted).then_some(content)))
}

fn failed(source: &dyn Source, record: &Record, keys: &[Identity], error: OpenError) -> Opening {
    match error {
        OpenError::Missing { .. } => Opening::Closed,
        error if error.is_refusal(source.holds_listed_keys(record, keys)) => Opening::Refused(error.into()),
        _ => Opening::NotForUs,
    }
}

/// What a record says and holds, as far as it is here.
pub struct Opened {
    /// The inner header, of a sealed record.
    pub inner: Option<Header>,
    /// Its blobs that are here.
    pub content: Content,
}

/// The header of a sealed record, opened; `None` if it is not here, not for us, refused or expired.
pub async fn open_header(
    source: &dyn Source,
    record: &Record,
    root: u64,
) -> Result<Option<OpenedHeader>, IndexError> {
    let header = &record.header;
    if header.expires.is_some_and(|day| day.start() <= source.now()) {
        return Ok(None);
    }
    let (Some(chain), Some(first)) = (source.chain(&header.author), header.blobs.first()) else {
        return Ok(None);
    };
    let Some(bytes) = source.blob(&first.sha256).await? else { return Ok(None) };
    let keys = source.identities(header.expires.is_some()).await?;
    Ok(seal::open_header(record, &chain, root, |_| Some(bytes.to_vec()), &keys).ok())
}

/// Opens a record with all its content that is here, for whoever may see it; `None` if it is not here, not for us,
/// refused or expired.
pub async fn open(source: &dyn Source, record: &Record, root: u64) -> Result<Option<Opened>, IndexError> {
    let mut content = Content::default();
    if !record.is_sealed() {
        for blob in &record.header.blobs {
            if let Some(bytes) = source.blob(&blob.sha256).await? {
                content.add(blob.sha256, bytes.to_vec());
            }
        }
        return Ok(Some(Opened { inner: None, content }));
    }
    let Some(opened) = open_header(source, record, root).await? else { return Ok(None) };
    let keys = source.identities(record.header.expires.is_some()).await?;
    content = content.with_inner_text(opened.inner_text.clone());
    for (n, blob) in opened.content.iter().enumerate() {
        let Some(bytes) = source.blob(&blob.sha256).await? else { continue };
        let Ok((plaintext, _)) = opened.plaintext(n, |_| Some(bytes.to_vec()), &keys) else {
            return Ok(None);
        };
        if let Some(described) = opened.inner.header.blobs.get(n) {
            content.add(described.sha256, plaintext);
        }
    }
    Ok(Some(Opened { inner: Some(opened.inner.header), content }))
}
