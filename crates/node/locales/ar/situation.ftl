# The situation desk: what authorities state, and where they differ.
situation-lead = { $places } من البلدان والأماكن الأخرى، وفق ما صرّحت به { $authorities } من السلطات. أحدث الأرقام تخص { $day }.
situation-indicators = المؤشر
situation-computed = محسوب هنا مما صُرّح به
situation-sum-of = { $count ->
    [one] مجموع بلد واحد
    [two] مجموع بلدين
    [few] مجموع { $count } بلدان
    [many] مجموع { $count } بلداً
   *[other] مجموع { $count } بلد
}
situation-last-week = آخر 7 أيام
situation-week-known = { $count ->
    [one] معروف لبلد واحد
    [two] معروف لبلدين
    [few] معروف لـ { $count } بلدان
    [many] معروف لـ { $count } بلداً
   *[other] معروف لـ { $count } بلد
}
situation-reporting = مصرَّح به من سلطة البلد نفسها
situation-reporting-of = من أصل { $total } من الأماكن
situation-corrections = التصويبات
situation-corrections-link = ما الذي تغيّر، ولماذا
situation-corrections-none = لم يُصوَّب شيء.
situation-differs = أرقام متباينة
situation-differs-link = من قال ماذا
situation-differs-text = الرقم نفسه من سلطات مختلفة، ولا يُغيَّر أي منهما هنا.
situation-crowded = تذكر { $author } هذا الرقم لأكثر من { $count } من الأماكن. لا تُسرد هنا؛ ولكلٍّ منها صفحته.
situation-crowded-place = تذكر { $author } لهذا المكان أكثر من { $count } من سلاسل الأرقام. لا تُعرض هنا.
situation-cut = تذكر { $author } أرقاماً أكثر مما يمكن عرضه هنا. تُعرض أرقامها ابتداءً من { $day }.
situation-cut-whole = تذكر { $author } ليوم واحد أرقاماً أكثر مما يمكن عرضه هنا. لا يُعرض أي من أرقامها.
situation-day-cut = تذكر { $author } عن هذا اليوم أكثر مما يمكن عرضه هنا. يُعرض الأحدث، بحد أقصى { $count }.
situation-crowded-days = تذكر { $author } أكثر من { $count } من الأرقام عن هذه الأيام، ولذلك لا تُدرج هنا.
situation-differs-none = لا توجد سلطتان تصرّحان بالرقم نفسه بشكل مختلف.
situation-table = ما صرّحت به السلطات
situation-map = خريطة
situation-place = المكان
situation-value = القيمة
situation-seven = 7 أيام
situation-weeks = الأسابيع
situation-day = اليوم
situation-who = المصدر المصرِّح
situation-standing = الصفة
situation-own = السلطة المعنية
situation-observed = رصدته جهة أخرى
situation-proof = الإثبات
situation-proven-by = مُثبت في { $time }
situation-claimed-at = وفق التصريح { $time }
situation-empty-title = لا أرقام بعد
situation-empty-text = ما إن تُصدر سلطة تتابع هذه العقدة دفتر قيودها أرقاماً حتى تظهر هنا مع إثباتها.
situation-empty-as-of = لم يكن شيء معروفاً حتى هذا اليوم.
situation-place-unknown = لم تكن أي سلطة قد صرّحت حتى هذا اليوم بشيء عن { $place }. وقد صُرّح بأرقام عنه لاحقاً.
situation-all-places = كل البلدان والأماكن

## A place
situation-new-per-day = الجديد يومياً
situation-mean = متوسط 7 أيام
situation-place-lead = { $new } جديدة في آخر سبعة أيام، مقابل { $before } في الأيام السبعة السابقة.
situation-latest-day = عن { $day }
situation-data-table = يوماً بيوم
situation-new = الجديد
situation-new-over = على مدى { $days } أيام
situation-other = مؤشرات وفئات أخرى
situation-group-all = الجميع
situation-authors = من يصرّح بأرقام عن هذا المكان
situation-definition = التعريف
situation-definition-as-reported = كما أُبلغ

## Corrections
situation-old = قبل
situation-new-value = بعد
situation-change = التغيّر
situation-reason = السبب المذكور
situation-source = المصدر
situation-no-reason = لم يُذكر
situation-period = عن
situation-corrections-lead = كل قيمة صرّحت سلطتها لاحقاً بغيرها: ما كان قبل، وما هو قائم الآن، والسبب الذي تذكره السلطة.

## One day
situation-one-day = { $place }، { $day }
situation-one-day-lead = كل ما صُرّح به عن هذا اليوم، بترتيب إصداره.
situation-state = الحالة
situation-holds = قائم
situation-replaced = استُبدل
situation-ended = سُحب
situation-previous-day = اليوم السابق
situation-next-day = اليوم التالي
situation-day-empty = لم يُصرَّح بشيء عن هذا اليوم.

## Indicators
situation-indicator-cases-confirmed-cumulative = الحالات المؤكدة، تراكمياً
situation-indicator-cases-confirmed-new = الحالات المؤكدة، الجديدة
situation-indicator-cases-probable-cumulative = الحالات المحتملة، تراكمياً
situation-indicator-cases-probable-new = الحالات المحتملة، الجديدة
situation-indicator-cases-suspected-cumulative = الحالات المشتبه فيها، تراكمياً
situation-indicator-cases-suspected-new = الحالات المشتبه فيها، الجديدة
situation-indicator-deaths-cumulative = الوفيات، تراكمياً
situation-indicator-deaths-new = الوفيات، الجديدة
situation-indicator-recovered-cumulative = المتعافون، تراكمياً
situation-indicator-recovered-new = المتعافون، الجدد
situation-indicator-cases-active = الحالات النشطة
situation-indicator-hospitalised = في المستشفى
situation-indicator-critical = في حالة حرجة
situation-indicator-population = السكان

## Views and differences
situation-views = طرق العرض
situation-view-figures = الأرقام
situation-differs-lead = الرقم نفسه للمكان نفسه واليوم نفسه كما تصرّح به سلطتان، مع السجلين معاً. لا يُغيَّر أي منهما هنا ولا يُرجَّح ولا يُعدّ خاطئاً.
situation-other-who = من يقول خلاف ذلك
situation-apart = مقدار التباين
situation-days = الأيام المشمولة
situation-days-back = آخر الأيام: { $days }
situation-differs-more = يوجد المزيد؛ يُعرض الأحدث: { $count }.
