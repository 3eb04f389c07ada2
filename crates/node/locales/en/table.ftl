# Tables: sorting, filtering, paging.
table-filter = Filter
table-filter-apply = Apply
table-filter-clear = Clear filter
table-sort-ascending = Sort by { $column }, ascending
table-sort-descending = Sort by { $column }, descending
table-csv = CSV
table-csv-of = { $caption }: download as CSV
table-entries = { $count ->
    [one] { $count } entry
   *[other] { $count } entries
}
table-page = Page { $page } of { $pages }
table-pages = Pages
table-first = First
table-previous = Previous
table-next = Next
table-last = Last
table-empty = There is nothing to show yet.
table-no-match = No entry matches “{ $filter }”.
