//! Reading and writing the text of a trust root, and the rules that concern one root alone.
//! It never looks at signatures or at other versions.

use std::collections::HashSet;
use std::str::FromStr;

use tlog::{Hash, VerifierKey};

use super::{
    AgeRecipient, Direction, ListedKey, MAX_EXPIRING_DAYS, MAX_ROOT, Role, RootError, Succession, TrustRoot,
    key_name,
};
use crate::encoding::{EncodingError, Time, decimal};
use crate::kind::is_kind;
use crate::lines::{Limits, RawLine, parse_text, push};

/// First line of a trust root.
pub const ROOT_TAG: &str = "concord.root/v1";
/// Most lines of a trust root's text.
pub const MAX_ROOT_LINES: usize = 1_024;

const LIMITS: Limits = Limits { bytes: MAX_ROOT, lines: MAX_ROOT_LINES };

/// The known keys, in their order. A line of one of them at another place is refused.
const KNOWN: [&str; 15] = [
    "authority",
    "version",
    "previous",
    "from",
    "until",
    "threshold",
    "root",
    "next",
    "key",
    "age",
    "revoke",
    "endpoint",
    "mirror",
    "succeeds",
    "succeeded-by",
];

pub(super) fn write(root: &TrustRoot) -> String {
    let mut text = format!("{ROOT_TAG}\n");
    push(&mut text, "authority", &root.authority);
    push(&mut text, "version", root.version);
    if let Some(hash) = root.previous {
        push(&mut text, "previous", hash.to_hex());
    }
    push(&mut text, "from", root.from);
    push(&mut text, "until", root.until);
    push(&mut text, "threshold", root.threshold);
    root.roots.iter().for_each(|key| push(&mut text, "root", key));
    if let Some((threshold, hashes)) = &root.next {
        let fields: Vec<String> =
            std::iter::once(threshold.to_string()).chain(hashes.iter().map(Hash::to_hex)).collect();
        push(&mut text, "next", fields.join(" "));
    }
    for ListedKey { role, vkey, kinds } in &root.keys {
        let mut fields = vec![role.to_string(), vkey.to_string()];
        fields.extend(kinds.iter().cloned());
        push(&mut text, "key", fields.join(" "));
    }
    for AgeRecipient { recipient, from, until, expiring } in &root.age {
        let expiring = if *expiring { " expiring" } else { "" };
        push(&mut text, "age", format_args!("{recipient} {from} {until}{expiring}"));
    }
    for (key, time) in &root.revoked {
        push(&mut text, "revoke", format_args!("{key} {time}"));
    }
    root.endpoint.iter().for_each(|url| push(&mut text, "endpoint", url));
    root.mirrors.iter().for_each(|url| push(&mut text, "mirror", url));
    for Succession { direction, authority, fingerprint } in &root.succession {
        push(&mut text, direction.as_str(), format_args!("{authority} {fingerprint}"));
    }
    root.unknown.iter().for_each(|line| push(&mut text, line.key(), line.value()));
    text
}

pub(super) fn parse(text: &str) -> Result<TrustRoot, RootError> {
    let lines = parse_text(text, ROOT_TAG, LIMITS)?;
    let mut reader = Reader { lines: &lines };
    let root = TrustRoot {
        authority: value(reader.required("authority")?)?,
        version: read_version(reader.required("version")?)?,
        previous: reader.optional(&["previous"]).map(read_previous).transpose()?,
        from: value(reader.required("from")?)?,
        until: value(reader.required("until")?)?,
        threshold: number(reader.required("threshold")?)?,
        roots: reader.many(&["root"], vkey)?,
        next: reader.optional(&["next"]).map(read_next).transpose()?,
        keys: reader.many(&["key"], read_key)?,
        age: reader.many(&["age"], read_age)?,
        revoked: reader.many(&["revoke"], read_revoke)?,
        endpoint: reader.optional(&["endpoint"]).map(read_url).transpose()?,
        mirrors: reader.many(&["mirror"], read_url)?,
        succession: reader.many(&["succeeds", "succeeded-by"], read_succession)?,
        unknown: Vec::new(),
    };
    for line in reader.lines {
        if KNOWN.contains(&line.key) {
            return Err(RootError::Order { line: line.number, key: line.key.into() });
        }
        if line.key.starts_with('!') {
            return Err(RootError::Critical { line: line.number, key: line.key.into() });
        }
    }
    check(&root)?;
    Ok(TrustRoot { unknown: reader.lines.iter().map(|line| line.to_line()).collect(), ..root })
}

fn check(root: &TrustRoot) -> Result<(), RootError> {
    if root.version == 0 || root.previous.is_some() != (root.version > 1) {
        return Err(RootError::Previous { version: root.version });
    }
    if root.until <= root.from {
        return Err(RootError::Period { key: "until" });
    }
    check_threshold(root.threshold, root.roots.len())?;
    if let Some((threshold, hashes)) = &root.next {
        check_threshold(*threshold, hashes.len())?;
    }
    check_keys(root)?;
    check_age(&root.age)
}

fn check_threshold(threshold: u32, keys: usize) -> Result<(), RootError> {
    let within = threshold > 0 && usize::try_from(threshold).is_ok_and(|t| t <= keys);
    if within { Ok(()) } else { Err(RootError::Threshold { threshold, keys }) }
}

fn check_keys(root: &TrustRoot) -> Result<(), RootError> {
    let roots = root.roots.iter().map(|vkey| (Role::Root, vkey));
    let mut seen = HashSet::new();
    for (role, vkey) in roots.chain(root.keys.iter().map(|key| (key.role, &key.vkey))) {
        let named = key_name(vkey.name(), role).is_some_and(|(authority, _)| authority == root.authority);
        if !named || vkey.key_type() != role.key_type() {
            let (name, authority) = (vkey.name().to_owned(), root.authority.clone());
            return Err(RootError::KeyName { name, authority, role });
        }
        if !seen.insert(vkey.public()) {
            return Err(RootError::ListedTwice { name: vkey.name().to_owned() });
        }
    }
    Ok(())
}

fn check_age(recipients: &[AgeRecipient]) -> Result<(), RootError> {
    let mut seen = HashSet::new();
    for AgeRecipient { recipient, from, until, expiring } in recipients {
        if until <= from {
            return Err(RootError::Period { key: "age" });
        }
        if *expiring && until.posix() - from.posix() > MAX_EXPIRING_DAYS * 86_400 {
            return Err(RootError::ExpiringTooLong { limit: MAX_EXPIRING_DAYS });
        }
        if !seen.insert(recipient) {
            return Err(RootError::ListedTwice { name: recipient.clone() });
        }
    }
    Ok(())
}

// ------------------------------------------------------------------------------------------------ reading

/// Takes lines from the front, in the order of [`KNOWN`].
struct Reader<'a> {
    lines: &'a [RawLine<'a>],
}

impl<'a> Reader<'a> {
    fn optional(&mut self, keys: &[&str]) -> Option<RawLine<'a>> {
        let (first, rest) = self.lines.split_first()?;
        keys.contains(&first.key).then(|| {
            self.lines = rest;
            *first
        })
    }

    fn required(&mut self, key: &'static str) -> Result<RawLine<'a>, RootError> {
        self.optional(&[key]).ok_or(RootError::Missing { key })
    }

    fn many<T>(
        &mut self,
        keys: &[&str],
        read: impl Fn(RawLine<'a>) -> Result<T, RootError>,
    ) -> Result<Vec<T>, RootError> {
        let mut values = Vec::new();
        while let Some(line) = self.optional(keys) {
            values.push(read(line)?);
        }
        Ok(values)
    }
}

fn value<T: FromStr<Err = EncodingError>>(line: RawLine<'_>) -> Result<T, RootError> {
    line.value.parse().map_err(|source| RootError::Field { line: line.number, key: line.key.into(), source })
}

fn shaped<T>(line: RawLine<'_>, value: Option<T>, wanted: &'static str) -> Result<T, RootError> {
    value.ok_or_else(|| RootError::Shape { line: line.number, key: line.key.into(), wanted })
}

fn number(line: RawLine<'_>) -> Result<u32, RootError> {
    shaped(line, decimal(line.value).ok(), "a decimal")
}

fn read_version(line: RawLine<'_>) -> Result<u64, RootError> {
    shaped(line, decimal(line.value).ok(), "a decimal")
}

fn read_previous(line: RawLine<'_>) -> Result<Hash, RootError> {
    shaped(line, Hash::from_hex(line.value).ok(), "64 lower-case hexadecimal digits")
}

fn vkey(line: RawLine<'_>) -> Result<VerifierKey, RootError> {
    shaped(line, line.value.parse().ok(), "a vkey")
}

fn read_next(line: RawLine<'_>) -> Result<(u32, Vec<Hash>), RootError> {
    let next = || {
        let mut fields = line.value.split(' ');
        let threshold = decimal(fields.next()?).ok()?;
        let hashes = fields.map(|hash| Hash::from_hex(hash).ok()).collect::<Option<Vec<_>>>()?;
        let different: HashSet<_> = hashes.iter().collect();
        (different.len() == hashes.len()).then_some((threshold, hashes))
    };
    shaped(line, next(), "next <threshold> <sha256(vkey)> ..., each hash once")
}

fn read_key(line: RawLine<'_>) -> Result<ListedKey, RootError> {
    let key = || {
        let mut fields = line.value.split(' ');
        let role = fields.next()?.parse().ok().filter(|role| *role != Role::Root)?;
        let vkey = fields.next()?.parse().ok()?;
        let kinds: Vec<String> = fields.map(str::to_owned).collect();
        let different: HashSet<_> = kinds.iter().collect();
        let sound = different.len() == kinds.len() && kinds.iter().all(|kind| is_kind(kind));
        sound.then_some(ListedKey { role, vkey, kinds })
    };
    shaped(line, key(), "key log|author|caller|witness|holds <vkey> [kind ...], each kind once")
}

fn read_age(line: RawLine<'_>) -> Result<AgeRecipient, RootError> {
    let recipient = || {
        let mut fields = line.value.split(' ');
        let recipient = fields.next()?;
        age::x25519::Recipient::from_str(recipient).ok().filter(|r| r.to_string() == recipient)?;
        let from: Time = fields.next()?.parse().ok()?;
        let until: Time = fields.next()?.parse().ok()?;
        let expiring = match fields.next() {
            None => false,
            Some("expiring") => true,
            Some(_) => return None,
        };
        let recipient = recipient.to_owned();
        fields.next().is_none().then_some(AgeRecipient { recipient, from, until, expiring })
    };
    shaped(line, recipient(), "age <age1... X25519 recipient> <from> <until> [expiring]")
}

fn read_revoke(line: RawLine<'_>) -> Result<(VerifierKey, Time), RootError> {
    let revoke = || {
        let (key, time) = line.value.split_once(' ')?;
        Some((key.parse().ok()?, time.parse().ok()?))
    };
    shaped(line, revoke(), "revoke <vkey> <time>")
}

/// Longest endpoint or mirror, in bytes.
const MAX_URL: usize = 512;

/// An endpoint is HTTPS, without a slash at its end, query or fragment. Plain HTTP is for one machine only:
/// for tests and demonstrations on the loopback address.
fn read_url(line: RawLine<'_>) -> Result<String, RootError> {
    let url = || {
        let rest = match line.value.strip_prefix("https://") {
            Some(rest) => rest,
            None => line.value.strip_prefix("http://").filter(|rest| {
                let host = rest.split('/').next().unwrap_or_default();
                let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
                matches!(host, "localhost" | "127.0.0.1" | "[::1]")
            })?,
        };
        let sound = line.value.len() <= MAX_URL
            && !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.ends_with('/')
            && !rest.contains(['?', '#', ' ', '@', '\\']);
        sound.then(|| line.value.to_owned())
    };
    shaped(line, url(), "an https:// address without slash at its end, query or fragment")
}

fn read_succession(line: RawLine<'_>) -> Result<Succession, RootError> {
    let succession = || {
        let direction: Direction = line.key.parse().ok()?;
        let (authority, fingerprint) = line.value.split_once(' ')?;
        let (authority, fingerprint) = (authority.parse().ok()?, fingerprint.parse().ok()?);
        Some(Succession { direction, authority, fingerprint })
    };
    shaped(line, succession(), "<authority> <fingerprint>")
}
