# Tables: sorting, filtering, paging.
table-filter = Filtrer
table-filter-apply = Appliquer
table-filter-clear = Retirer le filtre
table-sort-ascending = Trier par ordre croissant : { $column }
table-sort-descending = Trier par ordre décroissant : { $column }
table-csv = CSV
table-csv-of = { $caption } : télécharger au format CSV
table-entries = { $count ->
    [one] { $count } entrée
   *[other] { $count } entrées
}
table-page = Page { $page } sur { $pages }
table-pages = Pages
table-first = Première
table-previous = Précédente
table-next = Suivante
table-last = Dernière
table-empty = Il n’y a encore rien à afficher.
table-no-match = Aucune entrée ne correspond à « { $filter } ».
