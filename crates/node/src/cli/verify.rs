//! `concord verify`: checks an evidence file offline, against fingerprints that the verifier trusts.

use std::path::PathBuf;

use clap::Args;
use record::Fingerprint;
use record::evidence::{Evidence, Revocation};
use serde_json::json;

use crate::fault::Fault;
use crate::operate::{self, Outcome};

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

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome, Fault> {
    let pins = args
        .pins
        .iter()
        .map(|text| Fingerprint::from_typed(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| Fault::from(why).at("--pin"))?;
    let bytes = operate::read_file(&args.evidence, MAX_EVIDENCE)?;
    verify(&bytes, &pins)
}

/// Checks the bytes of an evidence file.
pub fn verify(bytes: &[u8], pins: &[Fingerprint]) -> Result<Outcome, Fault> {
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
    let steps: Vec<_> = report
        .steps
        .iter()
        .map(|s| json!({ "code": s.code, "ok": s.ok, "required": s.required, "arguments": arguments(&s.arguments) }))
        .collect();
    let Some(conclusion) = &report.conclusion else {
        text.push_str("\nThe evidence does not hold: see the step marked FAIL");
        return Ok(Outcome::new(json!({ "holds": false, "steps": steps }), text).refusing());
    };
    let header = conclusion.inner.as_ref().map_or(&conclusion.record.header, |inner| &inner.header);
    let proven = conclusion.proven.map_or_else(|| "claimed only".to_owned(), |t| format!("proven by {t}"));
    text.push_str(&format!(
        "\n{} {} of {}, claimed {}, {proven}\nplace {} of {}\n",
        header.kind, conclusion.name, header.author, header.released, conclusion.index, conclusion.log
    ));
    let disowned = conclusion.revocation.and_then(Revocation::disowned_since);
    if let Some(since) = disowned {
        text.push_str(&format!(
            "DISOWNED: its author has revoked the key that signed it, since {since}, and does not stand by it\n"
        ));
    }
    let outcome = Outcome::new(
        json!({
            "holds": true, "disowned": disowned, "name": conclusion.name.to_hex(), "author": header.author, "kind": header.kind,
            "claimed": header.released, "proven": conclusion.proven, "log": conclusion.log,
            "index": conclusion.index, "fingerprint": conclusion.fingerprint,
            "witnesses": conclusion.witnesses.iter()
                .map(|w| json!({ "authority": w.authority, "key": w.key.name(), "time": w.time }))
                .collect::<Vec<_>>(),
            "steps": steps,
        }),
        text,
    );
    Ok(if disowned.is_some() { outcome.refusing() } else { outcome })
}

fn arguments(pairs: &[(&'static str, String)]) -> serde_json::Map<String, serde_json::Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect()
}
