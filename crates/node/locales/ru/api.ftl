# The page about the interface for programs.
api-lead = То, что показывают страницы, могут запросить и программы: теми же запросами, для тех же читателей. Каждый ответ — в формате JSON.
api-description = Полное описание (OpenAPI)
api-addresses = Адреса
api-address = Адрес
api-answers = Что в ответе
api-parameters = Параметры
api-files = Файлы
api-files-text = Каждая таблица страниц — ещё и файл CSV: ссылка рядом, с заданными порядком и фильтром.
api-as-of = as_of — день, например 2020-05-31, UTC; basis — claimed, proven или here.
api-operation-figures = Последнее значение по каждой территории от каждого органа.
api-operation-corrections = Каждое значение, которое его автор позднее сообщил иначе.
api-operation-place-figures = Все значения по одной территории от каждого органа.
api-operation-record-list = Записи, сначала новые.
api-operation-one-record = Одна запись с её доказательствами.
api-operation-authorities = Органы и их отпечатки.
api-operation-logs = Журналы и докуда они доходят.
