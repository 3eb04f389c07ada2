//! The demonstration: four authorities, each a process of its own with its own keys, databases and logs.
//!
//! Everything is of status `exercise` and under `.example` names. The times of 2020 are claims; the proofs are
//! of today. It uses nothing that an operator does not have: the same program and the same commands.

mod check;
mod processes;
mod story;

use std::path::Path;

use crate::command::{Command, LinkCommand};
use crate::config::{Backend, Meet};
use crate::operate::Outcome;
use crate::session::Bearer;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The duty of those who enter meetings.
const DUTY: &str = "Head of delegation";

/// An authority of the demonstration.
#[derive(Debug, Clone, Copy)]
pub struct Party {
    /// Folder and host name.
    pub short: &'static str,
    /// DNS name.
    pub authority: &'static str,
    /// Code shown.
    pub code: &'static str,
    /// What it is.
    pub role: &'static str,
    /// Names by language.
    pub names: &'static [(&'static str, &'static str)],
}

/// The four. The first three are members of the mechanism; the fourth witnesses for all.
pub const PARTIES: [Party; 4] = [
    Party {
        short: "chn",
        authority: "nhc.chn.example",
        code: "CHN",
        role: "ministry",
        names: &[
            ("en", "National Health Commission of China"),
            ("zh", "中国国家卫生健康委员会"),
            ("ar", "اللجنة الوطنية للصحة في الصين"),
            ("fr", "Commission nationale de la santé de Chine"),
            ("ru", "Национальная комиссия здравоохранения Китая"),
            ("es", "Comisión Nacional de Salud de China"),
        ],
    },
    Party {
        short: "jpn",
        authority: "mhlw.jpn.example",
        code: "JPN",
        role: "ministry",
        names: &[
            ("en", "Ministry of Health, Labour and Welfare of Japan"),
            ("zh", "日本厚生劳动省"),
            ("ar", "وزارة الصحة والعمل والرعاية الاجتماعية في اليابان"),
            ("fr", "Ministère de la Santé, du Travail et des Affaires sociales du Japon"),
            ("ru", "Министерство здравоохранения, труда и благосостояния Японии"),
            ("es", "Ministerio de Salud, Trabajo y Bienestar del Japón"),
        ],
    },
    Party {
        short: "kor",
        authority: "mohw.kor.example",
        code: "KOR",
        role: "ministry",
        names: &[
            ("en", "Ministry of Health and Welfare of the Republic of Korea"),
            ("zh", "大韩民国保健福祉部"),
            ("ar", "وزارة الصحة والرعاية الاجتماعية في جمهورية كوريا"),
            ("fr", "Ministère de la Santé et du Bien-être de la République de Corée"),
            ("ru", "Министерство здравоохранения и социального обеспечения Республики Корея"),
            ("es", "Ministerio de Salud y Bienestar de la República de Corea"),
        ],
    },
    Party {
        short: "wpro",
        authority: "wpro.who.example",
        code: "WPRO",
        role: "organisation",
        names: &[
            ("en", "WHO Regional Office for the Western Pacific"),
            ("zh", "世界卫生组织西太平洋区域办事处"),
            ("ar", "المكتب الإقليمي لمنظمة الصحة العالمية لغرب المحيط الهادئ"),
            ("fr", "Bureau régional de l’OMS pour le Pacifique occidental"),
            ("ru", "Региональное бюро ВОЗ для Западной части Тихого океана"),
            ("es", "Oficina Regional de la OMS para el Pacífico Occidental"),
        ],
    },
];

fn link(bearer: Bearer) -> Command {
    Command::Link(LinkCommand::to(bearer))
}

/// Runs the demonstration until it is stopped.
///
/// # Errors
/// What could not be done, in words.
pub async fn show(folder: &Path, port: u16, meet: &Meet) -> Result<(), Failure> {
    let mut stop = crate::serve::stop_on_signal();
    let again = folder.join(story::DONE).exists();
    let mut world = processes::World::start(folder, port, meet).await?;
    if again {
        eprintln!("{} holds an earlier run, which goes on; delete it for a fresh one", folder.display());
    } else {
        tokio::select! {
            told = story::tell(&world) => told?,
            // Whoever stops it in the middle must not leave four nodes behind.
            _ = stop.wait_for(|stop| *stop) => {
                world.stop().await;
                return Ok(());
            }
        }
    }
    for (place, node) in world.nodes.iter().enumerate() {
        let inside = node.ask(&link(Bearer::default())).await?;
        println!("{:5} {}\n      inside: {}", node.party.code, node.url(), inside.text);
        if meet.backend != Backend::Off {
            // The neighbour's delegate is a guest in this one's room.
            let guest = PARTIES[(place + 1) % PARTIES.len()];
            let bearer = Bearer { guest: Some(guest.authority.parse()?), duty: DUTY.to_owned(), of: None };
            let room = node.ask(&link(bearer)).await?;
            println!("      its meeting room, for {}: {}", guest.code, room.text);
        }
    }
    eprintln!("\nPress Ctrl-C to stop.");
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        who = world.somebody_ended() => return Err(format!("the node of {who} has ended; see its log").into()),
    }
    world.stop().await;
    Ok(())
}

/// Runs the story without a browser and checks it.
///
/// # Errors
/// What did not hold.
pub async fn check(port: u16) -> Result<Outcome, Failure> {
    let folder = std::env::temp_dir().join(format!("concord-demo-check-{}", std::process::id()));
    let mut world =
        processes::World::start(&folder, port, &Meet { backend: Backend::Embedded, ..Meet::default() })
            .await?;
    let result = async {
        story::tell(&world).await?;
        check::check(&world).await
    }
    .await;
    world.stop().await;
    if result.is_ok() {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        eprintln!("the nodes' folders are kept in {}", folder.display());
    }
    result
}
