//! `concord verify`: checks a file offline, against fingerprints that the verifier trusts: the evidence of a record, or of a
//! log that has two views.

use std::path::PathBuf;

use clap::Args;
use federate::split::{MAX_SPLIT, SPLIT_TAG, Split, SplitError, verify_by_one};
use record::evidence::{Evidence, Revocation};
use record::{Fingerprint, Origin, RootChain};
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
    /// Of a split view, whose file has no roots: each trust root of the log's author, from its first one on
    #[arg(long = "root")]
    roots: Vec<PathBuf>,
}

/// The largest trust root.
const MAX_ROOT: u64 = 64 << 10;

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome, Fault> {
    let pins = args
        .pins
        .iter()
        .map(|text| Fingerprint::from_typed(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| Fault::from(why).at("--pin"))?;
    let bytes = operate::read_file(&args.evidence, MAX_EVIDENCE)?;
    if !bytes.starts_with(SPLIT_TAG.as_bytes()) {
        return verify(&bytes, &pins);
    }
    let roots =
        args.roots.iter().map(|path| operate::read_file(path, MAX_ROOT)).collect::<Result<Vec<_>, _>>()?;
    verify_split(&bytes, &pins, &roots)
}

/// Checks the bytes of a split view: whether the log's own author signed two views that cannot both be true.
fn verify_split(bytes: &[u8], pins: &[Fingerprint], roots: &[Vec<u8>]) -> Result<Outcome, Fault> {
    let split = Split::parse(bytes).map_err(|why| split_fault(&why))?;
    let origin: Origin = split.smaller.checkpoint.origin.parse()?;
    let chain = chain_of(&origin, pins, roots)?;
    let versions = 1..=chain.latest().version;
    let keys: Vec<_> = versions.flat_map(|version| chain.log_keys(version, &origin)).collect();
    let (smaller, larger) = (&split.smaller.checkpoint, &split.larger.checkpoint);
    let mut said = json!({
        "split_view": false, "log": origin, "fingerprint": chain.fingerprint(),
        "smaller": { "size": smaller.size, "root": smaller.root.to_base64() },
        "larger": { "size": larger.size, "root": larger.root.to_base64(), "root_at_smaller": split.other_root.to_base64() },
    });
    if let Err(why) = split.verify(&keys) {
        let fault = split_fault(&why);
        said["why"] = json!(fault);
        return Ok(
            Outcome::new(said, format!("This proves nothing of {origin}: {}", fault.message)).refusing()
        );
    }
    let signed_by: Vec<_> = [&split.smaller, &split.larger]
        .into_iter()
        .filter_map(|view| verify_by_one(view, &keys).ok())
        .collect();
    let revoked = signed_by.iter().filter_map(|key| chain.revocation(key)).min();
    (said["split_view"], said["revoked"]) = (true.into(), json!(revoked));
    let mut text = format!(
        "SPLIT VIEW of {origin}: its author signed both\n  {} entries with root {}\n  {} entries, the first {} of them with root {}\n\
         Both cannot be true: telephone the author, and the other readers.\n",
        smaller.size,
        smaller.root.to_base64(),
        larger.size,
        smaller.size,
        split.other_root.to_base64(),
    );
    if let Some(since) = revoked {
        text.push_str(&format!(
            "A key that signed is revoked since {since}: one of the views may be a thief's.\n"
        ));
    }
    Ok(Outcome::new(said, text))
}

/// The trust roots of the log's author, of which the first is pinned.
fn chain_of(origin: &Origin, pins: &[Fingerprint], roots: &[Vec<u8>]) -> Result<RootChain, Fault> {
    let missing = || {
        let message = format!(
            "a split view needs the trust roots of {}, from the first one on: --root FILE for each; \
             https://<its address>/root/1 and so on",
            origin.authority
        );
        Fault::new("verify-roots", message).with("authority", &origin.authority)
    };
    let (first, later) = roots.split_first().ok_or_else(missing)?;
    let mut chain = RootChain::accept_first(first).map_err(|why| Fault::from(why).at("--root"))?;
    for root in later {
        chain.extend(root).map_err(|why| Fault::from(why).at("--root"))?;
    }
    if *chain.authority() != origin.authority {
        return Err(missing());
    }
    if !pins.contains(&chain.fingerprint()) {
        let message = format!(
            "--pin does not name the fingerprint of this first root of {}: compare it with the authority by telephone",
            origin.authority
        );
        return Err(Fault::new("verify-not-pinned", message).with("authority", &origin.authority));
    }
    Ok(chain)
}

/// Why a file proves no split view.
fn split_fault(why: &SplitError) -> Fault {
    let code = match why {
        SplitError::Form => "split-form",
        SplitError::Order => "split-order",
        SplitError::Agree => "split-agree",
        SplitError::Checkpoint(_) => "split-not-signed",
        SplitError::Proof(_) => "split-proof",
    };
    let limit = if *why == SplitError::Form {
        format!(", of {} KiB at most", MAX_SPLIT >> 10)
    } else {
        String::new()
    };
    Fault::new(code, format!("{why}{limit}"))
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
