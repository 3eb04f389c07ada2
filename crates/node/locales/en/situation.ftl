# The situation desk: what authorities state, and where they differ.
situation-lead = { $places } countries and other places, as stated by { $authorities } authorities. The latest figures are for { $day }.
situation-indicators = Indicator
situation-computed = computed here from what was stated
situation-sum-of = { $count ->
    [one] sum of { $count } country
   *[other] sum of { $count } countries
}
situation-last-week = Last 7 days
situation-week-known = { $count ->
    [one] known for { $count } country
   *[other] known for { $count } countries
}
situation-reporting = Stated by own authority
situation-reporting-of = of { $total } places
situation-corrections = Corrections
situation-corrections-link = what changed, and why
situation-corrections-none = Nothing has been corrected.
situation-differs = Stated differently
situation-differs-link = who says what
situation-differs-text = The same figure, from different authorities. Neither is changed here.
situation-crowded = { $author } states this for more than { $count } places. They are not listed here; each has its page.
situation-crowded-place = { $author } states more than { $count } series of figures for this place. They are left out here.
situation-cut = { $author } states more than can be shown here. Its figures are shown from { $day } on.
situation-cut-whole = { $author } states more for a single day than can be shown here. None of its figures are shown.
situation-day-cut = { $author } states more about this day than can be shown here. The newest are shown, at most { $count }.
situation-crowded-days = { $author } states more than { $count } figures for these days and is left out here.
situation-differs-none = No two authorities state the same figure differently.
situation-table = Stated by authorities
situation-map = Map
situation-place = Place
situation-value = Value
situation-seven = 7 days
situation-weeks = Weeks
situation-day = Day
situation-who = Who says so
situation-standing = Standing
situation-own = Own authority
situation-observed = Observed by another
situation-proof = Proof
situation-proven-by = proven by { $time }
situation-claimed-at = claimed { $time }
situation-empty-title = No figures yet
situation-empty-text = As soon as an authority whose log this node follows releases figures, they stand here with their proof.
situation-empty-as-of = Nothing was known as of this day.
situation-place-unknown = As of this day, no authority had stated anything about { $place }. Figures were stated later.
situation-all-places = All countries and places

## A place
situation-new-per-day = New per day
situation-mean = 7-day mean
situation-place-lead = { $new } new in the last seven days, { $before } in the seven days before.
situation-latest-day = for { $day }
situation-data-table = Day by day
situation-new = New
situation-new-over = over { $days } days
situation-other = Other indicators and groups
situation-group-all = all
situation-authors = Who states figures for this place
situation-definition = Definition
situation-definition-as-reported = as reported

## Corrections
situation-old = Before
situation-new-value = Now
situation-change = Change
situation-reason = Reason given
situation-source = Source
situation-no-reason = none given
situation-period = For
situation-corrections-lead = Every value that its own author later stated otherwise: what stood before, what stands now, and the reason the author gives.

## One day
situation-one-day = { $place }, { $day }
situation-one-day-lead = Everything that was stated about this day, in the order in which it was released.
situation-state = State
situation-holds = stands
situation-replaced = replaced
situation-ended = withdrawn
situation-previous-day = Day before
situation-next-day = Day after
situation-day-empty = Nothing was stated about this day.

## Indicators
situation-indicator-cases-confirmed-cumulative = Confirmed cases, cumulative
situation-indicator-cases-confirmed-new = Confirmed cases, new
situation-indicator-cases-probable-cumulative = Probable cases, cumulative
situation-indicator-cases-probable-new = Probable cases, new
situation-indicator-cases-suspected-cumulative = Suspected cases, cumulative
situation-indicator-cases-suspected-new = Suspected cases, new
situation-indicator-deaths-cumulative = Deaths, cumulative
situation-indicator-deaths-new = Deaths, new
situation-indicator-recovered-cumulative = Recovered, cumulative
situation-indicator-recovered-new = Recovered, new
situation-indicator-cases-active = Active cases
situation-indicator-hospitalised = In hospital
situation-indicator-critical = In critical condition
situation-indicator-population = Population

## Views and differences
situation-views = Views
situation-view-figures = Figures
situation-differs-lead = The same figure of the same place and day, as two authorities state it, with both records. Neither is changed, weighed or called wrong here.
situation-other-who = Who says otherwise
situation-apart = Apart by
situation-days = Days looked at
situation-days-back = Last { $days } days
situation-differs-more = There are more; the newest { $count } are listed.
