# What one record says of another: relation-<relation>.
relation-replies = replies to
relation-acknowledges = acknowledges
relation-accepts = accepts
relation-declines = declines
relation-revokes = revokes
relation-withdraws = withdraws
relation-signs = signs
relation-answers = answers
relation-evidence = gives evidence for
relation-part-of = is part of
relation-translates = translates
relation-publishes = publishes
relation-releases-again = releases again
relation-erases = erases its copies of
relation-supersedes = supersedes
