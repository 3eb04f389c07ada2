# Curves: their parts, and what they say.
chart-per-day = в день
chart-average = среднее за 7 дней
chart-average-of = { $name }: среднее за 7 дней
chart-incomplete-days = еще не полные данные
chart-table = Таблица
chart-day = День

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = Число новых случаев растет { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-cases-falling = Число новых случаев снижается { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-cases-level = Число новых случаев не меняется: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-deaths-rising = Число новых случаев смерти растет { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-deaths-falling = Число новых случаев смерти снижается { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-deaths-level = Число новых случаев смерти не меняется: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-other-rising = { $name }, рост { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-other-falling = { $name }, снижение { $weeks ->
    [one] { $weeks } неделю
    [few] { $weeks } недели
    [many] { $weeks } недель
   *[other] { $weeks } недели
} подряд: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-other-level = { $name }, без изменений: { $count } за семь дней по { $date } после { $previous } за предыдущие семь дней.
chart-too-short = Известно менее четырнадцати полных дней подряд, поэтому тенденция не указана.
chart-incomplete = { $days ->
    [one] Данные за последний { $days } день неполны и не учтены.
    [few] Данные за последние { $days } дня неполны и не учтены.
    [many] Данные за последние { $days } дней неполны и не учтены.
   *[other] Данные за последние { $days } дня неполны и не учтены.
}
