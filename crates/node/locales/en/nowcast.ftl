# The incomplete end of a series: what is still to be reported.
nowcast-title = What is still to be reported
nowcast-reported = reported by now
nowcast-expected = expected in all
nowcast-share = Share that is in
nowcast-table = Days whose reports are not all in
nowcast-shaded = not yet complete: less than { $share } of the reports are in
nowcast-summary = Of { $day }, { $reported } are reported by now and { $expected } are expected in all (95% interval { $low } to { $high }): { $share } of the reports are in.
nowcast-note-triangle = Reporting triangle of { $days } days from { $releases } releases of { $author }, by day of release ({ $basis }). The longest delay in it: { $delay } days.
nowcast-note-method = Chain ladder (Wolffram et al. 2023, PLOS Comput Biol 19:e1011394). Its interval is as wide as the method would have been wrong on earlier days. It assumes that delays stay as they were.
