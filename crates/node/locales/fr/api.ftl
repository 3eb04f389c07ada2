# The page about the interface for programs.
api-lead = Ce que montrent les pages, les programmes peuvent le demander : mêmes requêtes, mêmes lecteurs. Chaque réponse est en JSON.
api-description = Description complète (OpenAPI)
api-addresses = Adresses
api-address = Adresse
api-answers = Ce qu’elle répond
api-parameters = Paramètres
api-files = Fichiers
api-files-text = Chaque tableau des pages est aussi un fichier CSV : son lien est à côté, dans l’ordre et avec le filtre demandés.
api-as-of = as_of est un jour tel que 2020-05-31, UTC ; basis vaut claimed, proven ou here.
api-operation-figures = Le dernier chiffre de chaque lieu, par autorité.
api-operation-corrections = Chaque valeur que son auteur a ensuite déclarée autrement.
api-operation-place-figures = Tous les chiffres d’un lieu, par autorité.
api-operation-record-list = Les enregistrements, du plus récent au plus ancien.
api-operation-one-record = Un enregistrement avec ce qui le prouve.
api-operation-authorities = Les autorités avec leurs empreintes.
api-operation-logs = Les journaux, et jusqu’où ils vont.
