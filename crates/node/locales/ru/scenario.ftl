# # Scenarios: what follows from assumptions.
scenario-title = Сценарий
scenario-lead = Что следует из записанных допущений. Он ничего не предсказывает: говорит то, что говорят допущения, и ничего о действии какой-либо меры.
scenario-choose = Допущения для расчёта
scenario-words = Допущения словами
scenario-words-history = История: { $indicator }, по данным { $author } для { $place }, до { $day }.
scenario-words-now = Как сейчас: R остаётся { $r } (стандартное отклонение { $sd }) до { $day }.
scenario-words-step = Шаг: с { $day } R равно { $r }.
scenario-words-later = Шаг позже: то же с { $day }, { $days ->
    [one] на { $days } день позже
    [few] на { $days } дня позже
    [many] на { $days } дней позже
   *[other] на { $days } дня позже
}.
scenario-words-interval = Серийный интервал: среднее { $mean } дня, стандартное отклонение { $sd }.
scenario-words-deaths = { $share } сообщённых случаев умирают, в среднем через { $mean } дня после сообщения (стандартное отклонение { $sd }).
scenario-words-beds = { $share } сообщённых случаев нужна койка, в среднем через { $mean } дня после сообщения, на { $stay } дня.
scenario-words-people = В первый день восприимчивы { $people } человек; никто не заражается дважды.
scenario-words-no-people = Восприимчивые не считаются: за это время они не иссякнут.
scenario-words-runs = { $runs } случайных прогонов, начальное число { $seed }; три хода встречают одну и ту же случайность. Порядок сообщения не меняется.
scenario-costs = Что меняют шаг и его задержка
scenario-cost-step = Шаг, { $measure }: { $median } (95 % прогонов: от { $low } до { $high }).
scenario-cost-later = Если сделать его { $days ->
    [one] на { $days } день позже
    [few] на { $days } дня позже
    [many] на { $days } дней позже
   *[other] на { $days } дня позже
}, { $measure }: { $median } (95 % прогонов: от { $low } до { $high }).
scenario-cases-title = Случаи за день
scenario-beds-title = Занятые койки
scenario-band = 95 % прогонов
scenario-chart-summary = Медианы на { $day }: { $values }.
scenario-measure = Что
scenario-measure-cases = случаи
scenario-measure-deaths = смерти
scenario-measure-beds = койки в самый загруженный день
scenario-course = Ход
scenario-course-as-now = как сейчас
scenario-course-step = с шагом
scenario-course-step-later = с шагом позже
scenario-course-step-minus-as-now = разница от шага
scenario-course-step-later-minus-step = разница от задержки
scenario-totals = В сумме за всё время
scenario-days-table = День за днём
scenario-again = Чтобы вычислить снова
scenario-again-text = Одни и те же исходные данные и допущения дают один и тот же результат, байт в байт, на любой машине. Вот их тексты и SHA-256.
scenario-assumptions = Допущения
scenario-input = Исходные данные
scenario-outcome = Результат
scenario-release = Опубликовать
scenario-release-text = Запись с этими тремя текстами подписывается и добавляется в журнал тех, кто может её читать. Она вычислена только по открытым данным и не может быть взята назад как несказанная.
scenario-of-record = Опубликовано в записи и вычислено здесь снова:
scenario-same-bytes = те же байты
scenario-other-bytes = не те байты, что опубликованы
scenario-released = Запись
scenario-released-title = Опубликованные сценарии
scenario-released-none = Сценариев не опубликовано.
scenario-claimed = Опубликовано (заявлено)
scenario-days = Дней вперёд
scenario-runs = Прогоны
scenario-seed = Начальное число
scenario-si-mean = Серийный интервал: среднее, дни
scenario-si-sd = Серийный интервал: стандартное отклонение
scenario-r = R сейчас (по данным, если пусто)
scenario-r-sd = R: стандартное отклонение
scenario-step-day = Шаг в день
scenario-step-r = R после шага
scenario-delay = Позже на дней
scenario-people = Восприимчивые люди (0: не считаются)
scenario-death-share = Доля умирающих случаев, 0–1
scenario-death-mean = От сообщения до смерти: среднее, дни
scenario-death-sd = От сообщения до смерти: стандартное отклонение
scenario-bed-share = Доля случаев, которым нужна койка, 0–1
scenario-bed-mean = От сообщения до койки: среднее, дни
scenario-bed-sd = От сообщения до койки: стандартное отклонение
scenario-stay-mean = Пребывание: среднее, дни
scenario-stay-sd = Пребывание: стандартное отклонение
scenario-spread = Неравномерность k (0: равномерно)
