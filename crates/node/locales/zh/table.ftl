# Tables: sorting, filtering, paging.
table-filter = 筛选
table-filter-apply = 应用
table-filter-clear = 清除筛选
table-sort-ascending = 按{ $column }升序排列
table-sort-descending = 按{ $column }降序排列
table-csv = CSV
table-csv-of = { $caption }：下载CSV文件
table-entries = { $count ->
   *[other] { $count }项
}
table-page = 第{ $page }页，共{ $pages }页
table-pages = 分页
table-first = 首页
table-previous = 上一页
table-next = 下一页
table-last = 末页
table-empty = 暂无内容。
table-no-match = 没有与“{ $filter }”相符的条目。
