# The frame around every page.
shell-skip = Ir al contenido
shell-desks = Secciones
shell-situation = Situación
shell-network = Red
shell-records = Registros
shell-meetings = Reuniones
shell-import = Importación
shell-languages = Idioma
shell-crumbs = Se encuentra aquí
shell-sign-in = Iniciar sesión
shell-sign-out = Cerrar sesión
shell-footer = Cada cifra puede rastrearse hasta el registro firmado del que procede.
shell-zone = Horas en
shell-api = API

## Faces
shell-face-public = Público
shell-face-inside = Interno

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = A fecha de
shell-basis = Fecha considerada
shell-basis-claimed = según lo declarado
shell-basis-proven = según lo probado
shell-basis-here = según lo verificado aquí
shell-show = Mostrar
shell-note-claimed = A fecha de { $date }: lo publicado hasta el final de ese día (UTC), según sus autores.
shell-note-proven = A fecha de { $date }: aquello cuya existencia al final de ese día (UTC) prueban los testigos.
shell-note-here = A fecha de { $date }: lo que este nodo había verificado hasta el final de ese día (UTC).
shell-note-now = Mostrar el estado actual

## Exercise
shell-exercise = Ejercicio
shell-exercise-note = No se trata de un evento real. Nada de lo que aquí figura se contabiliza en las cifras reales.
shell-signals = Señales
shell-scenarios = Escenarios
