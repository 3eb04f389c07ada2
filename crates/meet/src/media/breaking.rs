//! A session whose engine panics: it alone is dropped. Only for tests.

use std::net::SocketAddr;
use std::time::Instant;

use super::{MediaConfig, Output, Place, Shard, ShardId, Transport};
use crate::contract::{Ending, Event, Order, Peers, SessionId, Target};

fn opened(shard: &mut Shard, now: Instant, session: SessionId) {
    shard.order(now, Order::Open { session, peers: Peers::Dual, may_pause: true, silent: false });
}

fn ended(shard: &mut Shard, now: Instant) -> Vec<(SessionId, Ending)> {
    let mut over = Vec::new();
    shard.tick(now);
    while let Some(output) = shard.poll() {
        if let Output::Event(Event::Ended { session, why, .. }) = output {
            over.push((session, why));
        }
    }
    over
}

#[test]
fn a_session_that_panics_drops_only_itself() {
    let local = SocketAddr::from(([10, 1, 0, 1], 7_882));
    let place = Place { transport: Transport::Udp, local, public: local };
    let mut shard =
        Shard::new(MediaConfig { shards: 1, ..MediaConfig::at(vec![place]) }, ShardId(0), [7; 32]);
    let now = Instant::now();
    let (bad, good) = (SessionId(1), SessionId(2));
    opened(&mut shard, now, bad);
    opened(&mut shard, now, good);
    assert_eq!(ended(&mut shard, now), []);
    let at = shard.by_id[&bad];
    shard.sessions.get_mut(at).unwrap().peer(Target::Publisher).unwrap().panics = true;
    shard.touch(at);
    assert_eq!(ended(&mut shard, now), [(bad, Ending::Broken)]);
    assert!(shard.by_id.contains_key(&good) && !shard.by_id.contains_key(&bad));
}
