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

## By machine code
error-code-as-of-date = «{ $value }» не является датой. Укажите год, месяц и день, например 2020-05-31.
error-code-as-of-basis = «{ $value }» не является способом учета времени. Выберите claimed, proven или here.
error-code-sort-column = Нет столбца «{ $value }» для сортировки.
error-code-link-used-or-expired = Эта ссылка уже использована или устарела. Попросите у оператора новую: concord link.
