//! The crowd of a meeting room: named participants whose pictures move, and one of whom speaks at a time.
//!
//! For people who look at a room, and for screenshots of it. The names are of nobody.

use std::time::Duration;

use clap::Args;

use crate::Failure;
use crate::client::{Access, Joining, Participant, Published, Request};
use crate::leg::Sending;
use crate::livekit;
use crate::outbound::Played;
use crate::recorded::Recordings;
use crate::wire::Wire;

/// Names in several scripts, as a meeting of many countries has them.
const NAMES: [&str; 30] = [
    "Amina Yusuf",
    "Bjørn Lindqvist",
    "陈美玲",
    "Daniel Okafor",
    "Élodie Marchand",
    "فاطمة الزهراء",
    "Grace Mwangi",
    "Héctor Salazar",
    "Ирина Соколова",
    "João Pereira",
    "Keiko Tanaka",
    "Lakshmi Raman",
    "محمد العلي",
    "Nguyễn Thị Lan",
    "Olga Petrenko",
    "Paulo Teixeira",
    "Rania Haddad",
    "Samuel Mensah",
    "Tomáš Novák",
    "Ursula Weber",
    "Valentina Rossi",
    "王建国",
    "Ximena Torres",
    "Yaw Boateng",
    "Zanele Dlamini",
    "Ahmet Yılmaz",
    "Birgitta Holm",
    "Дмитрий Орлов",
    "Ingrid Solberg",
    "Chinedu Eze",
];

/// How long one of them speaks.
const TURN: Duration = Duration::from_secs(4);

/// Fills a room.
#[derive(Debug, Args)]
pub struct Crowd {
    /// The server: ws://host:port
    #[arg(long)]
    url: String,
    /// The name of the secret
    #[arg(long)]
    key: String,
    /// Signs tokens
    #[arg(long)]
    secret: String,
    /// The room
    #[arg(long)]
    room: String,
    /// So many participants
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=200))]
    count: u16,
    /// One peer connection for both directions, as browsers have it
    #[arg(long)]
    single: bool,
    /// No pictures: as many as are connected by sound alone
    #[arg(long, default_value_t = 0)]
    without_camera: u16,
    /// Nobody speaks
    #[arg(long)]
    quiet: bool,
    /// Leave after so many seconds; else at the end of the process
    #[arg(long)]
    seconds: Option<u64>,
    /// Receive each other as well, as real participants do
    #[arg(long)]
    receive: bool,
}

/// Fills the room, says so, and lets them speak in turn.
pub async fn play(crowd: Crowd) -> Result<(), Failure> {
    let recordings = Recordings::read()?;
    let wire = Wire::start(None, std::net::Ipv4Addr::LOCALHOST.into())?;
    let access = livekit::Access {
        url: crowd.url.clone(),
        key: crowd.key.clone(),
        secret: crowd.secret.clone(),
        room: crowd.room.clone(),
    };
    let access = Access::Livekit(access);
    let mut there = Vec::new();
    for index in 0..crowd.count {
        there.push(access.join(&wire, joining(index, &crowd, &recordings)).await?);
    }
    println!("{} are in {}", there.len(), crowd.room);
    let end = crowd.seconds.map(|seconds| tokio::time::Instant::now() + Duration::from_secs(seconds));
    let speak = speak_in_turn(&wire, &there, &crowd, &recordings);
    let over = async {
        match end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => tokio::signal::ctrl_c().await.unwrap_or_default(),
        }
    };
    tokio::select! {
        ended = speak => ended?,
        () = over => {}
    }
    for participant in there {
        participant.ask(Request::Leave);
        participant.leave().await?;
    }
    Ok(())
}

fn joining(index: u16, crowd: &Crowd, recordings: &Recordings) -> Joining {
    let name = NAMES.get(usize::from(index) % NAMES.len()).copied().unwrap_or_default();
    let round = usize::from(index) / NAMES.len();
    let name = if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) };
    let identity = format!("crowd-{index}");
    let sound = Published {
        name: format!("{identity}-microphone"),
        sending: Sending {
            cid: format!("{identity}-microphone"),
            source: index * 2,
            layers: vec![Played::Sound(recordings.quiet.clone())],
            largest_first: false,
            marked: false,
        },
        video: false,
    };
    let face = recordings.faces.get(usize::from(index) % recordings.faces.len());
    let picture = face.filter(|_| index >= crowd.without_camera).map(|face| Published {
        name: format!("{identity}-camera"),
        sending: Sending {
            cid: format!("{identity}-camera"),
            source: index * 2 + 1,
            layers: face.layers.iter().cloned().map(Played::Picture).collect(),
            largest_first: false,
            marked: false,
        },
        video: true,
    });
    Joining {
        identity,
        name,
        published: std::iter::once(sound).chain(picture).collect(),
        all: crowd.receive,
        single: crowd.single,
        ..Joining::default()
    }
}

/// Until one of them is disconnected, which is an error.
async fn speak_in_turn(
    wire: &Wire,
    there: &[Participant],
    crowd: &Crowd,
    recordings: &Recordings,
) -> Result<(), Failure> {
    let mut before: Option<&Participant> = None;
    for speaker in there.iter().cycle() {
        if let Some(gone) = there.iter().find(|participant| participant.is_gone()) {
            return Err(format!("{} was disconnected", gone.identity).into());
        }
        if !crowd.quiet {
            if let Some(before) = before {
                say(wire, before, recordings, false).await?;
            }
            say(wire, speaker, recordings, true).await?;
        }
        before = Some(speaker);
        tokio::time::sleep(TURN).await;
    }
    Ok(())
}

async fn say(
    wire: &Wire,
    speaker: &Participant,
    recordings: &Recordings,
    aloud: bool,
) -> Result<(), Failure> {
    for leg in speaker.legs() {
        let (played, level) =
            if aloud { (recordings.tone.clone(), -18) } else { (recordings.quiet.clone(), -127) };
        wire.with(leg, move |leg, _| {
            for outbound in leg.outbound().filter(|outbound| outbound.rid.is_none() && outbound.is_sound()) {
                outbound.play(Played::Sound(played.clone()));
                outbound.level = level;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}
