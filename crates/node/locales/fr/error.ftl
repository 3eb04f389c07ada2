# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = Cette demande ne peut aboutir
error-bad-request-text = Un élément de la demande n’est pas conforme.
error-unauthorized-title = Veuillez vous connecter
error-unauthorized-text = Cette page est réservée aux personnes connectées.
error-forbidden-title = Opération non autorisée
error-forbidden-text = Vos fonctions ne comprennent pas cet acte. Rien n’a été modifié.
error-not-found-title = Introuvable
error-not-found-text = Il n’y a rien à cette adresse, ou rien que vous puissiez consulter.
error-conflict-title = Une autre personne vous a devancé
error-conflict-text = Ce sur quoi vous travailliez a changé entre-temps. Consultez l’état actuel et réessayez.
error-too-large-title = Trop volumineux
error-too-large-text = L’envoi dépasse la taille que ce nœud accepte.
error-too-many-title = Demandes trop nombreuses
error-too-many-text = Veuillez patienter une minute et réessayer.
error-internal-title = Ce nœud n’a pas pu répondre
error-internal-text = L’incident a été consigné à l’intention de l’exploitant. Rien de ce qui a été confirmé n’est perdu.
error-unavailable-title = Momentanément indisponible
error-unavailable-text = Ce nœud démarre ou est en maintenance. Veuillez réessayer sous peu.
error-back = Aller à la page d’accueil
error-unlisted = Refusé : { $code }
error-reference = Référence pour l’exploitant : { $reference }
error-row = Ligne { $row } : { $problem }
error-cell = Ligne { $row }, colonne { $column } ({ $header }) : { $problem }

## By machine code
error-code-as-of-date = « { $value } » n’est pas une date. Indiquez l’année, le mois et le jour, par exemple 2020-05-31.
error-code-as-of-basis = « { $value } » n’est pas une date à retenir. Choisissez claimed, proven ou here.
error-code-sort-column = Il n’y a pas de colonne « { $value } » permettant le tri.
error-code-link-used-or-expired = Ce lien a déjà été utilisé ou est trop ancien. Demandez-en un nouveau à l’opérateur : concord link.

## Reading a table of figures
error-code-table-empty = Le tableau est vide.
error-code-table-not-utf8 = Le tableau n’est pas un texte UTF-8. Enregistrez-le au format « CSV UTF-8 ».
error-code-table-unreadable = Le début du tableau ne peut être lu ligne par ligne : une ligne est trop longue ou un guillemet n’est pas fermé.
error-code-table-io = Le tableau ne peut être lu : { $kind }
error-code-tag-invalid = « { $text } » figure dans la ligne des étiquettes mais n’en est pas une.
error-code-tag-unclear = { $tag } n’est pas compris ici. Associez la colonne à une étiquette connue, ou à rien.
error-code-columns-twice = Les colonnes « { $header } » et « { $second-header } » disent la même chose. N’associez l’une d’elles à rien.
error-code-column-date-missing = Aucune colonne ne contient la date. Étiquetez-en une #date, ou associez-la.
error-code-column-period-half = Une période exige à la fois #date+start et #date+end.
error-code-column-place-missing = Aucune colonne ne contient le lieu. Étiquetez-en une #country+code ou #country+name, ou indiquez le lieu de tout le tableau.
error-code-column-indicator-missing = Aucune colonne ne contient d’indicateur. Étiquetez-en une, par exemple #affected+infected+confirmed+cumulative, ou associez-la.
error-code-map-header-missing = Aucune colonne n’a l’en-tête « { $header } » à associer.
error-code-map-invalid = « { $text } » n’est pas une association. Écrivez En-tête=#étiquette, ou En-tête=- pour écarter une colonne, séparés par des virgules.

## What is wrong in a row; its place is said before
error-code-cells-missing = La ligne compte { $found } cellules, l’en-tête { $expected }.
error-code-cells-extra = La ligne compte { $found } cellules, l’en-tête { $expected }. Une cellule est-elle sans guillemets ?
error-code-not-utf8 = La cellule n’est pas un texte UTF-8.
error-code-field-too-long = La cellule dépasse { $limit } octets.
error-code-date-missing = La date manque.
error-code-date-unclear = « { $text } » : précisez si le jour ou le mois vient en premier, ou écrivez { $day-first } ou { $month-first }.
error-code-date-short-year = « { $text } » a une année à deux chiffres. Écrivez AAAA-MM-JJ.
error-code-date-has-time = « { $text } » comporte une heure, or un chiffre vaut pour des jours. Écrivez AAAA-MM-JJ.
error-code-date-invalid = « { $text } » n’est pas une date. Écrivez AAAA-MM-JJ.
error-code-period-reversed = « { $text } » se termine avant de commencer.
error-code-place-missing = Le lieu manque.
error-code-country-code-unknown = « { $text } » n’est pas un code ISO 3166-1. Un lieu sans code va dans une colonne de noms.
error-code-place-contradiction = Le code indique { $code }, le nom « { $name } ».
error-code-place-invalid = « { $text } » ne peut être un lieu : 200 octets au plus, sans caractères de contrôle ni |.
error-code-value-negative = « { $text } » est négatif. Un cumul ne l’est jamais ; d’autres valeurs seulement si l’importation le précise.
error-code-value-fractional = « { $text } » comporte une fraction, or on compte des personnes entières.
error-code-value-separated = « { $text } » a des séparateurs entre ses chiffres. Précisez lequel, ou n’écrivez que des chiffres.
error-code-value-invalid = « { $text } » n’est pas un nombre. Laissez la cellule vide lorsque rien n’est indiqué.
error-code-value-too-long = « { $text } » a plus de 18 chiffres.
error-code-indicator-missing = Il y a une valeur, mais pas d’indicateur.
error-code-indicator-invalid = « { $text } » n’est pas un indicateur : lettres minuscules, chiffres et -, 64 au plus.
error-code-definition-invalid = « { $text } » n’est pas une définition : lettres minuscules, chiffres et - . _ /, 64 au plus.
error-code-disaggregation-invalid = « { $text } » n’est pas une partie de la population : 64 octets au plus, sans caractères de contrôle ni | , =.
error-code-text-invalid = Le texte dépasse 2 000 octets ou contient des caractères de contrôle.
error-code-row-too-long = La ligne dépasse { $limit } octets. Un guillemet n’est-il pas fermé ? Rien n’a été lu ensuite.
error-code-columns-too-many = La ligne compte plus de { $limit } cellules. Rien n’a été lu ensuite.
error-code-rows-too-many = Le tableau compte plus de { $limit } lignes. Rien n’a été lu à partir d’ici.
error-code-figures-too-many = Le tableau compte plus de { $limit } chiffres. Rien n’a été lu à partir d’ici.
error-code-quote-not-closed = Un guillemet n’est pas fermé avant la fin du tableau.
error-code-io = La lecture du tableau a été interrompue : { $kind }
error-code-figures-none = Il n’y a aucun chiffre à publier.
error-code-figure-stated-twice = Le tableau indique deux fois le même chiffre.
error-code-figure-reason-missing = Ceci corrige un chiffre déjà publié. Indiquez-en la raison.
error-code-figure-value-impossible = Un cumul n’est pas négatif, et on compte des personnes entières.

## Why an entry of a log counts for nothing
error-code-entry-other-log = L’enregistrement appartient au journal { $found }.
error-code-entry-other-author = L’enregistrement est de { $found }.
error-code-entry-not-sealed = Un enregistrement de type { $kind } figure sans scellé dans un journal restreint.
error-code-entry-not-signed = Aucune clé d’auteur que la racine de confiance { $root } autorise pour { $kind } n’a signé l’enregistrement.
error-code-entry-bad-signature = La signature de { $name } est fausse.
error-code-log-not-opening = Un journal commence par log.open, et non par { $kind }.
error-code-log-never-opened = Le journal n’a pas de log.open valide.
error-code-log-opened-again = log.open ne figure qu’au début.
error-code-log-after-close = Le journal était déjà clos.
error-code-log-line = La ligne « { $key } » doit être : { $wanted }
error-code-log-root-not-newer = La racine de confiance { $found } est nommée, mais { $inForce } est en vigueur.
error-code-log-root-hash = La racine de confiance { $version } de l’auteur a une autre empreinte.

## An operator's file of borders
error-code-borders-too-large = Le fichier compte { $bytes } octets, plus que la limite de lecture.
error-code-borders-too-many-points = Le fichier compte trop de points. Simplifiez les lignes.
error-code-borders-not-json = Ligne { $line } : le fichier n’est pas du JSON.
error-code-borders-not-geojson = { $what } n’est pas du GeoJSON qui puisse être tracé. Écrivez des lignes ou des polygones.
error-code-borders-position = { $position } n’est pas une longitude et une latitude en degrés.
