# The page about the interface for programs.
api-lead = Lo que muestran las páginas también lo pueden pedir los programas: con las mismas consultas y para los mismos lectores. Cada respuesta es JSON.
api-description = Descripción completa (OpenAPI)
api-addresses = Direcciones
api-address = Dirección
api-answers = Qué responde
api-parameters = Parámetros
api-files = Archivos
api-files-text = Cada tabla de las páginas es también un archivo CSV: su enlace está al lado, con el orden y el filtro pedidos.
api-as-of = as_of es un día como 2020-05-31, UTC; basis es claimed, proven o here.
api-operation-figures = La cifra más reciente de cada lugar, por cada autoridad.
api-operation-corrections = Cada valor que su propia autoridad comunicó después de otro modo.
api-operation-place-figures = Todas las cifras de un lugar, por cada autoridad.
api-operation-record-list = Los registros, del más reciente al más antiguo.
api-operation-one-record = Un registro con lo que lo prueba.
api-operation-authorities = Las autoridades con sus huellas.
api-operation-logs = Las bitácoras y hasta dónde llegan.
