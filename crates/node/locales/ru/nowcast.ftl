# The incomplete end of a series: what is still to be reported.
nowcast-title = Что ещё будет сообщено
nowcast-reported = сообщено к настоящему времени
nowcast-expected = ожидается всего
nowcast-share = Доля поступивших
nowcast-table = Дни, за которые поступили не все сообщения
nowcast-shaded = ещё неполно: поступило менее { $share } сообщений
nowcast-summary = За { $day } сообщено { $reported }, всего ожидается { $expected } (95 % интервал: от { $low } до { $high }): поступило { $share } сообщений.
nowcast-note-triangle = Треугольник сообщений по дням выпуска ({ $basis }); автор: { $author }; дней: { $days }; выпусков: { $releases }; наибольшая задержка в днях: { $delay }.
nowcast-note-method = Метод chain ladder (Wolffram et al. 2023, PLOS Comput Biol 19:e1011394). Его интервал так широк, как метод ошибся бы в прежние дни. Предполагается, что задержки остаются прежними.
