# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = Этот запрос не может быть выполнен
error-bad-request-text = Что-то в нем указано неправильно.
error-unauthorized-title = Необходимо войти
error-unauthorized-text = Эта страница доступна только после входа.
error-forbidden-title = Действие не разрешено
error-forbidden-text = Ваши обязанности не предусматривают этого действия. Ничего не изменено.
error-not-found-title = Не найдено
error-not-found-text = По этому адресу ничего нет или нет ничего, что вам разрешено читать.
error-conflict-title = Кто-то опередил вас
error-conflict-text = То, над чем вы работали, тем временем изменилось. Просмотрите текущее состояние и повторите попытку.
error-too-large-title = Слишком большой объем
error-too-large-text = Отправленные данные превышают допустимый для этого узла объем.
error-too-many-title = Слишком много запросов
error-too-many-text = Подождите минуту и повторите попытку.
error-internal-title = Этот узел не смог ответить
error-internal-text = Сбой зарегистрирован для оператора. Ничто из подтвержденного не утрачено.
error-unavailable-title = Временно недоступно
error-unavailable-text = Узел запускается или находится на обслуживании. Повторите попытку позже.
error-back = Перейти на главную страницу
error-unlisted = Отказано: { $code }
error-reference = Номер для оператора: { $reference }
error-row = Строка { $row }: { $problem }
error-cell = Строка { $row }, столбец { $column } ({ $header }): { $problem }

## By machine code
error-code-as-of-date = «{ $value }» не является датой. Укажите год, месяц и день, например 2020-05-31.
error-code-as-of-basis = «{ $value }» не является способом учета времени. Выберите claimed, proven или here.
error-code-sort-column = Нет столбца «{ $value }» для сортировки.
error-code-link-used-or-expired = Эта ссылка уже использована или устарела. Попросите у оператора новую: concord link.

## Reading a table of figures
error-code-table-empty = Таблица пуста.
error-code-table-not-utf8 = Таблица не является текстом UTF-8. Сохраните ее в формате «CSV UTF-8».
error-code-table-unreadable = Начало таблицы не удается прочитать по строкам: строка слишком длинна или не закрыта кавычка.
error-code-table-io = Таблицу не удается прочитать: { $kind }
error-code-tag-invalid = «{ $text }» стоит в строке хештегов, но не является хештегом.
error-code-tag-unclear = { $tag } здесь не распознается. Сопоставьте столбцу известный хештег или не используйте столбец.
error-code-columns-twice = Столбцы «{ $header }» и «{ $second-header }» означают одно и то же. Не используйте один из них.
error-code-column-date-missing = Нет столбца с датой. Пометьте столбец хештегом #date или сопоставьте его.
error-code-column-period-half = Для периода нужны и #date+start, и #date+end.
error-code-column-place-missing = Нет столбца с местом. Пометьте столбец хештегом #country+code или #country+name либо укажите место для всей таблицы.
error-code-column-indicator-missing = Нет столбца с показателем. Пометьте столбец, например хештегом #affected+infected+confirmed+cumulative, или сопоставьте его.
error-code-map-header-missing = Нет столбца с заголовком «{ $header }», который сопоставлен.
error-code-map-invalid = «{ $text }» не является сопоставлением. Пишите Заголовок=#хештег или Заголовок=-, чтобы не использовать столбец, через запятую.

## What is wrong in a row; its place is said before
error-code-cells-missing = В строке { $found } ячеек, в заголовке { $expected }.
error-code-cells-extra = В строке { $found } ячеек, в заголовке { $expected }. Не пропущены ли кавычки?
error-code-not-utf8 = Ячейка не является текстом UTF-8.
error-code-field-too-long = Ячейка длиннее { $limit } байт.
error-code-date-missing = Не указана дата.
error-code-date-unclear = «{ $text }»: укажите, что стоит первым, день или месяц, или напишите { $day-first } либо { $month-first }.
error-code-date-short-year = В «{ $text }» год из двух цифр. Пишите ГГГГ-ММ-ДД.
error-code-date-has-time = В «{ $text }» есть время суток, а показатель относится к дням. Пишите ГГГГ-ММ-ДД.
error-code-date-invalid = «{ $text }» не является датой. Пишите ГГГГ-ММ-ДД.
error-code-period-reversed = «{ $text }» заканчивается раньше, чем начинается.
error-code-place-missing = Не указано место.
error-code-country-code-unknown = «{ $text }» не является кодом ISO 3166-1. Место без кода указывается в столбце названий.
error-code-place-contradiction = Код указывает на { $code }, название — на «{ $name }».
error-code-place-invalid = «{ $text }» не может быть местом: не более 200 байт, без управляющих символов и |.
error-code-value-negative = «{ $text }» меньше нуля. Накопленное число таким не бывает, другие — только если это указано при импорте.
error-code-value-fractional = «{ $text }» — дробное число, а люди считаются целыми числами.
error-code-value-separated = В «{ $text }» между цифрами стоят разделители. Укажите, какой, или пишите только цифры.
error-code-value-invalid = «{ $text }» не является числом. Оставьте ячейку пустой, если ничего не указано.
error-code-value-too-long = В «{ $text }» более 18 цифр.
error-code-indicator-missing = Есть значение, но нет показателя.
error-code-indicator-invalid = «{ $text }» не является показателем: строчные латинские буквы, цифры и -, не более 64.
error-code-definition-invalid = «{ $text }» не является определением: строчные латинские буквы, цифры и - . _ /, не более 64.
error-code-disaggregation-invalid = «{ $text }» не является частью населения: не более 64 байт, без управляющих символов и | , =.
error-code-text-invalid = Текст длиннее 2000 байт или содержит управляющие символы.
error-code-row-too-long = Строка длиннее { $limit } байт. Не пропущена ли закрывающая кавычка? Дальше ничего не прочитано.
error-code-columns-too-many = В строке более { $limit } ячеек. Дальше ничего не прочитано.
error-code-rows-too-many = В таблице более { $limit } строк. Начиная отсюда ничего не прочитано.
error-code-figures-too-many = В таблице более { $limit } показателей. Начиная отсюда ничего не прочитано.
error-code-quote-not-closed = Кавычка не закрыта до конца таблицы.
error-code-io = Чтение таблицы прервано: { $kind }
error-code-figures-none = Нет показателей для выпуска.
error-code-figure-stated-twice = Один и тот же показатель указан в таблице дважды.
error-code-figure-reason-missing = Это исправляет ранее указанный показатель. Укажите причину.
error-code-figure-value-impossible = Накопленное число не бывает меньше нуля, а люди считаются целыми числами.

## Why an entry of a log counts for nothing
error-code-entry-other-log = Запись относится к журналу { $found }.
error-code-entry-other-author = Автор записи — { $found }.
error-code-entry-not-sealed = Запись вида { $kind } не запечатана в журнале с ограниченным доступом.
error-code-entry-not-signed = Запись не подписана ни одним ключом автора, который корень доверия { $root } допускает для вида { $kind }.
error-code-entry-bad-signature = Подпись { $name } неверна.
error-code-log-not-opening = Журнал начинается с log.open, а не с { $kind }.
error-code-log-never-opened = В журнале нет действительной записи log.open.
error-code-log-opened-again = Запись log.open стоит только в начале.
error-code-log-after-close = Журнал был закрыт раньше.
error-code-log-line = Строка «{ $key }» должна иметь вид: { $wanted }
error-code-log-root-not-newer = Указан корень доверия { $found }, но действует { $inForce }.
error-code-log-root-hash = Корень доверия { $version } автора имеет другой хеш.

## An operator's file of borders
error-code-borders-too-large = Размер файла — { $bytes } байт, больше допустимого.
error-code-borders-too-many-points = В файле слишком много точек. Упростите линии.
error-code-borders-not-json = Строка { $line }: файл не в формате JSON.
error-code-borders-not-geojson = { $what } не является GeoJSON, который можно начертить. Используйте линии или многоугольники.
error-code-borders-position = { $position } не является долготой и широтой в градусах.
