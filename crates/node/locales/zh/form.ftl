# Forms: labels and faults that every form shares.
form-required = 必填
form-optional = 选填
form-faults = { $count ->
   *[other] { $count }个字段需要更正
}
form-missing = 请填写此项。
