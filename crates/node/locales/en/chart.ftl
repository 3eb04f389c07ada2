# Curves: their parts, and what they say.
chart-per-day = per day
chart-average = 7-day average
chart-average-of = { $name }: 7-day average
chart-incomplete-days = not yet complete
chart-table = Table
chart-day = Day

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = New cases have risen for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-cases-falling = New cases have fallen for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-cases-level = New cases are level: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-deaths-rising = New deaths have risen for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-deaths-falling = New deaths have fallen for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-deaths-level = New deaths are level: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-other-rising = { $name }, rising for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-other-falling = { $name }, falling for { $weeks ->
    [one] one week
   *[other] { $weeks } weeks
}: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-other-level = { $name }, level: { $count } in the seven days to { $date }, after { $previous } in the seven days before.
chart-too-short = Fewer than fourteen complete days in a row are known, so no trend is stated.
chart-incomplete = { $days ->
    [one] The last day is incomplete and is not counted.
   *[other] The last { $days } days are incomplete and are not counted.
}
