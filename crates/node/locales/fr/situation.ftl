# The situation desk: what authorities state, and where they differ.
situation-lead = { $places } pays et autres lieux, selon { $authorities } autorités. Les derniers chiffres portent sur le { $day }.
situation-indicators = Indicateur
situation-computed = calculé ici à partir des déclarations
situation-sum-of = { $count ->
    [one] somme de { $count } pays
   *[other] somme de { $count } pays
}
situation-last-week = 7 derniers jours
situation-week-known = { $count ->
    [one] connu pour { $count } pays
   *[other] connu pour { $count } pays
}
situation-reporting = Déclaré par leur propre autorité
situation-reporting-of = sur { $total } lieux
situation-corrections = Corrections
situation-corrections-link = ce qui a changé, et pourquoi
situation-corrections-none = Rien n’a été corrigé.
situation-differs = Déclarations divergentes
situation-differs-link = qui dit quoi
situation-differs-text = Le même chiffre, selon des autorités différentes. Aucun n’est modifié ici.
situation-crowded = { $author } donne ce chiffre pour plus de { $count } lieux. Ils ne sont pas énumérés ici ; chacun a sa page.
situation-crowded-place = { $author } déclare plus de { $count } séries de chiffres pour ce lieu. Elles ne sont pas affichées ici.
situation-cut = { $author } déclare plus de chiffres qu’il n’est possible d’en afficher ici. Les siens sont affichés à partir du { $day }.
situation-cut-whole = { $author } déclare pour un seul jour plus de chiffres qu’il n’est possible d’en afficher ici. Aucun n’est affiché.
situation-day-cut = { $author } déclare pour ce jour plus qu’il n’est possible d’afficher ici. Les déclarations les plus récentes sont affichées, { $count } au maximum.
situation-crowded-days = { $author } déclare plus de { $count } chiffres pour ces jours et n’est pas pris en compte ici.
situation-differs-none = Aucun chiffre n’est déclaré différemment par deux autorités.
situation-table = Déclaré par les autorités
situation-map = Carte
situation-place = Lieu
situation-value = Valeur
situation-seven = 7 jours
situation-weeks = Semaines
situation-day = Jour
situation-who = Qui le dit
situation-standing = Statut
situation-own = Autorité du pays
situation-observed = Observé par un tiers
situation-proof = Preuve
situation-proven-by = prouvé au { $time }
situation-claimed-at = déclaré le { $time }
situation-empty-title = Pas encore de chiffres
situation-empty-text = Dès qu’une autorité dont ce nœud suit le journal publie des chiffres, ils figurent ici avec leur preuve.
situation-empty-as-of = Rien n’était connu à cette date.
situation-place-unknown = À cette date, aucune autorité n’avait rien déclaré au sujet de { $place }. Des chiffres ont été déclarés plus tard.
situation-all-places = Tous les pays et lieux

## A place
situation-new-per-day = Nouveaux par jour
situation-mean = Moyenne sur 7 jours
situation-place-lead = { $new } nouveaux ces sept derniers jours, { $before } les sept jours précédents.
situation-latest-day = pour le { $day }
situation-data-table = Jour par jour
situation-new = Nouveaux
situation-new-over = sur { $days } jours
situation-other = Autres indicateurs et groupes
situation-group-all = tous
situation-authors = Qui déclare des chiffres pour ce lieu
situation-definition = Définition
situation-definition-as-reported = telle que déclarée

## Corrections
situation-old = Avant
situation-new-value = Maintenant
situation-change = Écart
situation-reason = Motif donné
situation-source = Source
situation-no-reason = aucun
situation-period = Pour
situation-corrections-lead = Chaque valeur que son auteur a ensuite déclarée autrement : ce qui figurait avant, ce qui figure maintenant, et le motif qu’il donne.

## One day
situation-one-day = { $place }, { $day }
situation-one-day-lead = Tout ce qui a été déclaré sur ce jour, dans l’ordre de publication.
situation-state = État
situation-holds = en vigueur
situation-replaced = remplacé
situation-ended = retiré
situation-previous-day = Jour précédent
situation-next-day = Jour suivant
situation-day-empty = Rien n’a été déclaré pour ce jour.

## Indicators
situation-indicator-cases-confirmed-cumulative = Cas confirmés, cumul
situation-indicator-cases-confirmed-new = Cas confirmés, nouveaux
situation-indicator-cases-probable-cumulative = Cas probables, cumul
situation-indicator-cases-probable-new = Cas probables, nouveaux
situation-indicator-cases-suspected-cumulative = Cas suspects, cumul
situation-indicator-cases-suspected-new = Cas suspects, nouveaux
situation-indicator-deaths-cumulative = Décès, cumul
situation-indicator-deaths-new = Décès, nouveaux
situation-indicator-recovered-cumulative = Guérisons, cumul
situation-indicator-recovered-new = Guérisons, nouvelles
situation-indicator-cases-active = Cas actifs
situation-indicator-hospitalised = Hospitalisés
situation-indicator-critical = En état critique
situation-indicator-population = Population

## Views and differences
situation-views = Vues
situation-view-figures = Chiffres
situation-differs-lead = Le même chiffre, pour le même lieu et le même jour, tel que deux autorités le déclarent, avec les deux enregistrements. Aucun n’est ici modifié, pondéré ni déclaré faux.
situation-other-who = Qui dit autre chose
situation-apart = Écart
situation-days = Jours examinés
situation-days-back = Les { $days } derniers jours
situation-differs-more = Il y en a davantage ; les { $count } plus récents sont listés.
