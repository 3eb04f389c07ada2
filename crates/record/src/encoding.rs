//! The small texts that every line is made of: times, dates, ULIDs, authorities, media types, languages,
//! fingerprints and decimals. Each has exactly one spelling; a second spelling of the same value is refused,
//! never repaired (fingerprints typed by people apart).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::refusal::Refusal;

/// Why a field's text is not of its type. `text` is cut to [`SHOWN`] characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: {text:?} (wanted: {wanted})")]
pub struct EncodingError {
    /// The type of field, e.g. `time`.
    pub what: &'static str,
    /// The offending text, cut.
    pub text: String,
    /// What would be right.
    pub wanted: &'static str,
}

/// How much of an offending text an error repeats, in characters.
pub const SHOWN: usize = 80;

impl EncodingError {
    pub(crate) fn new(what: &'static str, text: &str, wanted: &'static str) -> Self {
        Self { what, text: text.chars().take(SHOWN).collect(), wanted }
    }
}

impl Refusal for EncodingError {
    fn code(&self) -> &'static str {
        "field-malformed"
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        vec![("what", self.what.into()), ("text", self.text.clone()), ("wanted", self.wanted.into())]
    }
}

macro_rules! serialize_as_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serialize_as_text;

serialize_as_text!(Time, Date, Ulid, Authority, MediaType, Lang, Fingerprint);

// ---------------------------------------------------------------------------------------------- decimals

/// A decimal without sign or leading zeros.
///
/// # Errors
/// Anything else, and what does not fit the type.
pub fn decimal<N: FromStr>(text: &str) -> Result<N, EncodingError> {
    let error = || EncodingError::new("decimal", text, "decimal digits without leading zeros, in range");
    let plain = !text.is_empty()
        && text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().map_err(|_| error()) } else { Err(error()) }
}

// ---------------------------------------------------------------------------------------- times and dates

const SECONDS_PER_DAY: i64 = 86_400;
/// 1900-01-01, in days since 1970-01-01.
const FIRST_DAY: i32 = -25_567;
/// 9999-12-31, in days since 1970-01-01.
const LAST_DAY: i32 = 2_932_896;

/// A calendar day, UTC, of the years 1900 to 9999: `YYYY-MM-DD`. Holds days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// A second, UTC, of the years 1900 to 9999: `YYYY-MM-DDThh:mm:ssZ`. Holds POSIX seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Date {
    /// The day that is `days` after 1970-01-01, if its year is one of 1900 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        (FIRST_DAY..=LAST_DAY).contains(&days).then_some(Self(days))
    }

    /// The given day, if it exists.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1900..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        exists.then(|| Self(days_from_civil(year, month, day)))
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        self.0
    }

    /// Year, month and day.
    pub fn civil(self) -> (u16, u8, u8) {
        civil_from_days(self.0)
    }

    /// 00:00:00 UTC of this day.
    pub fn start(self) -> Time {
        Time(i64::from(self.0) * SECONDS_PER_DAY)
    }
}

impl Time {
    /// The time that is `seconds` after 1970-01-01T00:00:00Z, if its year is one of 1900 to 9999.
    pub fn from_posix(seconds: i64) -> Option<Self> {
        let days = i32::try_from(seconds.div_euclid(SECONDS_PER_DAY)).ok()?;
        Date::from_days(days).map(|_| Self(seconds))
    }

    /// POSIX seconds.
    pub fn posix(self) -> i64 {
        self.0
    }

    /// The UTC day that holds this second.
    pub fn date(self) -> Date {
        // In range: a `Time` is made only from days that fit.
        Date(i32::try_from(self.0.div_euclid(SECONDS_PER_DAY)).unwrap_or(LAST_DAY))
    }

    /// This time moved by `seconds`, kept within the years 1900 to 9999.
    #[must_use]
    pub fn saturating_add(self, seconds: i64) -> Self {
        let first = i64::from(FIRST_DAY) * SECONDS_PER_DAY;
        let last = (i64::from(LAST_DAY) + 1) * SECONDS_PER_DAY - 1;
        Self(self.0.saturating_add(seconds).clamp(first, last))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.date(), second / 3600, second / 60 % 60, second % 60)
    }
}

impl FromStr for Date {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let error = || EncodingError::new("date", text, "YYYY-MM-DD, years 1900 to 9999");
        date_of(text.as_bytes()).ok_or_else(error)
    }
}

impl FromStr for Time {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let error = || EncodingError::new("time", text, "YYYY-MM-DDThh:mm:ssZ, years 1900 to 9999");
        time_of(text.as_bytes()).ok_or_else(error)
    }
}

fn time_of(text: &[u8]) -> Option<Time> {
    let (date, clock) = (text.len() == 20).then(|| text.split_at(10))?;
    let [b'T', h0, h1, b':', m0, m1, b':', s0, s1, b'Z'] = *clock else { return None };
    let (hour, minute, second) = (pair(h0, h1)?, pair(m0, m1)?, pair(s0, s1)?);
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    // No leap second: POSIX time has none.
    (hour < 24 && minute < 60 && second < 60).then_some(())?;
    Some(Time(date_of(date)?.start().0 + seconds))
}

fn date_of(text: &[u8]) -> Option<Date> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text else { return None };
    Date::new(u16::from(pair(y0, y1)?) * 100 + u16::from(pair(y2, y3)?), pair(m0, m1)?, pair(d0, d1)?)
}

fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Proleptic Gregorian day count, after Howard Hinnant's `days_from_civil`; years here are positive.
fn days_from_civil(year: u16, month: u8, day: u8) -> i32 {
    let (year, month, day) = (i32::from(year), i32::from(month), i32::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i32) -> (u16, u8, u8) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    let fits = "a Date is within 1900 and 9999";
    (u16::try_from(year).expect(fits), u8::try_from(month).expect(fits), u8::try_from(day).expect(fits))
}

// -------------------------------------------------------------------------------------------------- ULID

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID: 48 bits of milliseconds since 1970 and 80 random bits, as 26 upper-case Crockford characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid(u128);

impl Ulid {
    /// Of a time in POSIX milliseconds (its low 48 bits) and 10 random bytes.
    pub fn new(milliseconds: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self(u128::from_be_bytes(bytes))
    }

    /// POSIX milliseconds.
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// The 16 bytes, big-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 26];
        for (at, slot) in text.iter_mut().rev().enumerate() {
            *slot = CROCKFORD[(self.0 >> (5 * at) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Ulid {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let error = || EncodingError::new("ULID", text, "26 upper-case Crockford base32 characters");
        // 26 characters hold 130 bits: the first one may use only three.
        if text.len() != 26 || text.as_bytes()[0] > b'7' {
            return Err(error());
        }
        text.bytes()
            .try_fold(0_u128, |value, b| {
                let digit = CROCKFORD.iter().position(|c| *c == b)?;
                Some(value << 5 | digit as u128)
            })
            .map(Self)
            .ok_or_else(error)
    }
}

// --------------------------------------------------------------------------------------------- authority

/// Longest authority, in bytes: a DNS name's.
pub const MAX_AUTHORITY: usize = 253;

/// An authority: a DNS name in lower-case A-labels with at least one dot, compared byte for byte. No top-level domain is a
/// number (RFC 1123, section 2.1), so what ends in one is an address or a slip of the keyboard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority(Arc<str>);

impl Authority {
    /// The DNS name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The authority of a key: the text of its name before the first `/`.
    ///
    /// # Errors
    /// The name has no `/`, or what stands before it is no authority.
    pub fn of_key_name(name: &str) -> Result<Self, EncodingError> {
        let error = || EncodingError::new("key name", name, "<authority>/<role>/<n>");
        name.split_once('/').ok_or_else(error)?.0.parse()
    }
}

/// A label that programs take for a part of an address: digits, or hexadecimal ones after `0x`.
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || label.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for Authority {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let wanted = "a DNS name in lower-case A-labels, with a dot, whose last label is no number";
        let ends_in_a_number = text.rsplit('.').next().is_some_and(is_number);
        if text.len() <= MAX_AUTHORITY
            && text.contains('.')
            && text.split('.').all(label)
            && !ends_in_a_number
        {
            Ok(Self(text.into()))
        } else {
            Err(EncodingError::new("authority", text, wanted))
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Authority {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// --------------------------------------------------------------------------------------------- media type

/// Longest media type with its parameters, in bytes.
pub const MAX_MEDIA_TYPE: usize = 200;

/// A media type (RFC 6838) with parameters and without spaces: `text/csv;schema=hxl`. Type, subtype and
/// parameter names are lower case; values are tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(String);

impl MediaType {
    /// `application/age`: every blob of a sealed record.
    pub fn age() -> Self {
        Self("application/age".into())
    }

    /// `text/plain`: a signed trust root, among others.
    pub fn plain() -> Self {
        Self("text/plain".into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Type and subtype, without parameters.
    pub fn essence(&self) -> &str {
        self.0.split(';').next().unwrap_or_default()
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.0.split(';').skip(1).filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name).map(|p| p.1)
    }
}

impl FromStr for MediaType {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
        };
        let token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&b))
        };
        let mut parts = text.split(';');
        let essence = parts.next().and_then(|e| e.split_once('/')).is_some_and(|(t, s)| name(t) && name(s));
        let parameters = parts.all(|p| p.split_once('=').is_some_and(|(n, v)| name(n) && token(v)));
        if text.len() <= MAX_MEDIA_TYPE && essence && parameters {
            Ok(Self(text.into()))
        } else {
            Err(EncodingError::new("media type", text, "lower-case type/subtype[;name=value], no spaces"))
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// ----------------------------------------------------------------------------------------------- language

/// A language tag, the subset of BCP 47 that is `[a-z]{2,3}` and subtags of up to 8 letters or digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang(String);

impl Lang {
    /// The whole tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Lang {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let mut parts = text.split('-');
        let primary = parts
            .next()
            .is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
        let rest = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if text.len() <= 35 && primary && rest {
            Ok(Self(text.into()))
        } else {
            Err(EncodingError::new("language", text, "a BCP 47 tag such as en, zh-Hant or pt-BR"))
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// -------------------------------------------------------------------------------------------- fingerprint

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Unpadded lower-case base32 (RFC 4648), most significant bits first.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// Whether every character is one of the lower-case base32 alphabet.
pub(crate) fn is_base32(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

/// SHA-256 of the text of an authority's root 1: what two operators compare. 52 base32 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The 52 characters in groups of four.
    pub fn grouped(&self) -> String {
        let text = self.to_string();
        let mut grouped = String::with_capacity(64);
        for (at, c) in text.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(c);
        }
        grouped
    }

    /// Parses what a person typed: spaces, hyphens and upper case are forgiven.
    ///
    /// # Errors
    /// It is not 52 base32 characters of a 32-byte hash.
    pub fn from_typed(text: &str) -> Result<Self, EncodingError> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(53)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        plain.parse()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let error = || EncodingError::new("fingerprint", text, "52 lower-case base32 characters");
        if text.len() != 52 || !is_base32(text) {
            return Err(error());
        }
        let mut bytes = [0; 32];
        let (mut held, mut bits, mut at) = (0_u32, 0, 0);
        for b in text.bytes() {
            let digit = if b.is_ascii_lowercase() { b - b'a' } else { b - b'2' + 26 };
            held = (held << 5 | u32::from(digit)) & 0xfff;
            bits += 5;
            if bits >= 8 && at < bytes.len() {
                bits -= 8;
                bytes[at] = u8::try_from(held >> bits & 0xff).map_err(|_| error())?;
                at += 1;
            }
        }
        let fingerprint = Self(bytes);
        // The last character has four bits beyond the hash; only one spelling has them zero.
        if fingerprint.to_string() == text { Ok(fingerprint) } else { Err(error()) }
    }
}
