# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = No se puede atender esta solicitud
error-bad-request-text = Algún elemento de la solicitud no es correcto.
error-unauthorized-title = Inicie sesión
error-unauthorized-text = Esta página está reservada a las personas que han iniciado sesión.
error-forbidden-title = Operación no permitida
error-forbidden-text = Sus funciones no incluyen este acto. No se ha modificado nada.
error-not-found-title = No encontrado
error-not-found-text = No hay nada en esta dirección, o nada que usted pueda consultar.
error-conflict-title = Otra persona se ha adelantado
error-conflict-text = Aquello en lo que trabajaba ha cambiado entretanto. Consulte el estado actual e inténtelo de nuevo.
error-too-large-title = Demasiado grande
error-too-large-text = El envío supera el tamaño que admite este nodo.
error-too-many-title = Demasiadas solicitudes
error-too-many-text = Espere un minuto e inténtelo de nuevo.
error-internal-title = Este nodo no ha podido responder
error-internal-text = La avería ha quedado registrada para el operador. No se ha perdido nada de lo confirmado.
error-unavailable-title = No disponible por el momento
error-unavailable-text = Este nodo se está iniciando o está en mantenimiento. Inténtelo de nuevo en breve.
error-back = Ir a la página de inicio
error-unlisted = Rechazado: { $code }
error-reference = Referencia para el operador: { $reference }

## By machine code
error-code-as-of-date = «{ $value }» no es una fecha. Indique año, mes y día, por ejemplo 2020-05-31.
error-code-as-of-basis = «{ $value }» no es una fecha que pueda considerarse. Elija claimed, proven o here.
error-code-sort-column = No hay ninguna columna «{ $value }» por la que ordenar.
error-code-link-used-or-expired = Este enlace ya se utilizó o es demasiado antiguo. Pida uno nuevo al operador: concord link.
