# Who claims something, how it is proven, and in what state it is.
seal-proven = proven by { $time }
seal-witnessed = { $count ->
    [one] witnessed by { $count }
   *[other] witnessed by { $count }
}
seal-claimed = claimed only
seal-claimed-time = claimed: { $time }
seal-claimed-explained = Witnesses have not yet proven when this existed; the time is what its author says.
seal-actual = Actual
seal-exercise = Exercise
seal-test = Test
seal-edition = edition { $number }
seal-corrected = Corrected
seal-withdrawn = Withdrawn
seal-conflicting = Conflicting edition
seal-disowned = Disowned
seal-crowded = Too many records
seal-expired = Expired
seal-erased = Erased
seal-sealed = Sealed
seal-alarm = Alarm
seal-full-hash = SHA-256, in full
