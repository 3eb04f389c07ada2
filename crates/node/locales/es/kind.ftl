# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = Cifras
kind-notice = Aviso
kind-acknowledgement = Acuse de recibo
kind-withdrawal = Retirada
kind-erasure = Supresión
kind-sealed = Registro sellado

## Logs
kind-log-open = Apertura de una bitácora
kind-log-root = Cambio de raíz de confianza
kind-log-close = Cierre de una bitácora

## Mechanisms
kind-mechanism-charter = Carta constitutiva
kind-mechanism-accept = Aceptación de una carta constitutiva
kind-mechanism-leave = Retirada de un mecanismo
kind-scenario = Escenario
