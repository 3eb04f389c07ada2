//! What happens: peers are confirmed, a charter is adopted, figures are released, two things are said under seal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::processes::{Running, World};
use super::{Failure, PARTIES};
use crate::command::{
    Command, ImportCommand, ImportFigures, LogCommand, MechanismCommand, PeerAdd, PeerCommand, Release,
};

/// The file that says the story was told to its end.
pub const DONE: &str = "story-told";
/// The mechanism's name.
pub const MECHANISM: &str = "chn-jpn-kor-health-ministers";
/// What is said to the mechanism alone.
pub const TO_MECHANISM: &str = "For the three ministries: proposed agenda of the next video meeting, 15 May 2020: \
     border health measures, exchange of laboratory protocols, easing of restrictions.";
/// What is said to one ministry alone.
pub const TO_ONE: &str =
    "For the Ministry of Health and Welfare: we ask for your experience with drive-through testing sites.";
/// Everything must have arrived everywhere within this time.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(200);

/// The id of the mechanism.
pub fn mechanism_id() -> String {
    format!("{}/{MECHANISM}", PARTIES[0].authority)
}

/// Tells the story.
pub async fn tell(world: &World) -> Result<(), Failure> {
    let folder = world.nodes.first().and_then(|n| n.data.parent()).ok_or("no folder")?.to_path_buf();
    let files = write_files(&folder)?;
    eprintln!("1/5 the four compare fingerprints and confirm each other");
    confirm_each_other(world).await?;
    eprintln!("2/5 three ministries adopt the charter of their health ministers' meeting");
    adopt_charter(world, &files).await?;
    eprintln!("3/5 figures of 22 January to 31 May 2020 are released");
    for (short, file) in
        [("chn", "chn.csv"), ("jpn", "jpn.csv"), ("kor", "kor.csv"), ("wpro", "who-weekly.csv")]
    {
        let node = world.node(short)?;
        let outcome = node.ask(&import(files.join(file), true, None)?).await?;
        eprintln!("    {}: {}", node.party.code, outcome.text.lines().last().unwrap_or_default());
    }
    eprintln!("    a correction, with its reason");
    let correction = import(files.join("chn-correction.csv"), false, Some("2020-04-17T02:00:00Z"))?;
    world.node("chn")?.ask(&correction).await?;
    eprintln!("4/5 two things are said under seal");
    let mut notice = sealed(TO_MECHANISM, "2020-05-08T03:00:00Z")?;
    notice.mechanism = Some(mechanism_id());
    world.node("chn")?.ask(&Command::Release(notice)).await?;
    let mut notice = sealed(TO_ONE, "2020-04-02T05:00:00Z")?;
    notice.to = vec![PARTIES[2].authority.parse()?];
    world.node("jpn")?.ask(&Command::Release(notice)).await?;
    eprintln!("5/5 all copies arrive, are verified, witnessed and receipted");
    settle(world).await?;
    std::fs::write(folder.join(DONE), "")?;
    Ok(())
}

/// The tables and the charter, as files.
fn write_files(folder: &Path) -> Result<PathBuf, Failure> {
    let files = folder.join("material");
    std::fs::create_dir_all(&files)?;
    for (name, text) in [
        ("chn.csv", include_str!("../../../../demo/figures/chn.csv")),
        ("jpn.csv", include_str!("../../../../demo/figures/jpn.csv")),
        ("kor.csv", include_str!("../../../../demo/figures/kor.csv")),
        ("who-weekly.csv", include_str!("../../../../demo/figures/who-weekly.csv")),
        ("chn-correction.csv", include_str!("../../../../demo/figures/chn-correction.csv")),
        ("charter.en.txt", include_str!("../../../../demo/charter/en.txt")),
        ("charter.zh.txt", include_str!("../../../../demo/charter/zh.txt")),
    ] {
        std::fs::write(files.join(name), text)?;
    }
    Ok(files)
}

async fn confirm_each_other(world: &World) -> Result<(), Failure> {
    let mut fingerprints = Vec::new();
    for node in &world.nodes {
        let outcome = node.ask(&Command::Peer(PeerCommand::List)).await?;
        let text = outcome.json["fingerprint"].as_str().ok_or("a node shows no fingerprint")?.to_owned();
        fingerprints.push(text);
    }
    for node in &world.nodes {
        for (other, fingerprint) in world.nodes.iter().zip(&fingerprints) {
            if other.party.short == node.party.short {
                continue;
            }
            let authority: record::Authority = other.party.authority.parse()?;
            let add = PeerAdd {
                authority: authority.clone(),
                fingerprint: fingerprint.clone(),
                code: Some(other.party.code.to_owned()),
                name: other.party.names.iter().map(|(lang, name)| format!("{lang}={name}")).collect(),
                role: other.party.role.to_owned(),
                endpoint: None,
                root: None,
            };
            node.ask(&Command::Peer(PeerCommand::Add(add))).await?;
            let confirm = PeerCommand::Confirm { authority, fingerprint: fingerprint.clone() };
            node.ask(&Command::Peer(confirm)).await?;
        }
    }
    Ok(())
}

async fn adopt_charter(world: &World, files: &Path) -> Result<(), Failure> {
    let members = PARTIES[..3].iter().map(|p| p.authority.parse()).collect::<Result<_, _>>()?;
    let propose = MechanismCommand::Propose {
        name: MECHANISM.to_owned(),
        texts: vec![
            format!("en={}", files.join("charter.en.txt").display()),
            format!("zh={}", files.join("charter.zh.txt").display()),
        ],
        members,
        observers: Vec::new(),
        threshold: 3,
        replaces: None,
        released: Some("2020-03-20T06:00:00Z".parse()?),
    };
    world.node("chn")?.ask(&Command::Mechanism(propose)).await?;
    for short in ["jpn", "kor"] {
        let node = world.node(short)?;
        let accept = Command::Mechanism(MechanismCommand::Accept {
            mechanism: mechanism_id(),
            charter: None,
            released: Some("2020-03-20T09:00:00Z".parse()?),
        });
        // The charter arrives when it arrives; until then there is nothing to accept.
        until("the charter arrives", async || Ok(node.ask(&accept).await.is_ok())).await?;
    }
    let node = world.node("chn")?;
    until("the charter is in force", async || {
        let list = node.ask(&Command::Mechanism(MechanismCommand::List)).await?;
        Ok(list.json.as_array().is_some_and(|rows| rows.iter().any(|row| !row["in_force"].is_null())))
    })
    .await
}

fn import(file: PathBuf, replay: bool, released: Option<&str>) -> Result<Command, Failure> {
    Ok(Command::Import(ImportCommand::Figures(ImportFigures {
        file,
        dry_run: false,
        reason: None,
        map: None,
        mechanism: None,
        status: None,
        replay,
        released: released.map(str::parse).transpose()?,
    })))
}

fn sealed(text: &str, released: &str) -> Result<Release, Failure> {
    Ok(Release {
        kind: record::kind::NOTICE.to_owned(),
        public: false,
        to: Vec::new(),
        mechanism: None,
        blobs: Vec::new(),
        texts: vec![format!("en={text}")],
        lines: Vec::new(),
        id: None,
        refs: Vec::new(),
        about: Vec::new(),
        status: None,
        released: Some(released.parse()?),
        expires: None,
    })
}

/// Waits until every log is copied, witnessed and receipted by all of its readers.
async fn settle(world: &World) -> Result<(), Failure> {
    until("every copy is whole, witnessed and receipted", async || {
        for node in &world.nodes {
            let logs = node.ask(&Command::Log(LogCommand::List)).await?;
            let Some(logs) = logs.json.as_array() else { return Ok(false) };
            for log in logs.iter().filter(|log| log["own"] == true) {
                if !is_settled(world, node, log) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    })
    .await
}

fn is_settled(world: &World, node: &Running, log: &serde_json::Value) -> bool {
    let size = log["size"].as_u64().unwrap_or(0);
    let public = log["readers"][0] == "public";
    if log["witnessed"].as_u64().unwrap_or(0) < size {
        return false;
    }
    for other in world.nodes.iter().filter(|o| o.party.short != node.party.short) {
        let reads =
            public || log["readers"].as_array().is_some_and(|r| r.iter().any(|r| r == other.party.authority));
        let held = log["held"][other.party.authority].as_u64().unwrap_or(0);
        if reads && held < size {
            return false;
        }
    }
    true
}

/// Asks again and again until it is so, or patience ends.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await? {
        if tokio::time::Instant::now() > deadline {
            return Err(format!("waited {} s, but not yet: {what}", PATIENCE.as_secs()).into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
