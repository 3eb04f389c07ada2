# The map of the world.
map-symbol = { $place }: { $count }
map-description = { $places ->
    [one] { $places } lugar.
   *[other] { $places } lugares.
} Valores más altos: { $largest }.
map-nothing = No hay nada que mostrar en el mapa.
map-elsewhere = Fuera del mapa: { $places }.
map-disclaimer = El mapa solo muestra las costas. Las denominaciones empleadas y la forma en que aparecen presentados los datos no implican juicio alguno sobre la condición jurídica de países, territorios, ciudades o zonas, o de sus autoridades, ni respecto de la delimitación de sus fronteras o límites.
