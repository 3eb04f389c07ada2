//! `concord verify`: checks an evidence file offline, against fingerprints that the verifier trusts.

use std::path::PathBuf;

use clap::Args;
use record::Fingerprint;
use record::evidence::Evidence;
use serde_json::json;

use super::Failure;
use crate::operate::Outcome;

/// The largest evidence file.
const MAX_EVIDENCE: u64 = 256 << 20;

/// `concord verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The evidence file
    evidence: PathBuf,
    /// A fingerprint that you trust: the author's, and those of witnesses that are to count
    #[arg(long = "pin", required = true)]
    pins: Vec<String>,
}

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome, Failure> {
    let pins = args
        .pins
        .iter()
        .map(|text| Fingerprint::from_typed(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("--pin: {e}"))?;
    let size =
        std::fs::metadata(&args.evidence).map_err(|e| format!("{}: {e}", args.evidence.display()))?.len();
    if size > MAX_EVIDENCE {
        return Err(format!("{}: {size} bytes; at most {MAX_EVIDENCE}", args.evidence.display()).into());
    }
    let bytes = std::fs::read(&args.evidence)?;
    verify(&bytes, &pins)
}

/// Checks the bytes of an evidence file.
pub fn verify(bytes: &[u8], pins: &[Fingerprint]) -> Result<Outcome, Failure> {
    let evidence = Evidence::parse(bytes)?;
    let report = evidence.verify(pins);
    let mut text = String::new();
    for step in &report.steps {
        let mark = match (step.ok, step.required) {
            (true, _) => "ok  ",
            (false, true) => "FAIL",
            (false, false) => "note",
        };
        let arguments: Vec<String> = step.arguments.iter().map(|(k, v)| format!("{k}={v}")).collect();
        text.push_str(&format!("{mark} {} {}\n", step.code, arguments.join(" ")));
    }
    let Some(conclusion) = &report.conclusion else {
        return Err(format!("{text}the evidence does not hold").into());
    };
    let header = conclusion.inner.as_ref().map_or(&conclusion.record.header, |inner| &inner.header);
    let proven = conclusion.proven.map_or_else(|| "claimed only".to_owned(), |t| format!("proven by {t}"));
    text.push_str(&format!(
        "\n{} {} of {}, claimed {}, {proven}\nplace {} of {}\n",
        header.kind, conclusion.name, header.author, header.released, conclusion.index, conclusion.log
    ));
    Ok(Outcome::new(
        json!({
            "name": conclusion.name.to_hex(), "author": header.author, "kind": header.kind,
            "claimed": header.released, "proven": conclusion.proven, "log": conclusion.log,
            "index": conclusion.index, "fingerprint": conclusion.fingerprint,
            "witnesses": conclusion.witnesses.iter()
                .map(|w| json!({ "authority": w.authority, "key": w.key.name(), "time": w.time }))
                .collect::<Vec<_>>(),
            "steps": report.steps.iter()
                .map(|s| json!({ "code": s.code, "ok": s.ok, "required": s.required }))
                .collect::<Vec<_>>(),
        }),
        text,
    ))
}
