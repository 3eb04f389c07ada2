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

## By machine code
error-code-as-of-date = « { $value } » n’est pas une date. Indiquez l’année, le mois et le jour, par exemple 2020-05-31.
error-code-as-of-basis = « { $value } » n’est pas une date à retenir. Choisissez claimed, proven ou here.
error-code-sort-column = Il n’y a pas de colonne « { $value } » permettant le tri.
error-code-link-used-or-expired = Ce lien a déjà été utilisé ou est trop ancien. Demandez-en un nouveau à l’opérateur : concord link.
