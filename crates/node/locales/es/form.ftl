# Forms: labels and faults that every form shares.
form-required = obligatorio
form-optional = opcional
form-faults = { $count ->
    [one] { $count } campo por corregir
   *[other] { $count } campos por corregir
}
form-missing = Introduzca un valor.
