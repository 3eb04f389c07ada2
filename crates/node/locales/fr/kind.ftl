# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = Chiffres
kind-notice = Avis
kind-acknowledgement = Accusé de réception
kind-withdrawal = Retrait
kind-erasure = Effacement
kind-sealed = Enregistrement scellé

## Logs
kind-log-open = Ouverture d’un journal
kind-log-root = Changement de racine de confiance
kind-log-close = Clôture d’un journal

## Mechanisms
kind-mechanism-charter = Charte
kind-mechanism-accept = Acceptation d’une charte
kind-mechanism-leave = Retrait d’un mécanisme
kind-scenario = Scénario
