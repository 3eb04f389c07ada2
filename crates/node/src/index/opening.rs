//! Opening: from the entry of a record to its header and to what the desks want of its content.
//!
//! The header comes first: a sealed record is known as soon as its inner header is here, whatever else is still
//! under way. Plaintexts stay in memory. What is sealed is refused as soon as any part of it that is here is not what
//! was committed to, so that the answer depends on what is held and not on when it came.

use std::sync::Arc;

use bytes::Bytes;
use record::seal::{self, Identity, OpenError, OpenedHeader};
use record::{Header, Record};
use tlog::hash::Hash;

use super::source::Source;
use super::{Content, IndexError};
use crate::desks;
use crate::fault::Fault;

/// Files of a record are looked at together with its header if they are no longer than this all together, in bytes; larger
/// ones by themselves, after the entries around it are in.
pub(super) const SMALL: u64 = 64 << 10;
/// And if there are no more of them than this.
const FEW: usize = 8;
/// What is sealed in more bytes than this is opened on a thread of its own: a file may try thousands of keys.
const INLINE: usize = 16 << 10;

/// What can be said of a valid record.
#[derive(Debug)]
pub(super) enum Opening {
    /// Its header is known; of a sealed record the inner one.
    Open {
        /// The inner header, of a sealed record.
        inner: Option<Box<Header>>,
        /// What the desks want of it, unless that is not here yet.
        content: Option<Content>,
        /// Files of it are here that were not looked at.
        has_more: bool,
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
    fn open(content: Option<Content>, has_more: bool) -> Self {
        Self::Open { inner: None, content, has_more }
    }
}

/// Which of the files behind a header are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// All, if they are small.
    Small,
    /// All.
    Whole,
    /// This one, which has come.
    One(Hash),
}

/// Opens one record after the other with keys that are read once.
pub(super) struct Opener<'s> {
    source: &'s dyn Source,
    keys: [Option<Arc<[Identity]>>; 2],
}

impl<'s> Opener<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        Self { source, keys: [None, None] }
    }

    /// `root` is the version of the author's root in force at the record's place.
    pub(super) async fn open(
        &mut self,
        record: &Record,
        root: u64,
        part: Part,
    ) -> Result<Opening, IndexError> {
        if record.is_sealed() {
            return self.unseal(record, root, part).await;
        }
        let Some(blob) = desks::wanted(&record.header) else {
            return Ok(Opening::open(Some(Content::default()), false));
        };
        if matches!(part, Part::Small) && blob.size > SMALL {
            return Ok(Opening::open(None, self.source.has_blob(&blob.sha256).await?));
        }
        let bytes = self.source.blob(&blob.sha256).await?;
        Ok(Opening::open(bytes.map(|bytes| Content::new([(blob.sha256, bytes)])), false))
    }

    async fn unseal(&mut self, record: &Record, root: u64, part: Part) -> Result<Opening, IndexError> {
        let header = &record.header;
        if header.expires.is_some_and(|day| day.start() <= self.source.now()) {
            return Ok(Opening::Expired);
        }
        let Some(chain) = self.source.chain(&header.author) else { return Ok(Opening::NotForUs) };
        let Some(first) = header.blobs.first() else { return Ok(Opening::NotForUs) };
        let Some(bytes) = self.source.blob(&first.sha256).await? else { return Ok(Opening::Closed) };
        let keys = self.keys(header.expires.is_some()).await?;
        let (sealed, with) = (record.clone(), keys.clone());
        let opened = working(bytes.len(), move || {
            seal::open_header(&sealed, &chain, root, |_| Some(bytes.to_vec()), &with)
        });
        let opened = match opened.await {
            Ok(opened) => Arc::new(opened),
            Err(error) => return Ok(failed(self.source, record, &keys, error)),
        };
        let inner = Some(Box::new(opened.inner.header.clone()));
        if matches!(part, Part::Small) && !are_small(&opened) {
            return Ok(Opening::Open { inner, content: None, has_more: true });
        }
        match contents(self.source, &opened, &keys, part).await? {
            Ok(content) => Ok(Opening::Open { inner, content, has_more: false }),
            Err(error) => Ok(failed(self.source, record, &keys, error)),
        }
    }

    async fn keys(&mut self, expiring: bool) -> Result<Arc<[Identity]>, IndexError> {
        let keys = &mut self.keys[usize::from(expiring)];
        match keys {
            Some(keys) => Ok(keys.clone()),
            None => Ok(keys.insert(self.source.identities(expiring).await?.into()).clone()),
        }
    }
}

fn are_small(opened: &OpenedHeader) -> bool {
    opened.content.len() <= FEW && opened.content.iter().map(|blob| blob.size).sum::<u64>() <= SMALL
}

/// Does what computes long where it holds up nobody who waits for the network or the disk.
pub(super) async fn working<T: Send + 'static>(bytes: usize, job: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes <= INLINE {
        return job();
    }
    match tokio::task::spawn_blocking(job).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The program ends.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// Verifies every content that is here and that `part` says; what the desks want of it, unless that is missing.
async fn contents(
    source: &dyn Source,
    opened: &Arc<OpenedHeader>,
    keys: &Arc<[Identity]>,
    part: Part,
) -> Result<Result<Option<Content>, OpenError>, IndexError> {
    let wanted = desks::wanted(&opened.inner.header).map(|blob| blob.sha256);
    let mut content = Content::default().with_inner_text(opened.inner_text.clone());
    let mut lacks_wanted = wanted.is_some();
    for (n, blob) in opened.content.iter().enumerate() {
        if matches!(part, Part::One(came) if came != blob.sha256) {
            continue;
        }
        let Some(bytes) = source.blob(&blob.sha256).await? else { continue };
        match plaintext(opened, n, bytes, keys).await {
            Ok(plaintext) => {
                let Some(described) = opened.inner.header.blobs.get(n) else { continue };
                if wanted == Some(described.sha256) {
                    content.add(described.sha256, plaintext.into());
                    lacks_wanted = false;
                }
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok((!lacks_wanted).then_some(content)))
}

/// What lies sealed in a file of an opened record.
async fn plaintext(
    opened: &Arc<OpenedHeader>,
    n: usize,
    bytes: Bytes,
    keys: &Arc<[Identity]>,
) -> Result<Vec<u8>, OpenError> {
    let (opened, keys) = (opened.clone(), keys.clone());
    let done = working(bytes.len(), move || opened.plaintext(n, |_| Some(bytes.to_vec()), &keys));
    done.await.map(|(plaintext, _)| plaintext)
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
    let sealed = record.clone();
    let opened = working(bytes.len(), move || {
        seal::open_header(&sealed, &chain, root, |_| Some(bytes.to_vec()), &keys)
    });
    Ok(opened.await.ok())
}

/// Opens a record with all its content that is here, for whoever may see it; `None` if it is not here, not for us,
/// refused or expired.
pub async fn open(source: &dyn Source, record: &Record, root: u64) -> Result<Option<Opened>, IndexError> {
    let mut content = Content::default();
    if !record.is_sealed() {
        for blob in &record.header.blobs {
            if let Some(bytes) = source.blob(&blob.sha256).await? {
                content.add(blob.sha256, bytes);
            }
        }
        return Ok(Some(Opened { inner: None, content }));
    }
    let Some(opened) = open_header(source, record, root).await?.map(Arc::new) else { return Ok(None) };
    let keys: Arc<[Identity]> = source.identities(record.header.expires.is_some()).await?.into();
    content = content.with_inner_text(opened.inner_text.clone());
    for (n, blob) in opened.content.iter().enumerate() {
        let Some(bytes) = source.blob(&blob.sha256).await? else { continue };
        let Ok(plaintext) = plaintext(&opened, n, bytes, &keys).await else { return Ok(None) };
        if let Some(described) = opened.inner.header.blobs.get(n) {
            content.add(described.sha256, plaintext.into());
        }
    }
    Ok(Some(Opened { inner: Some(opened.inner.header.clone()), content }))
}
