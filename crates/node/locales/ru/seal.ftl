# Who claims something, how it is proven, and in what state it is.
seal-proven = доказано на { $time }
seal-witnessed = { $count ->
    [one] { $count } свидетель
    [few] { $count } свидетеля
    [many] { $count } свидетелей
   *[other] { $count } свидетеля
}
seal-claimed = только заявлено
seal-claimed-time = заявлено: { $time }
seal-claimed-explained = Свидетели еще не доказали, когда это существовало; время указано автором.
seal-actual = Реальное событие
seal-exercise = Учения
seal-test = Тест
seal-edition = издание { $number }
seal-corrected = Исправлено
seal-withdrawn = Отозвано
seal-conflicting = Противоречащее издание
seal-disowned = Отозван ключ подписи
seal-crowded = Слишком много записей
seal-expired = Срок истек
seal-erased = Удалено
seal-sealed = Запечатано
seal-alarm = Тревога
seal-full-hash = SHA-256 полностью
