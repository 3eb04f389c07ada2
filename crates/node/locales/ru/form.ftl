# Forms: labels and faults that every form shares.
form-required = обязательно
form-optional = необязательно
form-faults = { $count ->
    [one] { $count } поле требует исправления
    [few] { $count } поля требуют исправления
    [many] { $count } полей требуют исправления
   *[other] { $count } поля требуют исправления
}
form-missing = Введите значение.
