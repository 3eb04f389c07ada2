# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = This request cannot be answered
error-bad-request-text = Something in it is not as it should be.
error-unauthorized-title = Please sign in
error-unauthorized-text = This page is for people who are signed in.
error-forbidden-title = Not permitted
error-forbidden-text = Your duty does not include this act. Nothing was changed.
error-not-found-title = Not found
error-not-found-text = There is nothing at this address, or nothing that you may read.
error-conflict-title = Somebody else was faster
error-conflict-text = What you worked on has changed meanwhile. Look at its present state and try again.
error-too-large-title = Too large
error-too-large-text = What was sent is larger than this node accepts.
error-too-many-title = Too many requests
error-too-many-text = Please wait a minute and try again.
error-internal-title = This node could not answer
error-internal-text = The fault was recorded for its operator. Nothing that was confirmed is lost.
error-unavailable-title = For the moment unavailable
error-unavailable-text = This node is starting or is being maintained. Please try again shortly.
error-back = Go to the start page
error-unlisted = Refused: { $code }
error-reference = Reference for the operator: { $reference }
error-row = Row { $row }: { $problem }
error-cell = Row { $row }, column { $column } ({ $header }): { $problem }

## By machine code
error-code-as-of-date = “{ $value }” is not a date. Write year, month and day, as in 2020-05-31.
error-code-as-of-basis = “{ $value }” is no time to count by. Choose claimed, proven or here.
error-code-sort-column = There is no column “{ $value }” to sort by.
error-code-link-used-or-expired = This link was used before or is too old. Ask the operator for a new one: concord link.

## Reading a table of figures
error-code-table-empty = The table is empty.
error-code-table-not-utf8 = The table is not UTF-8 text. Save it as “CSV UTF-8”.
error-code-table-unreadable = The beginning of the table cannot be read as rows: a row is too long, or a quote is not closed.
error-code-table-io = The table cannot be read: { $kind }
error-code-tag-invalid = “{ $text }” stands in the row of hashtags and is none.
error-code-tag-unclear = { $tag } says something that is not understood here. Map the column to a tag that is, or to nothing.
error-code-columns-twice = The columns “{ $header }” and “{ $second-header }” say the same thing. Map one of them to nothing.
error-code-column-date-missing = No column holds the date. Tag one #date, or map it.
error-code-column-period-half = A period needs both #date+start and #date+end.
error-code-column-place-missing = No column holds the place. Tag one #country+code or #country+name, or give the place of the whole table.
error-code-column-indicator-missing = No column holds an indicator. Tag one, such as #affected+infected+confirmed+cumulative, or map it.
error-code-map-header-missing = No column has the header “{ $header }” that is mapped.
error-code-map-invalid = “{ $text }” is no mapping. Write Header=#tag, or Header=- for a column to leave out, parted by commas.

## What is wrong in a row; its place is said before
error-code-cells-missing = The row has { $found } cells; the header has { $expected }.
error-code-cells-extra = The row has { $found } cells; the header has { $expected }. Is a cell not quoted?
error-code-not-utf8 = The cell is not UTF-8 text.
error-code-field-too-long = The cell is longer than { $limit } bytes.
error-code-date-missing = The date is missing.
error-code-date-unclear = “{ $text }”: say whether the day or the month comes first, or write { $day-first } or { $month-first }.
error-code-date-short-year = “{ $text }” has a year of two digits. Write YYYY-MM-DD.
error-code-date-has-time = “{ $text }” has a time of day, and a figure holds for days. Write YYYY-MM-DD.
error-code-date-invalid = “{ $text }” is no date. Write YYYY-MM-DD.
error-code-period-reversed = “{ $text }” ends before it begins.
error-code-place-missing = The place is missing.
error-code-country-code-unknown = “{ $text }” is no ISO 3166-1 code. A place without one belongs in a column of names.
error-code-place-contradiction = The code says { $code }, the name says “{ $name }”.
error-code-place-invalid = “{ $text }” can be no place: at most 200 bytes, without control characters and |.
error-code-value-negative = “{ $text }” is below zero. A cumulative count never is; others only if the import says so.
error-code-value-fractional = “{ $text }” has a fraction, and people are whole.
error-code-value-separated = “{ $text }” has separators between its digits. Say which one, or write digits only.
error-code-value-invalid = “{ $text }” is no number. Leave the cell empty where nothing is stated.
error-code-value-too-long = “{ $text }” has more than 18 digits.
error-code-indicator-missing = There is a value and no indicator.
error-code-indicator-invalid = “{ $text }” is no indicator: lower-case letters, digits and -, at most 64.
error-code-definition-invalid = “{ $text }” is no definition: lower-case letters, digits and - . _ /, at most 64.
error-code-disaggregation-invalid = “{ $text }” is no part of a population: at most 64 bytes, without control characters and | , =.
error-code-text-invalid = The text is longer than 2,000 bytes or has control characters.
error-code-row-too-long = The row is longer than { $limit } bytes. Is a quote not closed? Nothing after it was read.
error-code-columns-too-many = The row has more than { $limit } cells. Nothing after it was read.
error-code-rows-too-many = The table has more than { $limit } rows. Nothing from here on was read.
error-code-figures-too-many = The table has more than { $limit } figures. Nothing from here on was read.
error-code-quote-not-closed = A quote is not closed before the end of the table.
error-code-io = The table could not be read on: { $kind }
error-code-figures-none = There is no figure to release.
error-code-figure-stated-twice = The table states the same figure twice.
error-code-figure-reason-missing = This corrects a figure that was stated before. Give the reason.
error-code-figure-value-impossible = A cumulative count is not below zero, and people are whole.

## Why an entry of a log counts for nothing
error-code-entry-other-log = The record belongs to the log { $found }.
error-code-entry-other-author = The record is of { $found }.
error-code-entry-not-sealed = A record of kind { $kind } stands unsealed in a restricted log.
error-code-entry-not-signed = No author key that trust root { $root } allows for { $kind } signed the record.
error-code-entry-bad-signature = The signature of { $name } is wrong.
error-code-log-not-opening = A log begins with log.open, not with { $kind }.
error-code-log-never-opened = The log has no valid log.open.
error-code-log-opened-again = log.open stands only at the beginning.
error-code-log-after-close = The log was closed before.
error-code-log-line = The line “{ $key }” must be: { $wanted }
error-code-log-root-not-newer = Trust root { $found } is named, but { $inForce } is in force.
error-code-log-root-hash = Trust root { $version } of the author has another hash.

## An operator's file of borders
error-code-borders-too-large = The file has { $bytes } bytes, more than are read.
error-code-borders-too-many-points = The file has too many points. Simplify the lines.
error-code-borders-not-json = Line { $line }: the file is no JSON.
error-code-borders-not-geojson = { $what } is no GeoJSON that can be drawn. Write lines or polygons.
error-code-borders-position = { $position } is no longitude and latitude in degrees.
