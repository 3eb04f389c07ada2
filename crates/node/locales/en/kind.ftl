# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = Figures
kind-notice = Notice
kind-acknowledgement = Acknowledgement
kind-withdrawal = Withdrawal
kind-erasure = Erasure
kind-sealed = Sealed record

## Logs
kind-log-open = Opening of a log
kind-log-root = Change of trust root
kind-log-close = Closing of a log

## Mechanisms
kind-mechanism-charter = Charter
kind-mechanism-accept = Acceptance of a charter
kind-mechanism-leave = Withdrawal from a mechanism
kind-scenario = Scenario
