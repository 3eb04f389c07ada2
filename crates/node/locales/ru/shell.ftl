# The frame around every page.
shell-skip = Перейти к содержанию
shell-desks = Разделы
shell-situation = Обстановка
shell-network = Сеть
shell-records = Записи
shell-meetings = Совещания
shell-import = Импорт
shell-languages = Язык
shell-crumbs = Вы находитесь здесь
shell-sign-in = Войти
shell-sign-out = Выйти
shell-footer = Каждый показатель можно проследить до подписанной записи, из которой он взят.
shell-zone = Время по поясу
shell-api = API

## Faces
shell-face-public = Общий доступ
shell-face-inside = Внутренний доступ

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = По состоянию на
shell-basis = Учитываемое время
shell-basis-claimed = по заявлению
shell-basis-proven = по доказательству
shell-basis-here = по проверке здесь
shell-show = Показать
shell-note-claimed = По состоянию на { $date }: выпущенное до конца этого дня (UTC), по заявлению авторов.
shell-note-proven = По состоянию на { $date }: то, существование чего до конца этого дня (UTC) доказано свидетелями.
shell-note-here = По состоянию на { $date }: то, что этот узел проверил до конца этого дня (UTC).
shell-note-now = Показать текущее состояние

## Exercise
shell-exercise = Учения
shell-exercise-note = Это не реальное событие. Приведенные здесь данные не входят в фактические показатели.
shell-signals = Сигналы
shell-scenarios = Сценарии
