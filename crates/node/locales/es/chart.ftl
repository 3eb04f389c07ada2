# Curves: their parts, and what they say.
chart-per-day = por día
chart-average = media de 7 días
chart-average-of = { $name }: media de 7 días
chart-incomplete-days = aún incompleto
chart-table = Tabla
chart-day = Día

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = Los casos nuevos aumentan desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-cases-falling = Los casos nuevos disminuyen desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-cases-level = Los casos nuevos se mantienen estables: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-deaths-rising = Las muertes nuevas aumentan desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-deaths-falling = Las muertes nuevas disminuyen desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-deaths-level = Las muertes nuevas se mantienen estables: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-other-rising = { $name }, en aumento desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-other-falling = { $name }, en descenso desde hace { $weeks ->
    [one] { $weeks } semana
   *[other] { $weeks } semanas
}: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-other-level = { $name }, estable: { $count } en los siete días hasta el { $date }, frente a { $previous } en los siete días anteriores.
chart-too-short = Se conocen menos de catorce días completos consecutivos, por lo que no se indica ninguna tendencia.
chart-incomplete = { $days ->
    [one] El último día está incompleto y no se cuenta.
   *[other] Los últimos { $days } días están incompletos y no se cuentan.
}
