//! A participant, whatever the server's language: what it publishes, what it wants to hear and see, and when it leaves.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::Failure;
use crate::leg::Sending;
use crate::wire::{LegId, Wire};
use crate::{janus, livekit};

/// How to reach a server.
#[derive(Debug, Clone)]
pub enum Access {
    /// One that speaks `LiveKit`.
    Livekit(livekit::Access),
    /// Janus, its `VideoRoom`.
    Janus(janus::Access),
}

/// One published track.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its name, by which others ask for it.
    pub name: String,
    /// The packets.
    pub sending: Sending,
    /// Pictures, not sound.
    pub video: bool,
}

/// Who joins, and how.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // Each is a choice of its own.
pub struct Joining {
    /// Unique in the room.
    pub identity: String,
    /// As others see it.
    pub name: String,
    /// What it publishes.
    pub published: Vec<Published>,
    /// Subscribes to everything without asking for it.
    pub all: bool,
    /// Is seen by nobody.
    pub hidden: bool,
    /// One peer connection for both directions (`/rtc/v1`).
    pub single: bool,
    /// Receives without decrypting; see [`crate::leg::Leg::light`].
    pub light: bool,
}

/// What a participant may ask for while it is there.
#[derive(Debug)]
pub enum Request {
    /// Receive tracks, by name, as soon as they are there.
    Listen(Vec<String>),
    /// Hear another track instead of one that is heard.
    Switch(String, String),
    /// Receive this layer of a video, 0 being the smallest.
    Show(String, u8),
    /// Leave.
    Leave,
}

/// Somebody who has joined.
#[derive(Debug)]
pub struct Participant {
    /// Who.
    pub identity: String,
    /// When it began to join.
    pub began: Instant,
    legs: std::sync::Arc<std::sync::Mutex<Vec<LegId>>>,
    requests: mpsc::UnboundedSender<Request>,
    task: JoinHandle<Result<(), Failure>>,
}

/// The other end of a [`Participant`].
#[derive(Debug)]
pub struct Seat {
    /// What it is asked for.
    pub requests: mpsc::UnboundedReceiver<Request>,
    /// To be told when it is in.
    pub joined: Option<oneshot::Sender<()>>,
    /// See [`Participant::legs()`].
    pub legs: std::sync::Arc<std::sync::Mutex<Vec<LegId>>>,
}

impl Seat {
    /// Says that it is in.
    pub fn is_in(&mut self) {
        if let Some(joined) = self.joined.take() {
            // Whoever waited may have given up.
            let _ = joined.send(());
        }
    }

    /// Notes a peer connection.
    pub fn has(&self, leg: LegId) {
        if let Ok(mut legs) = self.legs.lock() {
            legs.push(leg);
        }
    }
}

impl Access {
    /// Joins; answers when the server has accepted it and, if it publishes, its way to the server stands.
    pub async fn join(&self, wire: &Wire, joining: Joining) -> Result<Participant, Failure> {
        let began = Instant::now();
        let (requests, asked) = mpsc::unbounded_channel();
        let (joined, is_in) = oneshot::channel();
        let legs = std::sync::Arc::default();
        let seat = Seat { requests: asked, joined: Some(joined), legs: std::sync::Arc::clone(&legs) };
        let identity = joining.identity.clone();
        let (access, wire) = (self.clone(), wire.clone());
        let mut task = tokio::spawn(async move {
            match access {
                Self::Livekit(access) => livekit::attend(access, wire, joining, seat).await,
                Self::Janus(access) => janus::attend(access, wire, joining, seat).await,
            }
        });
        let limit = tokio::time::sleep(std::time::Duration::from_secs(20));
        tokio::select! {
            answer = is_in => if answer.is_err() {
                return Err((&mut task).await?.err().unwrap_or_else(|| "left at once".into()));
            },
            () = limit => {
                task.abort();
                return Err(format!("{identity}: not in after 20 s").into());
            }
        }
        Ok(Participant { identity, began, legs, requests, task })
    }
}

impl Participant {
    /// Asks for something; whoever has left hears nothing.
    pub fn ask(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    /// Whether it was disconnected.
    pub fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Leaves, and says why it had been disconnected before, if it was.
    pub async fn leave(mut self) -> Result<(), Failure> {
        self.ask(Request::Leave);
        (&mut self.task).await?
    }

    /// The peer connections that it has had so far.
    pub fn legs(&self) -> Vec<LegId> {
        self.legs.lock().map(|legs| legs.clone()).unwrap_or_default()
    }
}

impl Drop for Participant {
    /// Whoever does not leave is simply gone, as if its network were.
    fn drop(&mut self) {
        self.task.abort();
    }
}
