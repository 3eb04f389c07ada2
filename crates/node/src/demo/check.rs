//! What the demonstration must show, checked from outside: by HTTP, by the operator's commands, and on the disks.

use std::path::Path;

use serde_json::json;

use super::processes::World;
use super::story::{TO_MECHANISM, TO_ONE, until};
use super::{Failure, PARTIES};
use crate::cli::verify_evidence;
use crate::command::{Command, LogCommand, PeerCommand, RecordCommand, RecordsCommand};
use crate::operate::Outcome;

/// Checks everything; the first thing that does not hold is the error.
pub async fn check(world: &World) -> Result<Outcome, Failure> {
    let bytes = same_figures(world).await?;
    let sealed = sealed_for_readers_alone(world).await?;
    let verified = every_record_verifies(world).await?;
    let (receipts, cosignatures) = receipts_and_cosignatures(world).await?;
    let text = format!(
        "every node shows the same public figures ({bytes} bytes of CSV)\n\
         {sealed} sealed records are readable by their readers and on no other disk\n\
         {verified} records verify offline\n{receipts} receipts and {cosignatures} witnessed logs are there"
    );
    Ok(Outcome::new(
        json!({
            "figures_bytes": bytes, "sealed": sealed, "verified": verified, "receipts": receipts,
            "witnessed_logs": cosignatures,
        }),
        text,
    ))
}

async fn same_figures(world: &World) -> Result<usize, Failure> {
    // Proofs travel behind the records: what differs only in them is alike a moment later.
    until("every node shows the same public figures", async || Ok(figures_if_same(world).await?.is_some()))
        .await?;
    figures_if_same(world).await?.ok_or_else(|| "the figures differ again".into())
}

async fn figures_if_same(world: &World) -> Result<Option<usize>, Failure> {
    let client = reqwest::Client::new();
    let mut first: Option<Vec<u8>> = None;
    for node in &world.nodes {
        let response = client.get(format!("{}/situation.csv?lang=en", node.local_url())).send().await?;
        if !response.status().is_success() {
            return Err(format!("{} answers {} for its figures", node.party.code, response.status()).into());
        }
        let body = response.bytes().await?.to_vec();
        match &first {
            None => first = Some(body),
            Some(first) if *first == body => {}
            Some(_) => return Ok(None),
        }
    }
    let size = first.map_or(0, |f| f.len());
    if size < 1000 { Err("the figures are missing".into()) } else { Ok(Some(size)) }
}

async fn sealed_for_readers_alone(world: &World) -> Result<usize, Failure> {
    // Who must see how many notices: the mechanism's to three, the other to two.
    let expected = [("chn", 1), ("jpn", 2), ("kor", 2), ("wpro", 0)];
    for (short, count) in expected {
        let node = world.node(short)?;
        let list = RecordsCommand::List { author: None, kind: Some(record::kind::NOTICE.into()), limit: 100 };
        let seen = node.ask(&Command::Records(list)).await?.json.as_array().map_or(0, Vec::len);
        if seen != count {
            return Err(format!("{} sees {seen} notices, not {count}", node.party.code).into());
        }
        for text in [TO_MECHANISM, TO_ONE] {
            // Not even a reader's disk holds what was opened.
            if let Some(path) = find_on_disk(&node.data, text.as_bytes())? {
                return Err(format!("a sealed text lies open in {}", path.display()).into());
            }
        }
    }
    Ok(2)
}

/// A file under `folder` that holds `needle`.
fn find_on_disk(folder: &Path, needle: &[u8]) -> Result<Option<std::path::PathBuf>, Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find_on_disk(&path, needle)? {
                return Ok(Some(found));
            }
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            if bytes.windows(needle.len()).any(|window| window == needle) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

async fn every_record_verifies(world: &World) -> Result<usize, Failure> {
    let mut pins = Vec::new();
    for node in &world.nodes {
        let list = node.ask(&Command::Peer(PeerCommand::List)).await?;
        pins.push(list.json["fingerprint"].as_str().ok_or("no fingerprint")?.parse()?);
    }
    let mut verified = 0;
    for node in &world.nodes {
        let list = RecordsCommand::List { author: None, kind: None, limit: 100_000 };
        let records = node.ask(&Command::Records(list)).await?;
        // Each node proves what it released itself; the others' copies are the same bytes.
        let own = |row: &&serde_json::Value| {
            let of_the_log = row["kind"].as_str().is_some_and(record::kind::is_log_kind);
            row["author"] == node.party.authority && !of_the_log
        };
        for row in records.json.as_array().into_iter().flatten().filter(own) {
            let name = row["name"].as_str().unwrap_or_default().to_owned();
            let file = node.data.join("evidence.tmp");
            node.ask(&Command::Record(RecordCommand::Evidence { name: name.clone(), file: file.clone() }))
                .await?;
            let outcome = verify_evidence(&std::fs::read(&file)?, &pins)
                .map_err(|e| format!("{} of {}: {e}", name, node.party.code))?;
            if outcome.refused {
                return Err(format!("the evidence of {name} of {} does not hold", node.party.code).into());
            }
            if outcome.json["proven"].is_null() {
                return Err(format!("{name} of {} is claimed only", node.party.code).into());
            }
            std::fs::remove_file(&file)?;
            verified += 1;
        }
    }
    if verified < 400 { Err(format!("only {verified} records").into()) } else { Ok(verified) }
}

async fn receipts_and_cosignatures(world: &World) -> Result<(usize, usize), Failure> {
    let (mut receipts, mut witnessed) = (0, 0);
    for node in &world.nodes {
        let logs = node.ask(&Command::Log(LogCommand::List)).await?;
        for log in logs.json.as_array().into_iter().flatten().filter(|log| log["own"] == true) {
            receipts += log["held"].as_object().map_or(0, serde_json::Map::len);
            witnessed += usize::from(log["witnessed"].as_u64().unwrap_or(0) > 0);
        }
    }
    let public = PARTIES.len() * (PARTIES.len() - 1);
    if receipts < public || witnessed < PARTIES.len() {
        return Err(format!("{receipts} receipts and {witnessed} witnessed logs are too few").into());
    }
    Ok((receipts, witnessed))
}
