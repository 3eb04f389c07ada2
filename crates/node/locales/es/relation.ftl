# What one record says of another: relation-<relation>.
relation-replies = responde a
relation-acknowledges = acusa recibo de
relation-accepts = acepta
relation-declines = rechaza
relation-revokes = revoca
relation-withdraws = retira
relation-signs = firma
relation-answers = da respuesta a
relation-evidence = aporta pruebas de
relation-part-of = forma parte de
relation-translates = traduce
relation-publishes = publica
relation-releases-again = vuelve a difundir
relation-erases = suprime sus copias de
relation-supersedes = sustituye a
