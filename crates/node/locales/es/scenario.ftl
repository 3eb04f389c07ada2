# # Scenarios: what follows from assumptions.
scenario-title = Escenario
scenario-lead = Lo que se sigue de supuestos escritos. No predice nada: dice lo que dicen los supuestos, y nada sobre el efecto de una medida.
scenario-choose = Supuestos para el cálculo
scenario-words = Los supuestos en palabras
scenario-words-history = Historia: { $indicator }, según { $author } para { $place }, hasta el { $day }.
scenario-words-now = Como ahora: R sigue en { $r } (desviación estándar { $sd }) hasta el { $day }.
scenario-words-step = Paso: desde el { $day }, R es { $r }.
scenario-words-later = Paso posterior: lo mismo desde el { $day }, { $days ->
    [one] un día después
   *[other] { $days } días después
}.
scenario-words-interval = Intervalo serial: media { $mean } días, desviación estándar { $sd }.
scenario-words-deaths = El { $share } de los casos notificados muere, de media { $mean } días después de la notificación (desviación estándar { $sd }).
scenario-words-beds = El { $share } de los casos notificados necesita una cama, de media { $mean } días después de la notificación, durante { $stay } días.
scenario-words-people = { $people } personas son susceptibles el primer día; nadie se infecta dos veces.
scenario-words-no-people = No se cuentan las personas susceptibles: no se agotan en este tiempo.
scenario-words-runs = { $runs } ejecuciones con azar, semilla { $seed }; los tres cursos encuentran el mismo azar. La notificación sigue igual.
scenario-costs = Lo que cambian el paso y su retraso
scenario-cost-step = El paso, { $measure }: { $median } (95 % de las ejecuciones: { $low } a { $high }).
scenario-cost-later = Darlo { $days ->
    [one] un día después
   *[other] { $days } días después
}, { $measure }: { $median } (95 % de las ejecuciones: { $low } a { $high }).
scenario-cases-title = Casos por día
scenario-beds-title = Camas ocupadas
scenario-band = 95 % de las ejecuciones
scenario-chart-summary = Medianas el { $day }: { $values }.
scenario-measure = Qué
scenario-measure-cases = casos
scenario-measure-deaths = muertes
scenario-measure-beds = camas el día más lleno
scenario-course = Curso
scenario-course-as-now = como ahora
scenario-course-step = con el paso
scenario-course-step-later = con el paso posterior
scenario-course-step-minus-as-now = diferencia del paso
scenario-course-step-later-minus-step = diferencia del retraso
scenario-totals = En total en todo el periodo
scenario-days-table = Día a día
scenario-again = Para volver a calcularlo
scenario-again-text = La misma entrada y los mismos supuestos dan el mismo resultado, byte a byte, en cualquier máquina. Estos son sus textos y SHA-256.
scenario-assumptions = Supuestos
scenario-input = Entrada
scenario-outcome = Resultado
scenario-release = Publicar
scenario-release-text = Se firma un registro con estos tres textos y se añade al diario de quienes pueden leerlo. Se calcula solo con cifras públicas y no puede borrarse.
scenario-of-record = Publicado en un registro y calculado aquí de nuevo:
scenario-same-bytes = los mismos bytes
scenario-other-bytes = otros bytes que los publicados
scenario-released = Registro
scenario-released-title = Escenarios publicados
scenario-released-none = No se ha publicado ningún escenario.
scenario-claimed = Publicado (declarado)
scenario-days = Días por delante
scenario-runs = Ejecuciones
scenario-seed = Semilla
scenario-si-mean = Intervalo serial: media, días
scenario-si-sd = Intervalo serial: desviación estándar
scenario-r = R ahora (de las cifras si se deja vacío)
scenario-r-sd = R: desviación estándar
scenario-step-day = Paso en el día
scenario-step-r = R después del paso
scenario-delay = Retraso en días
scenario-people = Personas susceptibles (0: no se cuentan)
scenario-death-share = Proporción de casos que mueren, 0 a 1
scenario-death-mean = De la notificación a la muerte: media, días
scenario-death-sd = De la notificación a la muerte: desviación estándar
scenario-bed-share = Proporción de casos que necesitan cama, 0 a 1
scenario-bed-mean = De la notificación a la cama: media, días
scenario-bed-sd = De la notificación a la cama: desviación estándar
scenario-stay-mean = Estancia: media, días
scenario-stay-sd = Estancia: desviación estándar
scenario-spread = Desigualdad k (0: uniforme)
