//! Events for other programs: posted as JSON, signed as `LiveKit` signs them - a token whose claim is the SHA-256 of the body.
//!
//! Each address has a queue of its own, in order and bounded: one that does not answer holds up nobody, and loses the newest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use livekit_protocol::WebhookEvent;
use tokio::sync::mpsc;

use super::now;
use crate::token::{Keys, for_body};

/// Events that wait for one address.
const WAITING: usize = 1000;
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pauses after failed attempts; after the last the event is given up.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(10)];
/// How long a signature holds, in seconds.
const LIFE: u64 = 5 * 60;

/// What became of events.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// The addresses that want events.
pub(crate) struct Webhooks {
    queues: Vec<mpsc::Sender<Arc<WebhookEvent>>>,
    counts: Arc<Counts>,
}

impl Webhooks {
    /// Starts a task for each address.
    pub(crate) fn start(urls: &[String], keys: &Arc<Keys>, counts: Arc<Counts>) -> Self {
        let start = |url: &String| {
            let (queue, events) = mpsc::channel(WAITING);
            tokio::spawn(deliver(url.clone(), keys.clone(), events, counts.clone()));
            queue
        };
        Self { queues: urls.iter().map(start).collect(), counts }
    }

    /// Queues an event for every address.
    pub(crate) fn send(&self, event: WebhookEvent) {
        let event = Arc::new(event);
        for queue in &self.queues {
            if queue.try_send(event.clone()).is_err() {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

async fn deliver(
    url: String,
    keys: Arc<Keys>,
    mut events: mpsc::Receiver<Arc<WebhookEvent>>,
    counts: Arc<Counts>,
) {
    let client = reqwest::Client::new();
    while let Some(event) = events.recv().await {
        let Ok(body) = serde_json::to_vec(&*event) else { continue };
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(why) = post(&client, &url, &keys, body.clone()).await else {
                counts.delivered.fetch_add(1, Ordering::Relaxed);
                break;
            };
            let Some(pause) = pauses.next() else {
                counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(url, event = event.event, why, "a webhook was given up");
                break;
            };
            tokio::time::sleep(pause).await;
        }
    }
}

async fn post(client: &reqwest::Client, url: &str, keys: &Keys, body: Vec<u8>) -> Result<(), String> {
    let token = keys.mint(&for_body(&body), now().unix_ms / 1000, LIFE);
    let request = client
        .post(url)
        .timeout(PATIENCE)
        .header("Authorization", token)
        .header("Content-Type", "application/webhook+json")
        .body(body);
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
}
