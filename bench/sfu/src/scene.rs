//! The scenarios: who publishes what, who listens to it, and what changes while it is measured.

use clap::ValueEnum;

use crate::client::{Joining, Published, Request};
use crate::leg::Sending;
use crate::outbound::Played;
use crate::recorded::Recordings;

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Three voices, many listeners
    Audio,
    /// Eight people with three layers of pictures each, who all see each other
    Meeting,
    /// One voice and picture, many listeners
    Webinar,
    /// A floor and six channels; each listener hears both, and one changes channel each second
    Interpretation,
    /// A floor and two channels; very many hidden listeners, each hears one
    Silent,
    /// Three voices; fifty listeners who join within five seconds
    Storm,
}

/// One scenario of one size.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Which.
    pub kind: Kind,
    /// Listeners, or people in the meeting.
    pub size: usize,
}

/// The scenarios in the order of the table.
pub fn scenes(full: bool, only: &[Kind]) -> Vec<Scene> {
    let quick = [
        (Kind::Audio, 50),
        (Kind::Meeting, 8),
        (Kind::Webinar, 40),
        (Kind::Interpretation, 40),
        (Kind::Silent, 150),
        (Kind::Storm, 50),
    ];
    let all = [
        (Kind::Audio, 50),
        (Kind::Audio, 100),
        (Kind::Audio, 200),
        (Kind::Meeting, 8),
        (Kind::Webinar, 100),
        (Kind::Webinar, 200),
        (Kind::Interpretation, 120),
        (Kind::Silent, 100),
        (Kind::Silent, 500),
        (Kind::Silent, 2_000),
        (Kind::Storm, 50),
    ];
    let chosen = if full { all.as_slice() } else { quick.as_slice() };
    let wanted = chosen.iter().filter(|(kind, _)| only.is_empty() || only.contains(kind));
    wanted.map(|&(kind, size)| Scene { kind, size }).collect()
}

impl Scene {
    /// In words.
    pub fn title(self) -> String {
        let size = self.size;
        match self.kind {
            Kind::Audio => format!("audio 3→{size}"),
            Kind::Meeting => format!("meeting {size}×{size}, 3 layers"),
            Kind::Webinar => format!("webinar 1→{size}"),
            Kind::Interpretation => format!("interpretation 1+6→{size}, 1 switch/s"),
            Kind::Silent => format!("floor + 2 channels→{size} hidden"),
            Kind::Storm => format!("storm: {size} joins in 5 s"),
        }
    }

    /// Joins per second.
    pub fn pace(self) -> u32 {
        match self.kind {
            Kind::Storm => 10,
            Kind::Silent => 30,
            _ => 20,
        }
    }

    /// Those who publish.
    pub fn publishers(self, recordings: &Recordings) -> Vec<Joining> {
        let many = match self.kind {
            Kind::Audio | Kind::Silent | Kind::Storm => 3,
            Kind::Meeting => self.size,
            Kind::Webinar => 1,
            Kind::Interpretation => 7,
        };
        let video = matches!(self.kind, Kind::Meeting | Kind::Webinar);
        (0u16..).take(many).map(|index| publisher(index, video, recordings)).collect()
    }

    /// Those who only listen, with what they ask for at once.
    pub fn listeners(self) -> Vec<(Joining, Vec<Request>)> {
        let many = if self.kind == Kind::Meeting { 0 } else { self.size };
        (0..many)
            .map(|index| {
                let joining = Joining {
                    identity: format!("listener{index}"),
                    all: matches!(self.kind, Kind::Audio | Kind::Webinar | Kind::Storm),
                    hidden: self.kind == Kind::Silent,
                    // One of ten decrypts what it hears, so that the generator does not need more than its core.
                    light: self.kind == Kind::Silent && index % 10 != 0,
                    ..Joining::default()
                };
                (joining, self.wishes(index))
            })
            .collect()
    }

    /// What a listener (or, in a meeting, each person) asks for.
    pub fn wishes(self, index: usize) -> Vec<Request> {
        match self.kind {
            Kind::Audio | Kind::Storm => Vec::new(),
            Kind::Webinar => vec![Request::Show(camera(0), 2)],
            Kind::Silent => vec![Request::Listen(vec![microphone(index % 3)])],
            Kind::Interpretation => vec![Request::Listen(vec![microphone(0), microphone(1 + index % 6)])],
            Kind::Meeting => {
                let others = (0..self.size).filter(|other| *other != index);
                let names = others.clone().flat_map(|other| [microphone(other), camera(other)]).collect();
                let large = (index + 1) % self.size;
                let shown =
                    others.map(|other| Request::Show(camera(other), if other == large { 2 } else { 0 }));
                std::iter::once(Request::Listen(names)).chain(shown).collect()
            }
        }
    }

    /// What is asked for while it is measured, in each second, and by whom (the number of the listener or person).
    pub fn changes(self, second: usize) -> Vec<(usize, Request)> {
        match self.kind {
            Kind::Interpretation => {
                let index = second % self.size;
                let round = second / self.size;
                let channel = |round: usize| microphone(1 + (index + round) % 6);
                vec![(index, Request::Switch(channel(round), channel(round + 1)))]
            }
            // The speaker changes, and with it the large picture.
            Kind::Meeting if second % 2 == 1 => (0..self.size)
                .flat_map(|index| {
                    let large = |turn: usize| (index + 1 + turn % (self.size - 1)) % self.size;
                    let turn = second / 2;
                    [
                        (index, Request::Show(camera(large(turn)), 0)),
                        (index, Request::Show(camera(large(turn + 1)), 2)),
                    ]
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// How many copies the server makes of each packet, if that is known.
    pub fn copies(self) -> Option<f64> {
        let size = u32::try_from(self.size).map(f64::from).ok()?;
        match self.kind {
            Kind::Audio | Kind::Storm => Some(size),
            Kind::Silent => Some(size / 3.0),
            _ => None,
        }
    }
}

fn microphone(index: usize) -> String {
    format!("publisher{index}-microphone")
}

fn camera(index: usize) -> String {
    format!("publisher{index}-camera")
}

fn publisher(index: u16, video: bool, recordings: &Recordings) -> Joining {
    let number = usize::from(index);
    let track = |name: String, source: u16, layers: Vec<Played>, video: bool| Published {
        sending: Sending { cid: name.clone(), source, layers, largest_first: false, marked: true },
        name,
        video,
    };
    let sound = track(microphone(number), index * 2, vec![Played::Sound(recordings.tone.clone())], false);
    let layers = recordings.load.layers.iter().cloned().map(Played::Picture).collect();
    let picture = video.then(|| track(camera(number), index * 2 + 1, layers, true));
    Joining {
        identity: format!("publisher{index}"),
        published: std::iter::once(sound).chain(picture).collect(),
        ..Joining::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_in_a_meeting_changes_and_nobody_looks_at_himself() {
        let meeting = Scene { kind: Kind::Meeting, size: 8 };
        for second in 0..40 {
            for (index, change) in meeting.changes(second) {
                let Request::Show(name, _) = change else { panic!("{change:?}") };
                assert_ne!(name, camera(index), "in second {second}");
            }
        }
    }

    #[test]
    fn a_listener_leaves_the_channel_that_it_hears() {
        let scene = Scene { kind: Kind::Interpretation, size: 3 };
        let mut heard: Vec<String> = (0..3)
            .map(|index| match scene.wishes(index).remove(0) {
                Request::Listen(names) => names[1].clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        for second in 0..20 {
            for (index, change) in scene.changes(second) {
                let Request::Switch(from, to) = change else { panic!("{change:?}") };
                assert_eq!(heard[index], from);
                heard[index] = to;
            }
        }
    }
}
