# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = Показатели
kind-notice = Уведомление
kind-acknowledgement = Подтверждение получения
kind-withdrawal = Отзыв
kind-erasure = Удаление
kind-sealed = Запечатанная запись

## Logs
kind-log-open = Открытие журнала
kind-log-root = Смена корня доверия
kind-log-close = Закрытие журнала

## Mechanisms
kind-mechanism-charter = Устав
kind-mechanism-accept = Принятие устава
kind-mechanism-leave = Выход из механизма
kind-scenario = Сценарий
