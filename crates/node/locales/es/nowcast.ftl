# The incomplete end of a series: what is still to be reported.
nowcast-title = Lo que falta por notificar
nowcast-reported = notificados hasta ahora
nowcast-expected = esperados en total
nowcast-share = Proporción recibida
nowcast-table = Días con notificaciones pendientes
nowcast-shaded = aún incompleto: ha llegado menos del { $share } de las notificaciones
nowcast-summary = Del { $day } se han notificado { $reported } y se esperan { $expected } en total (intervalo del 95 %: { $low } a { $high }): ha llegado el { $share } de las notificaciones.
nowcast-note-triangle = Triángulo de notificación de { $days } días, a partir de { $releases } publicaciones de { $author }, por día de publicación ({ $basis }). Mayor retraso observado, en días: { $delay }.
nowcast-note-method = Método chain ladder (Wolffram et al. 2023, PLOS Comput Biol 19:e1011394). Su intervalo es tan ancho como el error que habría cometido en días anteriores. Supone que los retrasos siguen como eran.
