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
error-row = Fila { $row }: { $problem }
error-cell = Fila { $row }, columna { $column } ({ $header }): { $problem }

## By machine code
error-code-as-of-date = «{ $value }» no es una fecha. Indique año, mes y día, por ejemplo 2020-05-31.
error-code-as-of-basis = «{ $value }» no es una fecha que pueda considerarse. Elija claimed, proven o here.
error-code-sort-column = No hay ninguna columna «{ $value }» por la que ordenar.
error-code-link-used-or-expired = Este enlace ya se utilizó o es demasiado antiguo. Pida uno nuevo al operador: concord link.

## Reading a table of figures
error-code-table-empty = La tabla está vacía.
error-code-table-not-utf8 = La tabla no es texto UTF-8. Guárdela como «CSV UTF-8».
error-code-table-unreadable = El comienzo de la tabla no puede leerse por filas: hay una fila demasiado larga o unas comillas sin cerrar.
error-code-table-io = No se puede leer la tabla: { $kind }
error-code-tag-invalid = «{ $text }» figura en la fila de etiquetas y no lo es.
error-code-tag-unclear = { $tag } no se entiende aquí. Asigne a la columna una etiqueta conocida, o ninguna.
error-code-columns-twice = Las columnas «{ $header }» y «{ $second-header }» dicen lo mismo. Deje una de ellas sin asignar.
error-code-column-date-missing = Ninguna columna contiene la fecha. Etiquete una con #date, o asígnela.
error-code-column-period-half = Un período necesita tanto #date+start como #date+end.
error-code-column-place-missing = Ninguna columna contiene el lugar. Etiquete una con #country+code o #country+name, o indique el lugar de toda la tabla.
error-code-column-indicator-missing = Ninguna columna contiene un indicador. Etiquete una, por ejemplo con #affected+infected+confirmed+cumulative, o asígnela.
error-code-map-header-missing = Ninguna columna tiene el encabezado «{ $header }» que se asigna.
error-code-map-invalid = «{ $text }» no es una asignación. Escriba Encabezado=#etiqueta, o Encabezado=- para omitir una columna, separados por comas.

## What is wrong in a row; its place is said before
error-code-cells-missing = La fila tiene { $found } celdas; el encabezado, { $expected }.
error-code-cells-extra = La fila tiene { $found } celdas; el encabezado, { $expected }. ¿Falta entrecomillar alguna celda?
error-code-not-utf8 = La celda no es texto UTF-8.
error-code-field-too-long = La celda supera los { $limit } bytes.
error-code-date-missing = Falta la fecha.
error-code-date-unclear = «{ $text }»: indique si va primero el día o el mes, o escriba { $day-first } o { $month-first }.
error-code-date-short-year = «{ $text }» tiene un año de dos cifras. Escriba AAAA-MM-DD.
error-code-date-has-time = «{ $text }» lleva hora, y una cifra vale para días. Escriba AAAA-MM-DD.
error-code-date-invalid = «{ $text }» no es una fecha. Escriba AAAA-MM-DD.
error-code-period-reversed = «{ $text }» termina antes de empezar.
error-code-place-missing = Falta el lugar.
error-code-country-code-unknown = «{ $text }» no es un código ISO 3166-1. Un lugar sin código va en una columna de nombres.
error-code-place-contradiction = El código dice { $code }; el nombre, «{ $name }».
error-code-place-invalid = «{ $text }» no puede ser un lugar: 200 bytes como máximo, sin caracteres de control ni |.
error-code-value-negative = «{ $text }» es menor que cero. Un acumulado nunca lo es; otros valores, solo si la importación lo indica.
error-code-value-fractional = «{ $text }» tiene decimales, y las personas se cuentan enteras.
error-code-value-separated = «{ $text }» tiene separadores entre sus cifras. Indique cuál, o escriba solo cifras.
error-code-value-invalid = «{ $text }» no es un número. Deje la celda vacía donde no se indique nada.
error-code-value-too-long = «{ $text }» tiene más de 18 cifras.
error-code-indicator-missing = Hay un valor y ningún indicador.
error-code-indicator-invalid = «{ $text }» no es un indicador: letras minúsculas, cifras y -, 64 como máximo.
error-code-definition-invalid = «{ $text }» no es una definición: letras minúsculas, cifras y - . _ /, 64 como máximo.
error-code-disaggregation-invalid = «{ $text }» no es una parte de la población: 64 bytes como máximo, sin caracteres de control ni | , =.
error-code-text-invalid = El texto supera los 2000 bytes o contiene caracteres de control.
error-code-row-too-long = La fila supera los { $limit } bytes. ¿Hay unas comillas sin cerrar? No se leyó nada más.
error-code-columns-too-many = La fila tiene más de { $limit } celdas. No se leyó nada más.
error-code-rows-too-many = La tabla tiene más de { $limit } filas. No se leyó nada a partir de aquí.
error-code-figures-too-many = La tabla tiene más de { $limit } cifras. No se leyó nada a partir de aquí.
error-code-quote-not-closed = Hay unas comillas sin cerrar antes del final de la tabla.
error-code-io = No se pudo seguir leyendo la tabla: { $kind }
error-code-figures-none = No hay ninguna cifra que publicar.
error-code-figure-stated-twice = La tabla indica dos veces la misma cifra.
error-code-figure-reason-missing = Esto corrige una cifra ya indicada. Indique el motivo.
error-code-figure-value-impossible = Un acumulado no es menor que cero, y las personas se cuentan enteras.

## Why an entry of a log counts for nothing
error-code-entry-other-log = El registro pertenece a la bitácora { $found }.
error-code-entry-other-author = El registro es de { $found }.
error-code-entry-not-sealed = Un registro de tipo { $kind } figura sin sellar en una bitácora restringida.
error-code-entry-not-signed = Ninguna clave de autor que la raíz de confianza { $root } permita para { $kind } firmó el registro.
error-code-entry-bad-signature = La firma de { $name } es incorrecta.
error-code-log-not-opening = Una bitácora empieza por log.open, no por { $kind }.
error-code-log-never-opened = La bitácora no tiene un log.open válido.
error-code-log-opened-again = log.open solo figura al principio.
error-code-log-after-close = La bitácora ya estaba cerrada.
error-code-log-line = La línea «{ $key }» debe ser: { $wanted }
error-code-log-root-not-newer = Se nombra la raíz de confianza { $found }, pero está en vigor la { $inForce }.
error-code-log-root-hash = La raíz de confianza { $version } del autor tiene otro resumen.

## An operator's file of borders
error-code-borders-too-large = El archivo tiene { $bytes } bytes, más de los que se leen.
error-code-borders-too-many-points = El archivo tiene demasiados puntos. Simplifique las líneas.
error-code-borders-not-json = Línea { $line }: el archivo no es JSON.
error-code-borders-not-geojson = { $what } no es GeoJSON que pueda dibujarse. Escriba líneas o polígonos.
error-code-borders-position = { $position } no es una longitud y una latitud en grados.
