# Зал совещаний: что браузер показывает во время совещания. Эти тексты страница передаёт и своему сценарию.

room-loading = Зал готовится…
room-needs-script = Для совещания нужен JavaScript: без него нельзя передать звук и изображение. Разрешите его для этой страницы и загрузите её снова. Всё остальное на этом узле работает без него.
room-not-built-for = Этот браузер не может участвовать в совещании. Современные Chromium, Firefox или Safari могут.
room-not-secure = Камеру и микрофон можно использовать только по адресу, начинающемуся с https. Обратитесь к оператору этого узла.
room-check = Перед входом
room-enter-as = Вы входите как
room-enter = Войти в зал
room-entering = Вход…
room-listen-only = Войти слушателем
room-back = Назад
room-camera = Камера
room-microphone = Микрофон
room-speaker = Динамик
room-on = вкл.
room-off = выкл.
room-default-device = Выбирает система
room-unnamed-device = Устройство { $number }
room-use-devices = Использовать камеру и микрофон
room-will-ask = Браузер спросит, можно ли этой странице их использовать. До входа вас никто не видит и не слышит.
room-preview = Ваше изображение, каким его увидят другие
room-preview-off = Ваша камера выключена
room-denied-both = Этой странице нельзя использовать камеру и микрофон. Разрешите их для этого адреса в настройках браузера. Пока можно войти и слушать.
room-denied-camera = Этой странице нельзя использовать камеру. Разрешите её для этого адреса в настройках браузера. Без неё вас могут слышать.
room-denied-microphone = Этой странице нельзя использовать микрофон. Разрешите его для этого адреса в настройках браузера. Вас видно, но не слышно.
room-none-camera = Здесь нет камеры. Без неё вас могут слышать.
room-none-microphone = Здесь нет микрофона. Вы можете слушать.
room-none-both = Здесь нет ни камеры, ни микрофона. Вы можете слушать.
room-busy-camera = Камеру использует другая программа. Закройте её и выберите камеру снова.
room-busy-microphone = Микрофон использует другая программа. Закройте её и выберите микрофон снова.
room-level = Уровень вашего микрофона
room-heard = Вас слышно.
room-silent = Ничего не слышно. Тот ли это микрофон и включён ли он?
room-test-sound = Проиграть пробный звук
room-test-playing = Звучит…
room-sound-only = Только звук
room-sound-only-hint = Для слабой линии: изображения не отправляются и не принимаются.
room-stage = Участники
room-you = Вы
room-controls = Что вы отправляете и видите
room-share = Показать экран
room-share-stop = Прекратить показ
room-layout-speaker = Выступающий крупно
room-layout-grid = Всех одинаково
room-people = Люди
room-people-count = { $count ->
    [one] { $count } человек в зале
    [few] { $count } человека в зале
    [many] { $count } человек в зале
   *[other] { $count } человека в зале
}
room-settings = Устройства
room-settings-title = Камера, микрофон и динамик
room-close = Закрыть
room-leave = Выйти
room-pin = Держать крупно: { $name }
room-unpin = Больше не держать крупно: { $name }
room-page = Страница { $page } из { $pages }
room-page-next = Следующая страница
room-page-previous = Предыдущая страница
room-alone-title = Больше здесь пока никого нет
room-alone = Вы увидите и услышите других здесь, как только они войдут.
room-speaking = говорит
room-speaks-now = Говорит: { $name }
room-nobody-speaks = Никто не говорит
room-microphone-off = микрофон выключен
room-camera-off = камера выключена
room-paused = Изображение приостановлено: слабая линия
room-picture-coming = Изображение появится…
room-shares = Экран: { $name }
room-you-share = Другие видят ваш экран.
room-encrypted = Сквозное шифрование
room-sealed = Сквозное шифрование: у этого браузера нет ключа
room-not-encrypted = Шифрование до сервера
room-quality-excellent = Хорошая связь
room-quality-good = Средняя связь
room-quality-poor = Плохая связь
room-quality-lost = Связь потеряна
room-announce-speakers = Сообщать программе чтения с экрана, кто говорит
room-share-hidden = Показывают экран, но вы выбрали только звук.
room-show-pictures = Показать изображения
room-joined = Вошёл участник: { $name }
room-joined-many = { $count ->
    [one] Вошёл { $count } человек
    [few] Вошли { $count } человека
    [many] Вошли { $count } человек
   *[other] Вошли { $count } человека
}
room-left = Вышел участник: { $name }
room-left-many = { $count ->
    [one] Вышел { $count } человек
    [few] Вышли { $count } человека
    [many] Вышли { $count } человек
   *[other] Вышли { $count } человека
}
room-is-speaking = Говорит { $name }
room-picture-paused = Изображение приостановлено: { $name }
room-picture-resumed = Изображение снова видно: { $name }
room-share-began = Показывает экран: { $name }
room-share-ended = Больше не показывает экран: { $name }
room-entered = Вы в зале.
room-sound-held = Браузер не включает звук, пока вы не разрешите.
room-sound-start = Включить звук
room-reconnecting = Связь прервалась. Подключаемся снова…
room-reconnected = Связь восстановлена.
room-you-were-muted = Председатель выключил ваш микрофон.
room-device-gone = Используемое устройство отключено; его заменило другое.
room-device-failed = Устройство не удалось использовать: { $reason }
room-share-failed = Экран не удалось показать.
room-not-permitted = Сейчас вы не можете отправлять это в зал.
room-over-left-title = Вы вышли из зала
room-over-left = С вашей камеры и микрофона больше ничего не отправляется.
room-over-elsewhere-title = Вы вошли из другого места
room-over-elsewhere = Зал открыт в другом окне или на другом устройстве в том же сеансе. Это окно вышло из зала.
room-over-removed-title = Вас попросили выйти
room-over-removed = Председатель завершил ваше участие в совещании.
room-over-closed-title = Совещание окончено
room-over-closed = Зал закрыт для всех.
room-over-lost-title = Связь потеряна
room-over-lost = Восстановить её не удалось. Проверьте сеть и войдите снова.
room-over-refused-title = Зал вас не впустил
room-over-refused = Ваш сеанс не открывает этот зал или больше не открывает. Войдите по новой ссылке.
room-over-unreachable-title = Зал недоступен
room-over-unreachable = Сервер, передающий звук и изображение, не отвечает. Попробуйте через минуту; если не поможет, сообщите оператору этого узла.
room-over-blocked-title = Звук и изображение не проходят
room-over-blocked = Зал отвечает, но ваша сеть не пропускает звук и изображение. Может помочь другая сеть или администраторы вашей.
room-over-full-title = Зал полон
room-over-full = В нём столько людей, сколько выдерживает сервер. Попробуйте позже.
room-again = Войти снова
