# The meeting room: what the browser shows while a meeting runs. These texts are also carried by the page to its script.

room-loading = The room is being prepared…
room-needs-script = A meeting needs JavaScript: sound and pictures cannot be carried without it. Allow it for this page, then load the page again. Everything else on this node works without it.
room-not-built-for = This browser cannot take part in a meeting. A current Chromium, Firefox or Safari can.
room-not-secure = Camera and microphone can only be used at an address that begins with https. Ask the operator of this node.

## Before entering
room-check = Before you enter
room-enter-as = You enter as
room-enter = Enter the room
room-entering = Entering…
room-listen-only = Enter to listen
room-back = Back
room-camera = Camera
room-microphone = Microphone
room-speaker = Loudspeaker
room-on = on
room-off = off
room-default-device = Chosen by the system
room-unnamed-device = Device { $number }
room-use-devices = Use camera and microphone
room-will-ask = Your browser will ask whether this page may use them. Nobody sees or hears you before you enter.
room-preview = Your picture, as the others will see it
room-preview-off = Your camera is off
room-denied-both = This page may use neither camera nor microphone. Allow them in the browser’s settings for this address. You can enter and listen meanwhile.
room-denied-camera = This page may not use the camera. Allow it in the browser’s settings for this address. You can be heard without it.
room-denied-microphone = This page may not use the microphone. Allow it in the browser’s settings for this address. You can be seen, but not heard.
room-none-camera = There is no camera here. You can be heard without one.
room-none-microphone = There is no microphone here. You can listen.
room-none-both = There is neither a camera nor a microphone here. You can listen.
room-busy-camera = Another program is using the camera. Close that program, then choose it again.
room-busy-microphone = Another program is using the microphone. Close that program, then choose it again.
room-level = Level of your microphone
room-heard = You are heard.
room-silent = Nothing is heard. Is the right microphone chosen, and is it switched on?
room-test-sound = Play a test sound
room-test-playing = Playing…
room-sound-only = Sound only
room-sound-only-hint = For a thin line: no pictures are sent or received.

## In the room
room-stage = Participants
room-you = You
room-controls = What you send and see
room-share = Share screen
room-share-stop = Stop sharing
room-layout-speaker = Show who speaks large
room-layout-grid = Show all alike
room-people = People
room-people-count = { $count ->
    [one] { $count } person in the room
   *[other] { $count } people in the room
}
room-settings = Devices
room-settings-title = Camera, microphone and loudspeaker
room-close = Close
room-leave = Leave
room-pin = Keep large: { $name }
room-unpin = No longer keep large: { $name }
room-page = Page { $page } of { $pages }
room-page-next = Next page
room-page-previous = Previous page
room-alone-title = Nobody else is here yet
room-alone = You will see and hear others here as soon as they enter.
room-speaking = speaking
room-speaks-now = Speaking: { $name }
room-nobody-speaks = Nobody is speaking
room-microphone-off = microphone off
room-camera-off = camera off
room-paused = Picture paused: the line is thin
room-picture-coming = Picture is coming…
room-shares = Screen of { $name }
room-you-share = The others see your screen.
room-encrypted = End-to-end encrypted
room-sealed = End-to-end encrypted: this browser has no key
room-not-encrypted = Encrypted to the server
room-quality-excellent = Good connection
room-quality-good = Fair connection
room-quality-poor = Poor connection
room-quality-lost = Connection lost
room-announce-speakers = Tell the screen reader who speaks
room-share-hidden = A screen is shared, but you chose sound only.
room-show-pictures = Show pictures

## What is announced
room-joined = { $name } has entered
room-joined-many = { $count ->
    [one] { $count } person has entered
   *[other] { $count } people have entered
}
room-left = { $name } has left
room-left-many = { $count ->
    [one] { $count } person has left
   *[other] { $count } people have left
}
room-is-speaking = { $name } is speaking
room-picture-paused = The picture of { $name } is paused
room-picture-resumed = The picture of { $name } is back
room-share-began = { $name } shares a screen
room-share-ended = { $name } no longer shares a screen
room-entered = You are in the room.

## Notices
room-sound-held = The browser holds the sound back until you allow it.
room-sound-start = Turn sound on
room-reconnecting = The connection broke. Connecting again…
room-reconnected = Connected again.
room-you-were-muted = Your microphone was switched off by the chair.
room-device-gone = A device in use was unplugged; another one has taken its place.
room-device-failed = The device could not be used: { $reason }
room-share-failed = The screen could not be shared.
room-not-permitted = You may not send this in the room now.

## The end
room-over-left-title = You have left the room
room-over-left = Nothing is sent from your camera and microphone any more.
room-over-elsewhere-title = You entered from somewhere else
room-over-elsewhere = The room is open in another window or on another device under the same session. This window has left.
room-over-removed-title = You were asked to leave
room-over-removed = The chair has ended your part in this meeting.
room-over-closed-title = The meeting has ended
room-over-closed = The room was closed for everybody.
room-over-lost-title = The connection was lost
room-over-lost = It could not be made again. Check your network, then enter again.
room-over-refused-title = The room did not let you in
room-over-refused = Your session does not open this room, or no longer. Sign in again with a new link.
room-over-unreachable-title = The room cannot be reached
room-over-unreachable = The server that carries sound and pictures does not answer. Try again in a minute; if it stays so, tell the operator of this node.
room-over-blocked-title = Sound and pictures do not get through
room-over-blocked = The room answers, but your network holds media back. Another network may help, or your network’s administrators.
room-over-full-title = The room is full
room-over-full = As many people as the server carries are in it. Try again later.
room-again = Enter again
