# What one record says of another: relation-<relation>.
relation-replies = répond à
relation-acknowledges = accuse réception de
relation-accepts = accepte
relation-declines = décline
relation-revokes = révoque
relation-withdraws = retire
relation-signs = signe
relation-answers = donne réponse à
relation-evidence = étaye
relation-part-of = fait partie de
relation-translates = traduit
relation-publishes = publie
relation-releases-again = diffuse de nouveau
relation-erases = efface ses copies de
relation-supersedes = remplace
