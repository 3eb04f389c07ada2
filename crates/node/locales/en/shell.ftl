# The frame around every page.
shell-skip = Skip to content
shell-desks = Sections
shell-situation = Situation
shell-network = Network
shell-records = Records
shell-meetings = Meetings
shell-import = Import
shell-languages = Language
shell-crumbs = You are here
shell-sign-in = Sign in
shell-sign-out = Sign out
shell-footer = Every figure can be opened down to the signed record it comes from.
shell-zone = Times in
shell-api = API

## Faces
shell-face-public = Public
shell-face-inside = Internal

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = As of
shell-basis = Time that counts
shell-basis-claimed = as claimed
shell-basis-proven = as proven
shell-basis-here = as verified here
shell-show = Show
shell-note-claimed = As of { $date }: what had been released by the end of that day (UTC), according to its authors.
shell-note-proven = As of { $date }: what witnesses prove to have existed by the end of that day (UTC).
shell-note-here = As of { $date }: what this node had verified by the end of that day (UTC).
shell-note-now = Show the present state

## Exercise
shell-exercise = Exercise
shell-exercise-note = This is not an actual event. Nothing shown here counts as actual figures.
shell-signals = Signals
shell-scenarios = Scenarios
