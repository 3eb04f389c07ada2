# What one record says of another: relation-<relation>.
relation-replies = отвечает на
relation-acknowledges = подтверждает получение
relation-accepts = принимает
relation-declines = отклоняет
relation-revokes = аннулирует
relation-withdraws = отзывает
relation-signs = подписывает
relation-answers = дает ответ на
relation-evidence = приводит доказательства для
relation-part-of = является частью
relation-translates = переводит
relation-publishes = публикует
relation-releases-again = выпускает повторно
relation-erases = удаляет свои копии
relation-supersedes = заменяет
