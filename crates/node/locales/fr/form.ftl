# Forms: labels and faults that every form shares.
form-required = obligatoire
form-optional = facultatif
form-faults = { $count ->
    [one] { $count } champ à corriger
   *[other] { $count } champs à corriger
}
form-missing = Saisissez une valeur.
