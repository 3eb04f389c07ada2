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

## By machine code
error-code-as-of-date = “{ $value }” is not a date. Write year, month and day, as in 2020-05-31.
error-code-as-of-basis = “{ $value }” is no time to count by. Choose claimed, proven or here.
error-code-sort-column = There is no column “{ $value }” to sort by.
error-code-link-used-or-expired = This link was used before or is too old. Ask the operator for a new one: concord link.
