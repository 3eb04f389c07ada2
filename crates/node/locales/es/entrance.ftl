# The way to the inside face.
entrance-title = Entrar en las páginas internas
entrance-text = Este enlace funciona una sola vez. Abre una sesión de doce horas en este navegador.
entrance-button = Entrar
