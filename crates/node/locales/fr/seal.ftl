# Who claims something, how it is proven, and in what state it is.
seal-proven = prouvé au { $time }
seal-witnessed = { $count ->
    [one] { $count } témoin
   *[other] { $count } témoins
}
seal-claimed = déclaré seulement
seal-claimed-time = déclaré : { $time }
seal-claimed-explained = Aucun témoin n’a encore prouvé depuis quand ceci existe ; l’heure est celle qu’indique l’auteur.
seal-actual = Réel
seal-exercise = Exercice
seal-test = Test
seal-edition = édition { $number }
seal-corrected = Corrigé
seal-withdrawn = Retiré
seal-conflicting = Édition contradictoire
seal-disowned = Désavoué
seal-crowded = Trop de documents
seal-expired = Expiré
seal-erased = Effacé
seal-sealed = Scellé
seal-alarm = Alerte
seal-full-hash = SHA-256, en entier
