//! The text of session descriptions (RFC 8866): what an offer's m-lines are, and our own descriptions with each m-line's face put on.
//!
//! `str0m` negotiates; this reads and changes only what it leaves to its caller: stream and track ids per m-line, m-lines that rest,
//! and preferences for Opus. It never changes codecs, ports or keys.

use std::fmt::Write as _;

use str0m::media::Mid;

use crate::contract::Kind;

/// Longest description that is read.
pub(super) const LONGEST: usize = 256 * 1024;
/// Most m-lines that are read.
pub(super) const MOST_LINES: usize = 256;
/// The header extension whose numbers transport-wide feedback reports.
const TRANSPORT_SEQUENCE: &str = "draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// An m-line of a client's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its mid.
    pub(super) mid: Mid,
    /// `None` for data channels and what else there may be.
    pub(super) kind: Option<Kind>,
    /// The client would send.
    pub(super) sends: bool,
    /// The client would receive.
    pub(super) receives: bool,
    /// The track id of its `msid`, or of its `ssrc` lines.
    pub(super) track: Option<String>,
}

/// A description that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SdpError {
    #[error("longer than {LONGEST} bytes")]
    TooLong,
    #[error("more than {MOST_LINES} m-lines")]
    TooManyLines,
}

/// The m-lines of a description, in order.
pub(super) fn lines(sdp: &str) -> Result<Vec<Line>, SdpError> {
    if sdp.len() > LONGEST {
        return Err(SdpError::TooLong);
    }
    let mut found = Vec::new();
    for section in sections(sdp).skip(1) {
        if found.len() >= MOST_LINES {
            return Err(SdpError::TooManyLines);
        }
        if let Some(line) = read(section) {
            found.push(line);
        }
    }
    Ok(found)
}

fn read(section: &str) -> Option<Line> {
    let head = section.lines().next()?;
    let kind = if head.starts_with("m=audio ") {
        Some(Kind::Audio)
    } else if head.starts_with("m=video ") {
        Some(Kind::Video)
    } else {
        None
    };
    let mut mid = None;
    let (mut sends, mut receives) = (true, true);
    let mut track = None;
    let mut by_ssrc = None;
    for line in section.lines() {
        if let Some(value) = line.strip_prefix("a=mid:") {
            mid = Some(Mid::from(value.trim()));
        } else if let Some(value) = line.strip_prefix("a=msid:") {
            track = value.split_whitespace().nth(1).map(str::to_owned);
        } else if let Some(value) = line.strip_prefix("a=ssrc:") {
            let ids = value.split_once(" msid:").map(|(_, ids)| ids);
            by_ssrc =
                by_ssrc.or_else(|| ids.and_then(|ids| ids.split_whitespace().nth(1)).map(str::to_owned));
        } else {
            match line.trim_end() {
                "a=sendrecv" => (sends, receives) = (true, true),
                "a=sendonly" => (sends, receives) = (true, false),
                "a=recvonly" => (sends, receives) = (false, true),
                "a=inactive" => (sends, receives) = (false, false),
                _ => {}
            }
        }
    }
    Some(Line { mid: mid?, kind, sends, receives, track: track.or(by_ssrc) })
}

/// What an m-line of ours shows to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// As `str0m` wrote it.
    Plain,
    /// We send this track on it.
    Sends {
        /// The stream id of its `msid`.
        stream: String,
        /// The track id of its `msid`.
        track: String,
    },
    /// Nothing is sent on it for now.
    Rests,
    /// We receive sound on it.
    Hears {
        /// Ask for two channels.
        stereo: bool,
        /// Ask for silence not to be sent.
        dtx: bool,
        /// Take redundant audio.
        red: bool,
    },
}

/// Puts faces on the m-lines of a description that `str0m` wrote.
pub(super) fn dress(sdp: &str, face: impl Fn(Mid) -> Face) -> String {
    let mut out = String::with_capacity(sdp.len() + 256);
    for (place, section) in sections(sdp).enumerate() {
        let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:")).map(Mid::from);
        match mid.filter(|_| place > 0).map_or(Face::Plain, &face) {
            Face::Plain => out.push_str(section),
            Face::Sends { stream, track } => send(&mut out, section, &token(&stream), &token(&track)),
            Face::Rests => rest(&mut out, section),
            Face::Hears { stereo, dtx, red } => hear(&mut out, section, stereo, dtx, red),
        }
    }
    out
}

/// Without transport-wide feedback on m-lines of sound, as `LiveKit` has it: pictures alone tell what a way carries. A listener of
/// sound would otherwise send a report for every five packets that it hears, and each packet would be kept in mind until then.
pub(super) fn unmeasured_sound(sdp: &str) -> String {
    let mut out = String::with_capacity(sdp.len());
    for section in sections(sdp) {
        if !section.starts_with("m=audio ") {
            out.push_str(section);
            continue;
        }
        for line in section.split_inclusive('\n') {
            let of_transport = (line.starts_with("a=extmap:")
                && line.trim_end().ends_with(TRANSPORT_SEQUENCE))
                || (line.starts_with("a=rtcp-fb:") && line.trim_end().ends_with(" transport-cc"));
            if !of_transport {
                out.push_str(line);
            }
        }
    }
    out
}

/// The session part, then each m-line with all that belongs to it.
fn sections(sdp: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(sdp);
    std::iter::from_fn(move || {
        let text = rest?;
        // An m-line begins a line of its own.
        let Some(at) = text.get(1..)?.find("\nm=") else {
            rest = None;
            return Some(text);
        };
        let (section, after) = text.split_at(at + 2);
        rest = Some(after);
        Some(section)
    })
}

/// Only what RFC 8830 allows in an id, so that no id can add a line.
fn token(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '(' | ')' | ',' | '/')).collect()
}

fn send(out: &mut String, section: &str, stream: &str, track: &str) {
    for line in section.lines() {
        if line.starts_with("a=msid:") {
            let _ = write!(out, "a=msid:{stream} {track}\r\n");
        } else if let Some((head, _)) = line.split_once(" msid:").filter(|_| line.starts_with("a=ssrc:")) {
            let _ = write!(out, "{head} msid:{stream} {track}\r\n");
        } else {
            let _ = write!(out, "{line}\r\n");
        }
    }
}

fn rest(out: &mut String, section: &str) {
    for line in section.lines() {
        match line {
            "a=sendonly" | "a=sendrecv" | "a=recvonly" => out.push_str("a=inactive\r\n"),
            _ if ["a=msid:", "a=ssrc:", "a=ssrc-group:"].iter().any(|of| line.starts_with(of)) => {}
            _ => {
                let _ = write!(out, "{line}\r\n");
            }
        }
    }
}

fn hear(out: &mut String, section: &str, stereo: bool, dtx: bool, red: bool) {
    let number = |codec: &str| {
        section.lines().find_map(|line| {
            let (pt, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            name.to_ascii_lowercase().starts_with(codec).then_some(pt)
        })
    };
    let opus = number("opus/").map(|pt| format!("a=fmtp:{pt} "));
    let refused = number("red/").filter(|_| !red);
    for line in section.lines() {
        if let Some(refused) = refused {
            if line.starts_with("m=") {
                let kept: Vec<_> = line.split(' ').filter(|pt| *pt != refused).collect();
                let _ = write!(out, "{}\r\n", kept.join(" "));
                continue;
            }
            let about = |head: &str| {
                line.strip_prefix(head)
                    .and_then(|rest| rest.strip_prefix(refused))
                    .is_some_and(|rest| rest.starts_with(' '))
            };
            if about("a=rtpmap:") || about("a=fmtp:") || about("a=rtcp-fb:") {
                continue;
            }
        }
        out.push_str(line);
        if opus.as_ref().is_some_and(|head| line.starts_with(head)) {
            for (wanted, name) in [(stereo, "stereo"), (stereo, "sprop-stereo"), (dtx, "usedtx")] {
                if wanted && !line.contains(&format!("{name}=")) {
                    let _ = write!(out, ";{name}=1");
                }
            }
        }
        out.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=sctp-port:5000\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:1\r\na=sendonly\r\na=msid:- 0e2c cid-1\r\n\
        a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
        a=ssrc:7 cname:x\r\na=ssrc:7 msid:- 0e2c\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=recvonly\r\na=ssrc:9 msid:stream by-ssrc\r\n";

    fn section(sdp: &str, mid: &str) -> String {
        sections(sdp).find(|section| section.contains(&format!("a=mid:{mid}\r\n"))).unwrap().to_owned()
    }

    #[test]
    fn an_offer_is_read() {
        let lines = lines(OFFER).unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].kind, None);
        assert_eq!((lines[1].kind, lines[1].sends, lines[1].receives), (Some(Kind::Audio), true, false));
        assert_eq!(lines[1].track.as_deref(), Some("0e2c"));
        assert_eq!((lines[2].kind, lines[2].sends, lines[2].receives), (Some(Kind::Video), false, true));
        assert_eq!(lines[2].track.as_deref(), Some("by-ssrc"));
    }

    #[test]
    fn plain_faces_change_nothing() {
        assert_eq!(dress(OFFER, |_| Face::Plain), OFFER);
    }

    #[test]
    fn a_track_is_named_on_its_own_line_only() {
        let sdp = dress(OFFER, |mid| match &*mid {
            "1" => Face::Sends { stream: "PA_a|TR_b".into(), track: "TR_b".into() },
            _ => Face::Plain,
        });
        assert!(section(&sdp, "1").contains("a=msid:PA_a|TR_b TR_b\r\n"));
        assert!(section(&sdp, "1").contains("a=ssrc:7 msid:PA_a|TR_b TR_b\r\n"));
        assert!(section(&sdp, "1").contains("a=ssrc:7 cname:x\r\n"));
        assert_eq!(section(&sdp, "2"), section(OFFER, "2"));
    }

    #[test]
    fn a_line_at_rest_sends_nothing_and_names_nothing() {
        let sdp = dress(OFFER, |_| Face::Rests);
        let line = section(&sdp, "1");
        assert!(line.contains("a=inactive\r\n") && !line.contains("msid") && !line.contains("ssrc"));
    }

    #[test]
    fn opus_is_asked_for_as_the_track_needs_it() {
        let hears = |stereo, dtx, red| {
            let sdp =
                dress(OFFER, |mid| if &*mid == "1" { Face::Hears { stereo, dtx, red } } else { Face::Plain });
            section(&sdp, "1")
        };
        assert!(hears(true, true, true).contains(";useinbandfec=1;stereo=1;sprop-stereo=1;usedtx=1\r\n"));
        assert!(hears(false, false, true).contains("a=fmtp:111 minptime=10;useinbandfec=1\r\n"));
        let without = hears(false, false, false);
        assert!(
            without.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
                && !without.contains("red")
                && !without.contains(":63")
        );
    }

    #[test]
    fn sound_is_not_measured_and_pictures_are() {
        let measured = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\na=rtcp-fb:111 transport-cc\r\n\
            a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtcp-fb:111 nack\r\n";
        let offer = OFFER
            .replace("a=mid:1\r\n", &format!("a=mid:1\r\n{measured}"))
            .replace("a=mid:2\r\n", &format!("a=mid:2\r\n{measured}"));
        let sdp = unmeasured_sound(&offer);
        assert!(!section(&sdp, "1").contains("transport"));
        assert!(section(&sdp, "1").contains("audio-level\r\na=rtcp-fb:111 nack\r\n"));
        assert_eq!(section(&sdp, "2"), section(&offer, "2"));
        assert_eq!(unmeasured_sound(OFFER), OFFER);
    }

    #[test]
    fn an_id_cannot_add_a_line() {
        let sdp = dress(OFFER, |_| Face::Sends { stream: "a\r\na=setup:active".into(), track: "b c".into() });
        assert!(!sdp.lines().any(|line| line.starts_with("a=setup")));
        assert!(sdp.contains("a=msid:aa=setup:active bc\r\n"));
    }

    #[test]
    fn descriptions_have_limits() {
        assert_eq!(lines(&"x".repeat(LONGEST + 1)), Err(SdpError::TooLong));
        let many = "v=0\r\n".to_owned() + &"m=audio 9 X 0\r\na=mid:a\r\n".repeat(MOST_LINES + 1);
        assert_eq!(lines(&many), Err(SdpError::TooManyLines));
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_keeps_its_lines(text in "(v=0|m=audio 9|a=mid:1|a=msid:|a=ssrc:|a=fmtp:|\r\n|\n| |é|[ -~]){0,40}") {
            let _ = lines(&text);
            let _ = unmeasured_sound(&text);
            for face in [
                Face::Plain,
                Face::Rests,
                Face::Sends { stream: "s".into(), track: "t".into() },
                Face::Hears { stereo: true, dtx: true, red: false },
            ] {
                let _ = dress(&text, |_| face.clone());
            }
        }
    }
}
