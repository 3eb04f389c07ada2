# The map of the world.
map-symbol = { $place }: { $count }
map-description = { $places ->
    [one] { $places } place.
   *[other] { $places } places.
} The largest values: { $largest }.
map-nothing = There is nothing to show on the map.
map-elsewhere = Not on the map: { $places }.
map-disclaimer = The map shows coastlines only. The designations employed and the presentation of the material do not imply the expression of any opinion whatsoever concerning the legal status of any country, territory, city or area or of its authorities, or concerning the delimitation of its frontiers or boundaries.
