# # Scenarios: what follows from assumptions.
scenario-title = Scénario
scenario-lead = Ce qui découle d’hypothèses écrites. Il ne prédit rien : il dit ce que disent les hypothèses, et rien de l’effet d’une mesure.
scenario-choose = Hypothèses de calcul
scenario-words = Les hypothèses en mots
scenario-words-history = Historique : { $indicator }, selon { $author } pour { $place }, jusqu’au { $day }.
scenario-words-now = Comme maintenant : R reste { $r } (écart type { $sd }) jusqu’au { $day }.
scenario-words-step = Étape : à partir du { $day }, R vaut { $r }.
scenario-words-later = Étape retardée : de même à partir du { $day }, { $days ->
    [one] un jour plus tard
   *[other] { $days } jours plus tard
}.
scenario-words-interval = Intervalle sériel : moyenne { $mean } jours, écart type { $sd }.
scenario-words-deaths = { $share } des cas déclarés meurent, en moyenne { $mean } jours après la déclaration (écart type { $sd }).
scenario-words-beds = { $share } des cas déclarés ont besoin d’un lit, en moyenne { $mean } jours après la déclaration, pendant { $stay } jours.
scenario-words-people = { $people } personnes sont réceptives le premier jour ; nul n’est infecté deux fois.
scenario-words-no-people = Les personnes réceptives ne sont pas comptées : elles ne s’épuisent pas dans ce délai.
scenario-words-runs = { $runs } tirages avec hasard, graine { $seed } ; les trois évolutions rencontrent le même hasard. La déclaration reste la même.
scenario-costs = Ce que changent l’étape et son retard
scenario-cost-step = L’étape, { $measure } : { $median } (95 % des tirages : { $low } à { $high }).
scenario-cost-later = La prendre { $days ->
    [one] un jour plus tard
   *[other] { $days } jours plus tard
}, { $measure } : { $median } (95 % des tirages : { $low } à { $high }).
scenario-cases-title = Cas par jour
scenario-beds-title = Lits occupés
scenario-band = 95 % des tirages
scenario-chart-summary = Médianes le { $day } : { $values }.
scenario-measure = Quoi
scenario-measure-cases = cas
scenario-measure-deaths = décès
scenario-measure-beds = lits le jour le plus chargé
scenario-course = Évolution
scenario-course-as-now = comme maintenant
scenario-course-step = avec l’étape
scenario-course-step-later = avec l’étape retardée
scenario-course-step-minus-as-now = différence due à l’étape
scenario-course-step-later-minus-step = différence due au retard
scenario-totals = En somme sur toute la durée
scenario-days-table = Jour par jour
scenario-again = Pour refaire le calcul
scenario-again-text = La même entrée et les mêmes hypothèses donnent le même résultat, octet pour octet, sur toute machine. Voici leurs textes et SHA-256.
scenario-assumptions = Hypothèses
scenario-input = Entrée
scenario-outcome = Résultat
scenario-release = Publier
scenario-release-text = Un enregistrement avec ces trois textes est signé et ajouté au journal de ceux qui peuvent le lire. Il est calculé à partir des seuls chiffres publics et ne peut être effacé.
scenario-of-record = Publié dans un enregistrement et recalculé ici :
scenario-same-bytes = les mêmes octets
scenario-other-bytes = d’autres octets que ceux publiés
scenario-released = Enregistrement
scenario-released-title = Scénarios publiés
scenario-released-none = Aucun scénario n’a été publié.
scenario-claimed = Publié (déclaré)
scenario-days = Jours à venir
scenario-runs = Tirages
scenario-seed = Graine
scenario-si-mean = Intervalle sériel : moyenne, jours
scenario-si-sd = Intervalle sériel : écart type
scenario-r = R maintenant (d’après les chiffres si vide)
scenario-r-sd = R : écart type
scenario-step-day = Étape au jour
scenario-step-r = R après l’étape
scenario-delay = Retard, jours
scenario-people = Personnes réceptives (0 : non comptées)
scenario-death-share = Part des cas qui meurent, 0 à 1
scenario-death-mean = De la déclaration au décès : moyenne, jours
scenario-death-sd = De la déclaration au décès : écart type
scenario-bed-share = Part des cas ayant besoin d’un lit, 0 à 1
scenario-bed-mean = De la déclaration au lit : moyenne, jours
scenario-bed-sd = De la déclaration au lit : écart type
scenario-stay-mean = Séjour : moyenne, jours
scenario-stay-sd = Séjour : écart type
scenario-spread = Inégalité k (0 : égale)
