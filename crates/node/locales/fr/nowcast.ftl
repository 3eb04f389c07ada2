# The incomplete end of a series: what is still to be reported.
nowcast-title = Ce qui reste à déclarer
nowcast-reported = déclarés à ce jour
nowcast-expected = attendus en tout
nowcast-share = Part arrivée
nowcast-table = Jours dont les déclarations ne sont pas toutes arrivées
nowcast-shaded = encore incomplet : moins de { $share } des déclarations sont arrivées
nowcast-summary = Pour le { $day }, { $reported } sont déclarés à ce jour et { $expected } attendus en tout (intervalle à 95 % : { $low } à { $high }) : { $share } des déclarations sont arrivées.
nowcast-note-triangle = Triangle de déclaration de { $days } jours, tiré de { $releases } publications de { $author }, par jour de publication ({ $basis }). Plus long délai observé, en jours : { $delay }.
nowcast-note-method = Méthode chain ladder (Wolffram et al. 2023, PLOS Comput Biol 19:e1011394). Son intervalle est aussi large que l’erreur qu’elle aurait faite pour les jours passés. Elle suppose que les délais restent ce qu’ils étaient.
