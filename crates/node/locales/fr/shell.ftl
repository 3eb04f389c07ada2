# The frame around every page.
shell-skip = Aller au contenu
shell-desks = Rubriques
shell-situation = Situation
shell-network = Réseau
shell-records = Enregistrements
shell-meetings = Réunions
shell-import = Importation
shell-languages = Langue
shell-crumbs = Vous êtes ici
shell-sign-in = Se connecter
shell-sign-out = Se déconnecter
shell-footer = Chaque chiffre peut être retracé jusqu’à l’enregistrement signé dont il provient.
shell-zone = Heures en
shell-api = API

## Faces
shell-face-public = Public
shell-face-inside = Interne

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = Au
shell-basis = Date retenue
shell-basis-claimed = déclaré
shell-basis-proven = prouvé
shell-basis-here = vérifié ici
shell-show = Afficher
shell-note-claimed = Au { $date } : ce qui avait été publié à la fin de cette journée (UTC), selon ses auteurs.
shell-note-proven = Au { $date } : ce dont des témoins prouvent l’existence à la fin de cette journée (UTC).
shell-note-here = Au { $date } : ce que ce nœud avait vérifié à la fin de cette journée (UTC).
shell-note-now = Afficher l’état actuel

## Exercise
shell-exercise = Exercice
shell-exercise-note = Il ne s’agit pas d’un événement réel. Rien de ce qui figure ici n’entre dans les chiffres réels.
shell-signals = Signaux
shell-scenarios = Scénarios
