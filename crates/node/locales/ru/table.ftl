# Tables: sorting, filtering, paging.
table-filter = Фильтр
table-filter-apply = Применить
table-filter-clear = Снять фильтр
table-sort-ascending = Сортировать по возрастанию: { $column }
table-sort-descending = Сортировать по убыванию: { $column }
table-csv = CSV
table-csv-of = { $caption }: скачать в формате CSV
table-entries = { $count ->
    [one] { $count } строка
    [few] { $count } строки
    [many] { $count } строк
   *[other] { $count } строки
}
table-page = Страница { $page } из { $pages }
table-pages = Страницы
table-first = Первая
table-previous = Предыдущая
table-next = Следующая
table-last = Последняя
table-empty = Пока нет данных для показа.
table-no-match = Нет строк, соответствующих запросу «{ $filter }».
