//! What an offer says about the tracks that a client sends: which m-line carries which track. Nothing else of an offer is read
//! here; media shards answer it.

/// One m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Its `a=mid`.
    pub mid: String,
    /// `m=audio`, not `m=video`.
    pub audio: bool,
    /// The client sends on it.
    pub sending: bool,
    /// The track id of its `a=msid`, which is the client's id of the track.
    pub track: Option<String>,
}

/// More m-lines than any client makes.
const SECTIONS: usize = 1_000;

/// The m-lines of sound and pictures. What is not understood is passed over: the shard judges the whole.
pub(super) fn sections(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // Whether the lines that follow belong to an m-line of sound or pictures, and whether that has port 0.
    let mut open = false;
    let mut refused = false;
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split(' ');
            let (kind, port) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            open = matches!(kind, "audio" | "video") && sections.len() < SECTIONS;
            if open {
                // RFC 8829: no direction means sendrecv. Port 0 means rejected, unless the m-line is bundle-only (RFC 9143).
                refused = port == "0";
                sections.push(Section {
                    mid: String::new(),
                    audio: kind == "audio",
                    sending: !refused,
                    track: None,
                });
            }
            continue;
        }
        let Some(section) = sections.last_mut().filter(|_| open) else { continue };
        match line {
            "a=recvonly" | "a=inactive" => {
                section.sending = false;
                refused = false;
            }
            "a=bundle-only" if refused => section.sending = true,
            _ => {
                if let Some(mid) = line.strip_prefix("a=mid:") {
                    mid.clone_into(&mut section.mid);
                } else if let Some(ids) = line.strip_prefix("a=msid:") {
                    section.track = ids.split(' ').nth(1).map(str::to_owned);
                }
            }
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_of_chromium() {
        let offer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=msid-semantic: WMS\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
            m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=sendonly\r\na=msid:stream 5e3-cid\r\n\
            m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=bundle-only\r\na=mid:3\r\na=sendonly\r\na=msid:- 7f-cid\r\n\
            m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:4\r\na=sendonly\r\n";
        let section = |mid: &str, audio, sending, track: Option<&str>| Section {
            mid: mid.to_owned(),
            audio,
            sending,
            track: track.map(str::to_owned),
        };
        assert_eq!(
            sections(offer),
            [
                section("0", true, false, None),
                section("2", false, true, Some("5e3-cid")),
                section("3", true, true, Some("7f-cid")),
                section("4", true, false, None),
            ]
        );
    }

    #[test]
    fn nonsense_is_passed_over() {
        assert_eq!(
            sections("m=\na=mid:1\nm=audio\r\n\0\u{7f}a=msid:"),
            [Section { mid: String::new(), audio: true, sending: true, track: None }]
        );
    }
}
