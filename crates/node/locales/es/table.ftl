# Tables: sorting, filtering, paging.
table-filter = Filtrar
table-filter-apply = Aplicar
table-filter-clear = Quitar el filtro
table-sort-ascending = Ordenar de forma ascendente: { $column }
table-sort-descending = Ordenar de forma descendente: { $column }
table-csv = CSV
table-csv-of = { $caption }: descargar en formato CSV
table-entries = { $count ->
    [one] { $count } entrada
   *[other] { $count } entradas
}
table-page = Página { $page } de { $pages }
table-pages = Páginas
table-first = Primera
table-previous = Anterior
table-next = Siguiente
table-last = Última
table-empty = Todavía no hay nada que mostrar.
table-no-match = Ninguna entrada coincide con «{ $filter }».
