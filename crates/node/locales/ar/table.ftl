# Tables: sorting, filtering, paging.
table-filter = تصفية
table-filter-apply = طبّق
table-filter-clear = أزل التصفية
table-sort-ascending = الترتيب التصاعدي حسب { $column }
table-sort-descending = الترتيب التنازلي حسب { $column }
table-csv = CSV
table-csv-of = { $caption }: تنزيل بصيغة CSV
table-entries = { $count ->
    [one] مدخل واحد
    [two] مدخلان
    [few] { $count } مدخلات
    [many] { $count } مدخلاً
   *[other] { $count } مدخل
}
table-page = الصفحة { $page } من { $pages }
table-pages = الصفحات
table-first = الأولى
table-previous = السابقة
table-next = التالية
table-last = الأخيرة
table-empty = لا يوجد ما يُعرض حتى الآن.
table-no-match = لا يوجد مدخل يطابق «{ $filter }».
