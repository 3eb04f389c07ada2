//! `concord release`: a record of any kind, with files or short texts as its content.

use std::path::Path;
use std::sync::Arc;

use record::{Authority, Lang, Line, MechanismId, Ref, Relation, TimeOrDate, Ulid, kind};
use tlog::hash::Hash;

use super::{OperateError, Outcome, read_file};
use crate::command::Release;
use crate::fault::Fault;
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Act, ActKey, Content, Draft, Planned, Released, Thing, is_reserved};

pub(super) async fn run(
    node: &Arc<Node>,
    command: Release,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    if is_reserved(&command.kind) {
        return Err(OperateError::Argument(
            Fault::new(
                "kind-reserved",
                format!("records of kind {} are made by the node itself", command.kind),
            )
            .with("kind", &command.kind),
        ));
    }
    if command.kind == record::kind::WITHDRAWAL {
        let message = "a thing is withdrawn with `concord record withdraw NAME`, which reaches everybody who was given it";
        return Err(OperateError::Argument(Fault::new("kind-withdrawal", message)));
    }
    let mechanism: Option<MechanismId> =
        command.mechanism.as_deref().map(|id| argument("--mechanism", id)).transpose()?;
    let known = if mechanism.is_some() { None } else { Some(audience(node, &command)?) };
    let draft = draft(node, &command)?;
    let act = match (mechanism, known) {
        // Who its readers are is looked up when its turn comes.
        (Some(id), _) => Act::decided(move |node| async move {
            let audience = super::mechanism::audience(&node, &id).await?;
            Ok(Planned::new(audience, vec![draft]).answered(outcome))
        }),
        (None, audience) => {
            let audience = audience.unwrap_or(Audience::Public);
            Act::of(Planned::new(audience, vec![draft]).answered(outcome))
        }
    };
    Ok(Outcome::of(&node.act(act.under(key)).await?))
}

/// What was released, line by line.
pub(super) fn outcome(released: &[Released]) -> Outcome {
    let text = released
        .iter()
        .map(|r| format!("{} {} at {} of {}, thing {}", r.kind, r.name, r.index, r.origin, r.id))
        .collect::<Vec<_>>()
        .join("\n");
    Outcome::new(released, text)
}

fn audience(node: &Arc<Node>, command: &Release) -> Result<Audience, OperateError> {
    if command.public {
        return Ok(Audience::Public);
    }
    if command.to.is_empty() {
        return Err(OperateError::Argument(Fault::new(
            "audience-missing",
            "for whom? Give --public, --to AUTHORITY or --mechanism ID",
        )));
    }
    Ok(Audience::of(&node.config.authority, command.to.iter().cloned()))
}

fn draft(node: &Arc<Node>, command: &Release) -> Result<Draft, OperateError> {
    let mut draft = Draft::new(&command.kind, command.status.unwrap_or(node.config.status));
    draft.released = command.released;
    draft.expires = command.expires;
    draft.mechanism = command.mechanism.as_deref().map(|id| argument("--mechanism", id)).transpose()?;
    for line in &command.lines {
        let (key, value) = pair("--line", line)?;
        draft.own.push(Line::new(key, value).map_err(|e| OperateError::argument("--line", e))?);
    }
    for about in &command.about {
        let (what, at) = pair("--about", about)?;
        draft.about.push((what.to_owned(), argument::<TimeOrDate>("--about", at)?));
    }
    for reference in &command.refs {
        draft.refs.push(parse_ref(reference)?);
    }
    draft.contents = contents(&command.blobs, &command.texts)?;
    if draft.contents.is_empty() && draft.kind == kind::NOTICE {
        let message = "a notice says something: give it a text, --text en=..., or a file, --blob";
        return Err(OperateError::Argument(Fault::new("notice-empty", message)));
    }
    if let Some(id) = &command.id {
        draft.thing = Thing::NextOf(argument::<Ulid>("--id", id)?);
    }
    Ok(draft)
}

/// The media type, language and file of `<media type>[;<language>]=<file>`. A parameter of the media type has an
/// equals sign too, so what names the file begins behind the last one; a file whose own name has an equals sign is
/// given with a path to it that ends there in `/`: `text/csv=./a=b.csv`.
pub fn blob_parts(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let end = text.find('/').map_or(0, |slash| slash + 1);
    // The media type has one slash: behind a second one begins a path, which may hold anything.
    let path = text.get(end..)?.find('/').map_or(text.len(), |slash| end + slash);
    let at = text.get(..path)?.rfind('=')?;
    let (what, file) = (text.get(..at)?, text.get(at + 1..)?);
    match what.rsplit_once(';') {
        Some((media_type, lang)) if !lang.contains('=') => Some((media_type, Some(lang), file)),
        _ => Some((what, None, file)),
    }
}

/// `--blob` and `--text` arguments.
pub(super) fn contents(blobs: &[String], texts: &[String]) -> Result<Vec<Content>, OperateError> {
    let mut contents = Vec::new();
    for blob in blobs {
        let wanted = "<media type>=<file> or <media type>;<language>=<file>";
        let (media_type, lang, path) = blob_parts(blob).ok_or_else(|| malformed("--blob", blob, wanted))?;
        contents.push(Content {
            media_type: argument("--blob", media_type)?,
            lang: lang.map(|l| argument::<Lang>("--blob", l)).transpose()?,
            bytes: read_file(Path::new(path), record::MAX_BLOB)?,
        });
    }
    let mut languages: Vec<Lang> = Vec::new();
    for typed in texts {
        let (lang, text) = pair("--text", typed)?;
        if text.trim().is_empty() {
            return Err(malformed("--text", typed, "<language>=<text>"));
        }
        let lang: Lang = argument("--text", lang)?;
        if languages.contains(&lang) {
            let message = format!("there are two texts in {lang}: give one for each language");
            return Err(OperateError::Argument(
                Fault::new("text-twice", message).with("language", &lang).at("--text"),
            ));
        }
        languages.push(lang.clone());
        contents.push(Content {
            media_type: argument("--text", "text/plain;charset=utf-8")?,
            lang: Some(lang),
            bytes: text.as_bytes().to_vec(),
        });
    }
    Ok(contents)
}

fn parse_ref(text: &str) -> Result<Ref, OperateError> {
    let (relation, target) = pair("--ref", text)?;
    let (author, name) =
        target.split_once('/').ok_or_else(|| malformed("--ref", text, "<relation>=<authority>/<name>"))?;
    let relation = argument::<Relation>("--ref", relation)?;
    let command = match relation {
        Relation::Withdraws => "concord record withdraw",
        Relation::Erases => "concord record erase",
        Relation::Publishes => "concord record publish",
        Relation::ReleasesAgain => "concord record again",
        _ => "",
    };
    if !command.is_empty() {
        let message = format!("a reference `{relation}` is written by the node itself: `{command}`");
        let fault = Fault::new("ref-reserved", message).with("relation", relation).with("command", command);
        return Err(OperateError::Argument(fault.at("--ref")));
    }
    Ok(Ref {
        relation,
        author: argument::<Authority>("--ref", author)?,
        name: Hash::from_hex(name).map_err(|why| OperateError::argument("--ref", why))?,
    })
}

fn malformed(flag: &str, text: &str, wanted: &str) -> OperateError {
    let message = format!("{text:?}: wanted {wanted}");
    OperateError::Argument(
        Fault::new("pair-malformed", message).with("text", text).with("wanted", wanted).at(flag),
    )
}

/// `<key>=<value>`.
pub fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), OperateError> {
    text.split_once('=').ok_or_else(|| malformed(flag, text, "<key>=<value>"))
}

/// A typed argument.
pub(super) fn argument<T: std::str::FromStr<Err: Into<Fault>>>(
    flag: &str,
    text: &str,
) -> Result<T, OperateError> {
    text.parse().map_err(|why| OperateError::argument(flag, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_of_the_media_type_is_no_file() {
        assert_eq!(blob_parts("text/csv;schema=hxl=f.csv"), Some(("text/csv;schema=hxl", None, "f.csv")));
        assert_eq!(
            blob_parts("text/csv;schema=hxl;en=f.csv"),
            Some(("text/csv;schema=hxl", Some("en"), "f.csv"))
        );
        assert_eq!(
            blob_parts("application/pdf;fr=/a/b.pdf"),
            Some(("application/pdf", Some("fr"), "/a/b.pdf"))
        );
        assert_eq!(blob_parts("text/plain=notice"), Some(("text/plain", None, "notice")));
    }

    #[test]
    fn a_path_may_hold_anything() {
        assert_eq!(blob_parts("text/plain=./a=b"), Some(("text/plain", None, "./a=b")));
        assert_eq!(
            blob_parts("text/csv;schema=hxl=/data/day=2/x.csv"),
            Some(("text/csv;schema=hxl", None, "/data/day=2/x.csv"))
        );
        assert_eq!(blob_parts("text/plain"), None);
        assert_eq!(blob_parts(""), None);
    }
}
