# The page about the interface for programs.
api-lead = What the pages show, programs can ask for: from the same queries, for the same readers. Every answer is JSON.
api-description = Full description (OpenAPI)
api-addresses = Addresses
api-address = Address
api-answers = What it answers
api-parameters = Parameters
api-files = Files
api-files-text = Every table of the pages is a CSV file too: its link stands beside it, in the order and with the filter asked for.
api-as-of = as_of is a day such as 2020-05-31, UTC; basis is claimed, proven or here.
api-operation-figures = The newest figure of every place, by every authority.
api-operation-corrections = Every value that its own author later stated otherwise.
api-operation-place-figures = All figures of one place, by every authority.
api-operation-record-list = Records, the newest first.
api-operation-one-record = One record with what proves it.
api-operation-authorities = Authorities with their fingerprints.
api-operation-logs = Logs, and how far they go.
