# Curves: their parts, and what they say.
chart-per-day = في اليوم
chart-average = متوسط 7 أيام
chart-average-of = { $name }: متوسط 7 أيام
chart-incomplete-days = غير مكتمل بعد
chart-table = جدول
chart-day = اليوم

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = تتزايد الحالات الجديدة منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-cases-falling = تتناقص الحالات الجديدة منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-cases-level = الحالات الجديدة مستقرة: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-deaths-rising = تتزايد الوفيات الجديدة منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-deaths-falling = تتناقص الوفيات الجديدة منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-deaths-level = الوفيات الجديدة مستقرة: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-other-rising = { $name }، في تزايد منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-other-falling = { $name }، في تناقص منذ { $weeks ->
    [one] أسبوع واحد
    [two] أسبوعين
    [few] { $weeks } أسابيع
    [many] { $weeks } أسبوعاً
   *[other] { $weeks } أسبوع
}: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-other-level = { $name }، مستقر: { $count } في الأيام السبعة المنتهية في { $date }، بعد { $previous } في الأيام السبعة السابقة لها.
chart-too-short = لا تتوافر بيانات أربعة عشر يوماً متتالياً كاملة، ولذلك لا يُذكر أي اتجاه.
chart-incomplete = { $days ->
    [one] اليوم الأخير غير مكتمل ولم يُحتسب.
    [two] اليومان الأخيران غير مكتملين ولم يُحتسبا.
    [few] الأيام الـ{ $days } الأخيرة غير مكتملة ولم تُحتسب.
    [many] الأيام الـ{ $days } الأخيرة غير مكتملة ولم تُحتسب.
   *[other] الأيام الـ{ $days } الأخيرة غير مكتملة ولم تُحتسب.
}
