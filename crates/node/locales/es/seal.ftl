# Who claims something, how it is proven, and in what state it is.
seal-proven = probado a { $time }
seal-witnessed = { $count ->
    [one] { $count } testigo
   *[other] { $count } testigos
}
seal-claimed = solo declarado
seal-claimed-time = declarado: { $time }
seal-claimed-explained = Los testigos aún no han probado desde cuándo existe; la hora es la que indica el autor.
seal-actual = Real
seal-exercise = Ejercicio
seal-test = Prueba
seal-edition = edición { $number }
seal-corrected = Corregido
seal-withdrawn = Retirado
seal-conflicting = Edición contradictoria
seal-disowned = Desautorizado
seal-crowded = Demasiados registros
seal-expired = Caducado
seal-erased = Suprimido
seal-sealed = Sellado
seal-alarm = Alarma
seal-full-hash = SHA-256 completo
