# The situation desk: what authorities state, and where they differ.
situation-lead = Страны и другие места: { $places }; сообщающие органы: { $authorities }. Последние данные — за { $day }
situation-indicators = Показатель
situation-computed = вычислено здесь по сообщённым данным
situation-sum-of = { $count ->
    [one] сумма по { $count } стране
    [few] сумма по { $count } странам
    [many] сумма по { $count } странам
   *[other] сумма по { $count } страны
}
situation-last-week = Последние 7 дней
situation-week-known = { $count ->
    [one] известно по { $count } стране
    [few] известно по { $count } странам
    [many] известно по { $count } странам
   *[other] известно по { $count } страны
}
situation-reporting = Сообщено собственным органом
situation-reporting-of = из { $total } мест
situation-corrections = Исправления
situation-corrections-link = что изменилось и почему
situation-corrections-none = Исправлений не было.
situation-differs = Расхождения
situation-differs-link = кто что сообщает
situation-differs-text = Один и тот же показатель по данным разных органов. Ни одно значение здесь не изменяется.
situation-crowded = { $author } приводит этот показатель более чем для { $count } мест. Здесь они не перечислены; у каждого есть своя страница.
situation-crowded-place = { $author } приводит по этому месту более { $count } рядов данных. Здесь они не показаны.
situation-cut = { $author } приводит больше данных, чем можно здесь показать. Данные этого органа показаны начиная с даты: { $day }.
situation-cut-whole = { $author } приводит за один день больше данных, чем можно здесь показать. Данные этого органа не показаны.
situation-day-cut = { $author } сообщает об этом дне больше, чем можно здесь показать. Показаны самые новые сообщения, не более { $count }.
situation-crowded-days = { $author } приводит за эти дни более { $count } показателей; здесь они не учтены.
situation-differs-none = Нет показателей, о которых органы сообщали бы по-разному.
situation-table = Сообщено органами
situation-map = Карта
situation-place = Место
situation-value = Значение
situation-seven = 7 дней
situation-weeks = Недели
situation-day = День
situation-who = Кто сообщает
situation-standing = Статус
situation-own = Собственный орган
situation-observed = По данным другого органа
situation-proof = Доказательство
situation-proven-by = доказано на { $time }
situation-claimed-at = заявлено { $time }
situation-empty-title = Данных пока нет
situation-empty-text = Как только орган, за журналом которого следит этот узел, выпустит данные, они появятся здесь вместе с доказательством.
situation-empty-as-of = На этот день ничего не было известно.
situation-place-unknown = На этот день ни один орган ничего не сообщил о территории { $place }. Данные были сообщены позднее.
situation-all-places = Все страны и территории

## A place
situation-new-per-day = Новые за день
situation-mean = Среднее за 7 дней
situation-place-lead = Новых за последние семь дней: { $new }, за предыдущие семь: { $before }.
situation-latest-day = за { $day }
situation-data-table = По дням
situation-new = Новые
situation-new-over = за дней: { $days }
situation-other = Другие показатели и группы
situation-group-all = все
situation-authors = Кто сообщает данные по этому месту
situation-definition = Определение
situation-definition-as-reported = как сообщено

## Corrections
situation-old = Было
situation-new-value = Стало
situation-change = Изменение
situation-reason = Указанная причина
situation-source = Источник
situation-no-reason = не указана
situation-period = За
situation-corrections-lead = Каждое значение, которое сам автор позднее сообщил иначе: что было, что стало и какую причину он называет.

## One day
situation-one-day = { $place }, { $day }
situation-one-day-lead = Всё, что было сообщено об этом дне, в порядке выпуска.
situation-state = Состояние
situation-holds = действует
situation-replaced = заменено
situation-ended = отозвано
situation-previous-day = Предыдущий день
situation-next-day = Следующий день
situation-day-empty = Об этом дне ничего не сообщено.

## Indicators
situation-indicator-cases-confirmed-cumulative = Подтверждённые случаи, всего
situation-indicator-cases-confirmed-new = Подтверждённые случаи, новые
situation-indicator-cases-probable-cumulative = Вероятные случаи, всего
situation-indicator-cases-probable-new = Вероятные случаи, новые
situation-indicator-cases-suspected-cumulative = Подозрительные случаи, всего
situation-indicator-cases-suspected-new = Подозрительные случаи, новые
situation-indicator-deaths-cumulative = Умершие, всего
situation-indicator-deaths-new = Умершие, новые
situation-indicator-recovered-cumulative = Выздоровевшие, всего
situation-indicator-recovered-new = Выздоровевшие, новые
situation-indicator-cases-active = Активные случаи
situation-indicator-hospitalised = Госпитализированные
situation-indicator-critical = В критическом состоянии
situation-indicator-population = Население

## Views and differences
situation-views = Представления
situation-view-figures = Данные
situation-differs-lead = Один и тот же показатель для одного места и дня, как его сообщают два органа, с обеими записями. Здесь ни один не изменяется, не взвешивается и не называется ошибочным.
situation-other-who = Кто сообщает иначе
situation-apart = Расхождение
situation-days = Просматриваемые дни
situation-days-back = Последние дни: { $days }
situation-differs-more = Их больше; показаны самые новые: { $count }.
