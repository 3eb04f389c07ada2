# The map of the world.
map-symbol = { $place } : { $count }
map-description = { $places ->
    [one] { $places } lieu.
   *[other] { $places } lieux.
} Valeurs les plus élevées : { $largest }.
map-nothing = Il n’y a rien à afficher sur la carte.
map-elsewhere = Hors de la carte : { $places }.
map-disclaimer = La carte ne montre que les côtes. Les appellations employées et la présentation des données n’impliquent aucune prise de position quant au statut juridique des pays, territoires, villes ou zones, ou de leurs autorités, ni quant au tracé de leurs frontières ou limites.
