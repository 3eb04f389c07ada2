# The situation desk: what authorities state, and where they differ.
situation-lead = { $places } países y otros lugares, según { $authorities } autoridades. Las últimas cifras corresponden al { $day }.
situation-indicators = Indicador
situation-computed = calculado aquí a partir de lo declarado
situation-sum-of = { $count ->
    [one] suma de { $count } país
   *[other] suma de { $count } países
}
situation-last-week = Últimos 7 días
situation-week-known = { $count ->
    [one] conocido para { $count } país
   *[other] conocido para { $count } países
}
situation-reporting = Declarado por su propia autoridad
situation-reporting-of = de { $total } lugares
situation-corrections = Correcciones
situation-corrections-link = qué cambió y por qué
situation-corrections-none = No se ha corregido nada.
situation-differs = Declarado de forma distinta
situation-differs-link = quién dice qué
situation-differs-text = La misma cifra, según distintas autoridades. Aquí no se modifica ninguna.
situation-crowded = { $author } da esta cifra para más de { $count } lugares. No se enumeran aquí; cada uno tiene su página.
situation-crowded-place = { $author } declara más de { $count } series de cifras para este lugar. No se muestran aquí.
situation-cut = { $author } declara más de lo que cabe mostrar aquí. Sus cifras se muestran a partir del { $day }.
situation-cut-whole = { $author } declara para un solo día más de lo que cabe mostrar aquí. No se muestra ninguna de sus cifras.
situation-day-cut = { $author } declara sobre este día más de lo que cabe mostrar aquí. Se muestran las declaraciones más recientes, { $count } como máximo.
situation-crowded-days = { $author } declara más de { $count } cifras para estos días y no se incluye aquí.
situation-differs-none = Ninguna cifra es declarada de forma distinta por dos autoridades.
situation-table = Declarado por las autoridades
situation-map = Mapa
situation-place = Lugar
situation-value = Valor
situation-seven = 7 días
situation-weeks = Semanas
situation-day = Día
situation-who = Quién lo dice
situation-standing = Condición
situation-own = Autoridad propia
situation-observed = Observado por otra
situation-proof = Prueba
situation-proven-by = probado el { $time }
situation-claimed-at = declarado el { $time }
situation-empty-title = Aún no hay cifras
situation-empty-text = En cuanto una autoridad cuyo registro sigue este nodo publique cifras, aparecerán aquí con su prueba.
situation-empty-as-of = Nada se conocía a esa fecha.
situation-place-unknown = Hasta ese día, ninguna autoridad había comunicado nada sobre { $place }. Se comunicaron cifras después.
situation-all-places = Todos los países y lugares

## A place
situation-new-per-day = Nuevos por día
situation-mean = Media de 7 días
situation-place-lead = { $new } nuevos en los últimos siete días, { $before } en los siete anteriores.
situation-latest-day = del { $day }
situation-data-table = Día a día
situation-new = Nuevos
situation-new-over = en { $days } días
situation-other = Otros indicadores y grupos
situation-group-all = todos
situation-authors = Quién declara cifras de este lugar
situation-definition = Definición
situation-definition-as-reported = según lo notificado

## Corrections
situation-old = Antes
situation-new-value = Ahora
situation-change = Cambio
situation-reason = Motivo indicado
situation-source = Fuente
situation-no-reason = ninguno
situation-period = Para
situation-corrections-lead = Cada valor que su propio autor declaró después de otro modo: qué figuraba antes, qué figura ahora y el motivo que da.

## One day
situation-one-day = { $place }, { $day }
situation-one-day-lead = Todo lo declarado sobre este día, en el orden en que se publicó.
situation-state = Estado
situation-holds = vigente
situation-replaced = reemplazado
situation-ended = retirado
situation-previous-day = Día anterior
situation-next-day = Día siguiente
situation-day-empty = No se comunicó nada sobre este día.

## Indicators
situation-indicator-cases-confirmed-cumulative = Casos confirmados, acumulados
situation-indicator-cases-confirmed-new = Casos confirmados, nuevos
situation-indicator-cases-probable-cumulative = Casos probables, acumulados
situation-indicator-cases-probable-new = Casos probables, nuevos
situation-indicator-cases-suspected-cumulative = Casos sospechosos, acumulados
situation-indicator-cases-suspected-new = Casos sospechosos, nuevos
situation-indicator-deaths-cumulative = Muertes, acumuladas
situation-indicator-deaths-new = Muertes, nuevas
situation-indicator-recovered-cumulative = Recuperados, acumulados
situation-indicator-recovered-new = Recuperados, nuevos
situation-indicator-cases-active = Casos activos
situation-indicator-hospitalised = Hospitalizados
situation-indicator-critical = En estado crítico
situation-indicator-population = Población

## Views and differences
situation-views = Vistas
situation-view-figures = Cifras
situation-differs-lead = La misma cifra, del mismo lugar y día, tal como la declaran dos autoridades, con ambos registros. Aquí ninguna se modifica, se pondera ni se da por errónea.
situation-other-who = Quién dice otra cosa
situation-apart = Diferencia
situation-days = Días examinados
situation-days-back = Últimos { $days } días
situation-differs-more = Hay más; se listan las { $count } más recientes.
