# The way to the inside face.
entrance-title = Вход на внутренние страницы
entrance-text = Эта ссылка действует один раз. Она открывает в этом браузере сеанс на двенадцать часов.
entrance-button = Войти
