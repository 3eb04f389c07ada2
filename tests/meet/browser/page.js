// What the tests ask of a page: enter, publish, and tell what is heard and seen. Runs in the browser, on livekit-client as it is.
/* global LivekitClient */
const { Room, RoomEvent, Track } = LivekitClient;
const said = [];
let room;

window.enter = async (url, token, options = {}, connect = {}) => {
    room = new Room(options);
    for (const event of Object.values(RoomEvent)) room.on(event, () => said.push(event));
    room.on(RoomEvent.TrackSubscribed, (track) => {
        const element = track.attach();
        element.muted = track.kind === "video";
        element.style.width = "640px";
        document.body.append(element);
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
    await room.connect(url, token, connect);
    window.room = room;
};

window.camera = (options) => room.localParticipant.setCameraEnabled(true, { resolution: { width: 1280, height: 720, frameRate: 30 } }, options);
window.microphone = () => room.localParticipant.setMicrophoneEnabled(true);
/** A tone that does not stop, in place of the fake microphone: its beeps of 20 ms are speech on some machines only. */
window.speak = async () => {
    const context = new AudioContext();
    await context.resume();
    const tone = context.createOscillator();
    const voice = context.createMediaStreamDestination();
    tone.connect(voice);
    tone.start();
    await room.localParticipant.setMicrophoneEnabled(false);
    await room.localParticipant.publishTrack(voice.stream.getAudioTracks()[0], { name: "voice", source: Track.Source.Unknown });
};
window.speaking = (identity) => room.activeSpeakers.some((speaker) => speaker.identity === identity);
window.screen_ = () => room.localParticipant.setScreenShareEnabled(true);
window.happened = (event) => said.filter((one) => one === event).length;
window.forget = () => { said.length = 0; };

/** What was decoded of others' tracks from a source: frames, the width of the last, and the energy of the sound. */
window.decoded = async (source) => {
    const sum = { frames: 0, width: 0, energy: 0 };
    for (const participant of room.remoteParticipants.values()) {
        const receiver = participant.getTrackPublication(source)?.track?.receiver;
        for (const one of (await receiver?.getStats())?.values() ?? []) {
            if (one.type !== "inbound-rtp") continue;
            sum.frames += one.framesDecoded ?? 0;
            sum.width = one.frameWidth ?? sum.width;
            sum.energy += one.totalAudioEnergy ?? 0;
        }
    }
    return sum;
};
window.pictures = (source = "camera") => window.decoded(source);
window.sound = async () => (await window.decoded("microphone")).energy;

window.resize = (width) => document.querySelectorAll("video").forEach((video) => { video.style.width = `${width}px`; });
window.cut = () => room.simulateScenario("signal-reconnect");
window.cutWholly = () => room.simulateScenario("full-reconnect");