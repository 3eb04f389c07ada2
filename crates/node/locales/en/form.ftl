# Forms: labels and faults that every form shares.
form-required = required
form-optional = optional
form-faults = { $count ->
    [one] { $count } field needs attention
   *[other] { $count } fields need attention
}
form-missing = Enter a value.
