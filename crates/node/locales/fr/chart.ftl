# Curves: their parts, and what they say.
chart-per-day = par jour
chart-average = moyenne sur 7 jours
chart-average-of = { $name } : moyenne sur 7 jours
chart-incomplete-days = encore incomplet
chart-table = Tableau
chart-day = Jour

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = Les nouveaux cas augmentent depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-cases-falling = Les nouveaux cas diminuent depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-cases-level = Les nouveaux cas sont stables : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-deaths-rising = Les nouveaux décès augmentent depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-deaths-falling = Les nouveaux décès diminuent depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-deaths-level = Les nouveaux décès sont stables : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-other-rising = { $name }, en hausse depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-other-falling = { $name }, en baisse depuis { $weeks ->
    [one] { $weeks } semaine
   *[other] { $weeks } semaines
} : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-other-level = { $name }, stable : { $count } sur les sept jours au { $date }, contre { $previous } les sept jours précédents.
chart-too-short = Moins de quatorze jours complets consécutifs sont connus ; aucune tendance n’est donc indiquée.
chart-incomplete = { $days ->
    [one] Le dernier jour est incomplet et n’est pas compté.
   *[other] Les { $days } derniers jours sont incomplets et ne sont pas comptés.
}
