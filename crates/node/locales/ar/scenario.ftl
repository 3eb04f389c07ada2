# # Scenarios: what follows from assumptions.
scenario-title = سيناريو
scenario-lead = ما يترتب على افتراضات مكتوبة. لا يتنبأ بشيء: بل يقول ما تقوله الافتراضات، ولا يقول شيئاً عن أثر أي إجراء.
scenario-choose = افتراضات الحساب
scenario-words = الافتراضات بالكلمات
scenario-words-history = التاريخ: { $indicator }، كما تصرّح به { $author } بشأن { $place }، حتى { $day }.
scenario-words-now = كما الآن: يبقى R عند { $r } (الانحراف المعياري { $sd }) حتى { $day }.
scenario-words-step = الخطوة: اعتباراً من { $day } يصبح R { $r }.
scenario-words-later = خطوة متأخرة: الشيء نفسه اعتباراً من { $day }، متأخراً { $days ->
    [one] بيوم واحد
    [two] بيومين
    [few] بـ{ $days } أيام
    [many] بـ{ $days } يوماً
   *[other] بـ{ $days } يوم
}.
scenario-words-interval = الفترة التسلسلية: المتوسط { $mean } أيام والانحراف المعياري { $sd }.
scenario-words-deaths = يتوفى { $share } من الحالات المبلّغ عنها، في المتوسط بعد { $mean } أيام من الإبلاغ (الانحراف المعياري { $sd }).
scenario-words-beds = يحتاج { $share } من الحالات المبلّغ عنها إلى سرير، في المتوسط بعد { $mean } أيام من الإبلاغ، ولمدة { $stay } أيام.
scenario-words-people = عدد القابلين للإصابة في اليوم الأول { $people }؛ ولا يُصاب أحد مرتين.
scenario-words-no-people = لا يُحسب القابلون للإصابة: فهم لا ينفدون في هذه المدة.
scenario-words-runs = عدد المحاكاة العشوائية { $runs }، البذرة { $seed }؛ وتواجه المسارات الثلاثة المصادفة نفسها. ويبقى الإبلاغ كما هو.
scenario-costs = ما تغيّره الخطوة وتأخيرها
scenario-cost-step = الخطوة، { $measure }: { $median } (في 95% من المحاكاة: من { $low } إلى { $high }).
scenario-cost-later = تأخيرها { $days ->
    [one] بيوم واحد
    [two] بيومين
    [few] بـ{ $days } أيام
    [many] بـ{ $days } يوماً
   *[other] بـ{ $days } يوم
}، { $measure }: { $median } (في 95% من المحاكاة: من { $low } إلى { $high }).
scenario-cases-title = الحالات يومياً
scenario-beds-title = الأسرّة المشغولة
scenario-band = 95% من المحاكاة
scenario-chart-summary = الوسيط في { $day }: { $values }.
scenario-measure = المقياس
scenario-measure-cases = الحالات
scenario-measure-deaths = الوفيات
scenario-measure-beds = الأسرّة في أكثر الأيام ازدحاماً
scenario-course = المسار
scenario-course-as-now = كما الآن
scenario-course-step = مع الخطوة
scenario-course-step-later = مع الخطوة المتأخرة
scenario-course-step-minus-as-now = فرق الخطوة
scenario-course-step-later-minus-step = فرق التأخير
scenario-totals = المجموع للمدة كلها
scenario-days-table = يوماً بيوم
scenario-again = لإعادة التشغيل
scenario-again-text = المدخلات نفسها والافتراضات نفسها تعطي النتيجة نفسها، بايتاً ببايت، على كل جهاز. وهذه نصوصها وبصماتها ⁦SHA-256⁩.
scenario-assumptions = الافتراضات
scenario-input = المدخلات
scenario-outcome = النتيجة
scenario-release = إصدار
scenario-release-text = يُوقَّع سجل بهذه النصوص الثلاثة ويُضاف إلى سجل من يحق لهم قراءته. يُحسب من الأرقام العامة وحدها ولا يمكن محوه.
scenario-of-record = صدر في سجل وأُعيد حسابه هنا:
scenario-same-bytes = البايتات نفسها
scenario-other-bytes = بايتات غير التي صدرت
scenario-released = السجل
scenario-released-title = السيناريوهات الصادرة
scenario-released-none = لم يصدر أي سيناريو.
scenario-claimed = الإصدار (حسب التصريح)
scenario-days = أيام مقبلة
scenario-runs = عدد المحاكاة
scenario-seed = البذرة
scenario-si-mean = الفترة التسلسلية: المتوسط، أيام
scenario-si-sd = الفترة التسلسلية: الانحراف المعياري
scenario-r = R الآن (من الأرقام إن تُرك فارغاً)
scenario-r-sd = R: الانحراف المعياري
scenario-step-day = الخطوة في اليوم
scenario-step-r = R بعد الخطوة
scenario-delay = التأخير بالأيام
scenario-people = القابلون للإصابة (0: لا يُحسبون)
scenario-death-share = نسبة المتوفين من الحالات، 0 إلى 1
scenario-death-mean = من الإبلاغ إلى الوفاة: المتوسط، أيام
scenario-death-sd = من الإبلاغ إلى الوفاة: الانحراف المعياري
scenario-bed-share = نسبة الحالات التي تحتاج سريراً، 0 إلى 1
scenario-bed-mean = من الإبلاغ إلى السرير: المتوسط، أيام
scenario-bed-sd = من الإبلاغ إلى السرير: الانحراف المعياري
scenario-stay-mean = مدة البقاء: المتوسط، أيام
scenario-stay-sd = مدة البقاء: الانحراف المعياري
scenario-spread = عدم التساوي k (0: متساوٍ)
