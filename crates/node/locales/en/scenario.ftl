# # Scenarios: what follows from assumptions.
scenario-title = Scenario
scenario-lead = What follows from assumptions that are written down. It predicts nothing: it says what the assumptions say, and nothing about what a measure does.
scenario-choose = Assumptions to compute with
scenario-words = Assumptions in words
scenario-words-history = History: { $indicator }, as { $author } states it for { $place }, until { $day }.
scenario-words-now = As now: R stays { $r } (standard deviation { $sd }) until { $day }.
scenario-words-step = Step: from { $day } on R is { $r }.
scenario-words-later = Later step: the same from { $day } on, { $days ->
    [one] a day later
   *[other] { $days } days later
}.
scenario-words-interval = Serial interval: mean { $mean } days, standard deviation { $sd }.
scenario-words-deaths = { $share } of reported cases die, on average { $mean } days after the report (standard deviation { $sd }).
scenario-words-beds = { $share } of reported cases need a bed, on average { $mean } days after the report, for { $stay } days.
scenario-words-people = { $people } people are susceptible on the first day; nobody is infected twice.
scenario-words-no-people = The susceptible are not counted: they do not run out in this time.
scenario-words-runs = { $runs } runs with chance, seed { $seed }; the three courses meet the same chance. Reporting stays as it is.
scenario-costs = What the step and its delay change
scenario-cost-step = The step, { $measure }: { $median } (95% of runs: { $low } to { $high }).
scenario-cost-later = Taking it { $days ->
    [one] a day later
   *[other] { $days } days later
}, { $measure }: { $median } (95% of runs: { $low } to { $high }).
scenario-cases-title = Cases per day
scenario-beds-title = Beds in use
scenario-band = 95% of runs
scenario-chart-summary = Medians on { $day }: { $values }.
scenario-measure = What
scenario-measure-cases = cases
scenario-measure-deaths = deaths
scenario-measure-beds = beds on the fullest day
scenario-course = Course
scenario-course-as-now = as now
scenario-course-step = with the step
scenario-course-step-later = with the step later
scenario-course-step-minus-as-now = the step’s difference
scenario-course-step-later-minus-step = the delay’s difference
scenario-totals = In sum over the whole time
scenario-days-table = Day by day
scenario-again = To be run again
scenario-again-text = The same input and the same assumptions give the same outcome, byte for byte, on every machine. These are their texts and SHA-256.
scenario-assumptions = Assumptions
scenario-input = Input
scenario-outcome = Outcome
scenario-release = Release
scenario-release-text = A record with these three texts is signed and appended to the log of those who may read it. It is computed from public figures alone and cannot be unsaid.
scenario-of-record = Released in a record and computed again here:
scenario-same-bytes = the same bytes
scenario-other-bytes = other bytes than were released
scenario-released = Record
scenario-released-title = Released scenarios
scenario-released-none = No scenario has been released.
scenario-claimed = Released (claimed)
scenario-days = Days ahead
scenario-runs = Runs
scenario-seed = Seed
scenario-si-mean = Serial interval: mean, days
scenario-si-sd = Serial interval: standard deviation
scenario-r = R now (from the figures if empty)
scenario-r-sd = R: standard deviation
scenario-step-day = Step on day
scenario-step-r = R after the step
scenario-delay = Later by days
scenario-people = Susceptible people (0: not counted)
scenario-death-share = Share of cases that die, 0 to 1
scenario-death-mean = Report to death: mean, days
scenario-death-sd = Report to death: standard deviation
scenario-bed-share = Share of cases that need a bed, 0 to 1
scenario-bed-mean = Report to bed: mean, days
scenario-bed-sd = Report to bed: standard deviation
scenario-stay-mean = Stay in bed: mean, days
scenario-stay-sd = Stay in bed: standard deviation
scenario-spread = Unevenness k (0: even)
