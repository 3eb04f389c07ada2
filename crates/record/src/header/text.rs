//! Reading and writing headers: the order of common lines, their forms, and the rules between them.
//! Writing never checks; reading accepts only what writing would have written.

use std::str::FromStr;

use tlog::Hash;

use super::{
    Anchor, BlobRef, COMMIT, COSIGNATURE, Header, HeaderError, INNER_TAG, LIMITS, MAX_EXPIRES_DAYS,
    RECORD_TAG, Ref, SALT,
};
use crate::encoding::{Authority, EncodingError, MediaType, decimal};
use crate::kind;
use crate::lines::{RawLine, parse_text, push};
use crate::origin::{Origin, parse_likely_of};

/// Which of the two texts a header is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Record,
    Inner,
}

impl Form {
    fn tag(self) -> &'static str {
        match self {
            Self::Record => RECORD_TAG,
            Self::Inner => INNER_TAG,
        }
    }
}

pub(super) fn write(header: &Header, form: Form) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(form.tag());
    text.push('\n');
    push(&mut text, "author", &header.author);
    if form == Form::Record {
        push(&mut text, "log", &header.log);
    }
    push(&mut text, "kind", &header.kind);
    push(&mut text, "id", header.id);
    push(&mut text, "edition", header.edition);
    if let Some(name) = header.supersedes {
        push(&mut text, "supersedes", name.to_hex());
    }
    push(&mut text, "released", header.released);
    push(&mut text, "status", header.status);
    if let Some(mechanism) = &header.mechanism {
        push(&mut text, "mechanism", mechanism);
    }
    for (label, time) in &header.about {
        push(&mut text, "about", format_args!("{label} {time}"));
    }
    if let Some(usage) = header.usage {
        push(&mut text, "use", usage);
    }
    header.refs.iter().for_each(|r| push(&mut text, "ref", r));
    header.anchors.iter().for_each(|anchor| push(&mut text, "anchor", anchor));
    header.blobs.iter().for_each(|blob| push(&mut text, "blob", blob));
    if let Some(date) = header.expires {
        push(&mut text, "expires", date);
    }
    header.own.iter().for_each(|line| push(&mut text, line.key(), line.value()));
    text
}

pub(super) fn parse_record(text: &str) -> Result<Header, HeaderError> {
    let lines = parse_text(text, RECORD_TAG, LIMITS)?;
    let header = read(&lines, None)?;
    if header.kind == kind::SEALED {
        check_outer(&header)?;
    } else if header.expires.is_some() {
        return Err(HeaderError::Forbidden { key: "expires".into(), place: "a record that is not sealed" });
    }
    Ok(header)
}

pub(super) fn parse_inner(text: &str, log: &Origin) -> Result<(Header, [u8; 32]), HeaderError> {
    let mut lines = parse_text(text, INNER_TAG, LIMITS)?;
    let salt = lines.pop().filter(|line| line.key == SALT).ok_or(HeaderError::Missing { key: SALT })?;
    let salt = field(salt, Hash::from_hex(salt.value).ok(), "64 lower-case hexadecimal digits")?;
    let header = read(&lines, Some(log))?;
    if header.kind == kind::SEALED || kind::is_log_kind(&header.kind) {
        return Err(HeaderError::Forbidden { key: "kind".into(), place: "an inner header" });
    }
    if let Some(line) = header.own.iter().find(|line| matches!(line.key(), SALT | COMMIT)) {
        return Err(HeaderError::Forbidden { key: line.key().into(), place: "an inner header, again" });
    }
    Ok((header, salt.0))
}

/// What an outer header may say: nothing that a carrier of the bytes need not know. In a public log it is the
/// outer header of a published record: its blobs are clear, the inner header first.
fn check_outer(header: &Header) -> Result<(), HeaderError> {
    let published = header.log.audience.is_public();
    let sealed = |blob: &BlobRef| blob.media_type == MediaType::age() && blob.lang.is_none();
    let blobs = if published {
        header.blobs.first().is_none_or(|blob| blob.media_type == MediaType::plain() && blob.lang.is_none())
    } else {
        header.blobs.iter().all(sealed)
    };
    let forbidden = [
        ("supersedes", header.supersedes.is_some()),
        ("mechanism", header.mechanism.is_some()),
        ("about", !header.about.is_empty()),
        ("use", header.usage.is_some()),
        ("ref", !header.refs.is_empty()),
        ("anchor", !header.anchors.is_empty()),
        ("blob", !blobs),
        ("expires", published && header.expires.is_some()),
    ];
    if let Some((key, _)) = forbidden.iter().find(|(_, stands)| *stands) {
        return Err(HeaderError::Forbidden { key: (*key).into(), place: "an outer header" });
    }
    if header.blobs.is_empty() {
        return Err(HeaderError::Missing { key: "blob" });
    }
    let commit = header.own_once(COMMIT).and_then(|hash| Hash::from_hex(hash).ok());
    commit.map(drop).ok_or(HeaderError::Missing { key: COMMIT })
}

// ------------------------------------------------------------------------------------------------ reading

/// The closed list of common keys. A line of one of them anywhere but at its place is refused.
const COMMON: [&str; 15] = [
    "author",
    "log",
    "kind",
    "id",
    "edition",
    "supersedes",
    "released",
    "status",
    "mechanism",
    "about",
    "use",
    "ref",
    "anchor",
    "blob",
    "expires",
];

/// Takes lines from the front, in the order of the common lines.
struct Reader<'a> {
    lines: &'a [RawLine<'a>],
}

impl<'a> Reader<'a> {
    fn optional(&mut self, key: &str) -> Option<RawLine<'a>> {
        let (first, rest) = self.lines.split_first()?;
        (first.key == key).then(|| {
            self.lines = rest;
            *first
        })
    }

    fn required(&mut self, key: &'static str) -> Result<RawLine<'a>, HeaderError> {
        self.optional(key).ok_or(HeaderError::Missing { key })
    }

    fn many<T>(
        &mut self,
        key: &str,
        read: impl Fn(RawLine<'a>) -> Result<T, HeaderError>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut values = Vec::new();
        while let Some(line) = self.optional(key) {
            values.push(read(line)?);
        }
        Ok(values)
    }
}

fn read(lines: &[RawLine<'_>], inner_of: Option<&Origin>) -> Result<Header, HeaderError> {
    let mut reader = Reader { lines };
    let author = value(reader.required("author")?)?;
    let log = match inner_of {
        Some(log) => log.clone(),
        None => read_log(reader.required("log")?, &author)?,
    };
    let header = Header {
        author,
        log,
        kind: read_kind(reader.required("kind")?)?,
        id: value(reader.required("id")?)?,
        edition: read_edition(reader.required("edition")?)?,
        supersedes: reader.optional("supersedes").map(hash).transpose()?,
        released: value(reader.required("released")?)?,
        status: value(reader.required("status")?)?,
        mechanism: reader.optional("mechanism").map(value).transpose()?,
        about: reader.many("about", read_about)?,
        usage: reader.optional("use").map(value).transpose()?,
        refs: reader.many("ref", read_ref)?,
        anchors: reader.many("anchor", read_anchor)?,
        blobs: reader.many("blob", read_blob)?,
        expires: reader.optional("expires").map(value).transpose()?,
        own: Vec::new(),
    };
    if let Some(line) = reader.lines.iter().find(|line| COMMON.contains(&line.key)) {
        return Err(HeaderError::Order { line: line.number, key: line.key.into() });
    }
    check_between(&header)?;
    Ok(Header { own: reader.lines.iter().map(|line| line.to_line()).collect(), ..header })
}

fn check_between(header: &Header) -> Result<(), HeaderError> {
    // A charter supersedes another member's charter, under an id and edition of its own.
    let charter = header.kind == kind::CHARTER;
    if header.supersedes.is_some() != (header.edition > 1) && !charter {
        return Err(HeaderError::Supersedes { edition: header.edition });
    }
    if let Some(expires) = header.expires {
        let last = header.released.saturating_add(i64::from(MAX_EXPIRES_DAYS) * 86_400);
        if expires.start() <= header.released || expires.start() > last {
            return Err(HeaderError::Expires { limit: MAX_EXPIRES_DAYS });
        }
    }
    Ok(())
}

fn value<T: FromStr<Err = EncodingError>>(line: RawLine<'_>) -> Result<T, HeaderError> {
    line.value.parse().map_err(|source| HeaderError::Field {
        line: line.number,
        key: line.key.into(),
        source,
    })
}

fn read_log(line: RawLine<'_>, author: &Authority) -> Result<Origin, HeaderError> {
    parse_likely_of(line.value, author).map_err(|source| HeaderError::Field {
        line: line.number,
        key: line.key.into(),
        source,
    })
}

fn field<T>(line: RawLine<'_>, value: Option<T>, wanted: &'static str) -> Result<T, HeaderError> {
    value.ok_or_else(|| HeaderError::Shape { line: line.number, key: line.key.into(), wanted })
}

fn hash(line: RawLine<'_>) -> Result<Hash, HeaderError> {
    field(line, Hash::from_hex(line.value).ok(), "64 lower-case hexadecimal digits")
}

fn read_kind(line: RawLine<'_>) -> Result<String, HeaderError> {
    let kind = kind::is_kind(line.value).then(|| line.value.to_owned());
    field(line, kind, "lower-case words joined by dots")
}

fn read_edition(line: RawLine<'_>) -> Result<u32, HeaderError> {
    field(line, decimal(line.value).ok().filter(|edition| *edition > 0), "a number from 1")
}

fn read_about(line: RawLine<'_>) -> Result<(String, super::TimeOrDate), HeaderError> {
    let about = || {
        let (label, time) = line.value.split_once(' ')?;
        let word = label.len() <= 32 && label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        Some((word.then(|| label.to_owned())?, time.parse().ok()?))
    };
    field(line, about(), "about <label of a-z and hyphens> <time or date>")
}

fn read_ref(line: RawLine<'_>) -> Result<Ref, HeaderError> {
    let reference = || {
        let (relation, target) = line.value.split_once(' ')?;
        let (author, name) = target.split_once('/')?;
        Some(Ref {
            relation: relation.parse().ok()?,
            author: author.parse().ok()?,
            name: Hash::from_hex(name).ok()?,
        })
    };
    field(line, reference(), "ref <relation of the closed list> <authority>/<name>")
}

fn read_anchor(line: RawLine<'_>) -> Result<Anchor, HeaderError> {
    let anchor = || {
        let mut fields = line.value.split(' ');
        let origin = fields.next()?.parse().ok()?;
        let size = decimal(fields.next()?).ok()?;
        let root = Hash::from_base64(fields.next()?).ok()?;
        let witness = fields.next()?.to_owned();
        crate::root::key_name(&witness, crate::root::Role::Witness)?;
        let cosignature = <[u8; COSIGNATURE]>::try_from(tlog::base64::decode(fields.next()?).ok()?).ok()?;
        fields.next().is_none().then_some(Anchor { origin, size, root, witness, cosignature })
    };
    field(line, anchor(), "anchor <origin> <size> <root> <witness key name> <base64 cosignature>")
}

fn read_blob(line: RawLine<'_>) -> Result<BlobRef, HeaderError> {
    let blob = || {
        let mut fields = line.value.split(' ');
        let media_type = fields.next()?.parse().ok()?;
        let size = decimal(fields.next()?).ok()?;
        let sha256 = Hash::from_hex(fields.next()?).ok()?;
        let lang = match fields.next() {
            Some(lang) => Some(lang.parse().ok()?),
            None => None,
        };
        fields.next().is_none().then_some(BlobRef { media_type, size, sha256, lang })
    };
    field(line, blob(), "blob <media type> <size> <sha256> [language]")
}
