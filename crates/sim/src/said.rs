//! What authorities say: figures and notices with editions and twins, withdrawals, what is released again. It makes
//! entries and blobs as a node does, really sealed; it appends nothing and judges nothing.

use std::collections::BTreeSet;

use record::seal::{self, Inner, Opened, OuterParts, Recipients, Sealed};
use record::{
    Authority, BlobRef, Header, MAX_BLOB, MediaType, Origin, Readers, Record, Ref, Relation, Status,
    TrustRoot, Ulid, kind,
};
use tlog::{Hash, sha256};

use crate::cast::{self, Versions};

/// Something that is going to be said.
#[derive(Debug, Clone)]
pub struct Say {
    /// Of what kind.
    pub kind: &'static str,
    /// Which thing of its author.
    pub thing: u64,
    /// Which edition of it.
    pub edition: u32,
    /// Of what status.
    pub status: Status,
    /// What it refers to.
    pub refs: Vec<Ref>,
    /// Its contents: a table comes first, if there is one.
    pub contents: Vec<(MediaType, Vec<u8>)>,
    /// Whether it names a blob that is too large to be fetched, and that nobody has.
    pub names_too_large: bool,
}

/// What was said: enough to speak of it again.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who said it.
    pub author: Authority,
    /// Its name.
    pub name: Hash,
    /// Its status.
    pub status: Status,
    /// What was sealed, if it was.
    pub sealed: Option<(Inner, Vec<Vec<u8>>)>,
}

impl Said {
    /// The reference of a record that withdraws it.
    pub fn withdraw(&self) -> Ref {
        Ref { relation: Relation::Withdraws, author: self.author.clone(), name: self.name }
    }
}

/// An entry, and what comes with it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The entry.
    pub entry: Vec<u8>,
    /// Its blobs.
    pub blobs: Vec<Vec<u8>>,
    /// What it says.
    pub said: Said,
}

/// Where and when something is said.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The log.
    pub origin: &'a Origin,
    /// Its readers.
    pub readers: &'a Readers,
    /// The root version of its author.
    pub version: u64,
    /// When it says that it is released, in milliseconds.
    pub clock: u64,
    /// Different for everything that is said.
    pub salt: u64,
}

fn random(salt: u64) -> [u8; 32] {
    sha256(&salt.to_be_bytes()).0
}

fn ulid(at: u64, salt: u64) -> Ulid {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&salt.to_be_bytes());
    Ulid::new(at, random)
}

/// A table of figures.
pub fn table(day: u64, value: u64) -> (MediaType, Vec<u8>) {
    let media_type = "text/csv;schema=hxl".parse().expect("a media type");
    let day = day % 3 + 1;
    let tags = "#date,#country+code,#affected+infected+confirmed+cumulative";
    (media_type, format!("{tags}\n2020-01-0{day},CHN,{value}\n").into_bytes())
}

/// Says something in a log.
pub fn make(say: Say, place: Place<'_>) -> Made {
    let Place { origin, readers, version, .. } = place;
    let Say { kind, thing, edition, status, refs, contents, names_too_large } = say;
    let mut header = Header {
        author: origin.authority.clone(),
        log: origin.clone(),
        kind: kind.to_owned(),
        id: Ulid::new(thing, [9; 10]),
        edition,
        supersedes: (edition > 1).then(|| sha256(b"the one before")),
        released: cast::time(place.clock),
        status,
        mechanism: None,
        about: Vec::new(),
        usage: None,
        refs,
        anchors: Vec::new(),
        blobs: contents.iter().map(|(kind, bytes)| cast::blob_ref(kind.clone(), bytes)).collect(),
        expires: None,
        own: Vec::new(),
    };
    let blobs: Vec<Vec<u8>> = contents.into_iter().map(|(_, bytes)| bytes).collect();
    if !readers.is_public() {
        return seal_it(Inner { header, salt: random(place.salt) }, blobs, place);
    }
    if names_too_large {
        let large = BlobRef {
            size: MAX_BLOB + 1,
            sha256: sha256(&random(place.salt)),
            ..cast::blob_ref(MediaType::plain(), b"")
        };
        header.blobs.push(large);
    }
    let entry = cast::sign(&header, version);
    let name = Record::parse(&entry).expect("just made").name();
    Made { entry, blobs, said: Said { author: header.author, name, status, sealed: None } }
}

/// Releases what was sealed again, to the readers of another log.
pub fn again(said: &Said, place: Place<'_>) -> Option<Made> {
    let (inner, contents) = said.sealed.clone()?;
    let header = Header { log: place.origin.clone(), ..inner.header };
    Some(seal_it(Inner { header, salt: inner.salt }, contents, place))
}

fn seal_it(inner: Inner, contents: Vec<Vec<u8>>, place: Place<'_>) -> Made {
    let released = cast::time(place.clock).max(inner.header.released);
    let parts = OuterParts { log: place.origin.clone(), id: ulid(place.clock, place.salt), released };
    let plaintexts: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    let Sealed { outer, blobs } = match place.readers {
        Readers::Public => publish(&inner, &contents, &parts),
        Readers::Set(readers) => {
            let recipients = recipients(readers, place.clock);
            seal::seal(&inner, &plaintexts, &recipients, &parts).expect("may be sealed")
        }
    };
    let entry = cast::sign(&outer, place.version);
    let (author, status) = (inner.header.author.clone(), inner.header.status);
    let name = inner.commit();
    Made { entry, blobs, said: Said { author, name, status, sealed: Some((inner, contents)) } }
}

fn publish(inner: &Inner, contents: &[Vec<u8>], parts: &OuterParts) -> Sealed {
    let opened = Opened {
        inner_text: inner.to_text(),
        inner: inner.clone(),
        plaintexts: contents.to_vec(),
        opened_by: Vec::new(),
    };
    seal::publish(&opened, &[], parts).expect("may be published")
}

/// Of all readers by their first roots: the age keys of an authority never change here.
fn recipients(readers: &BTreeSet<Authority>, clock: u64) -> Recipients {
    let roots: Vec<TrustRoot> =
        readers.iter().map(|reader| cast::chain(reader, Versions::FIRST).latest().clone()).collect();
    Recipients::of_readers(&roots, cast::time(clock), false).expect("recipients")
}

/// Kinds of things that have editions here.
pub fn kind_of(thing: u64) -> &'static str {
    if thing.is_multiple_of(2) { kind::FIGURES } else { kind::NOTICE }
}
