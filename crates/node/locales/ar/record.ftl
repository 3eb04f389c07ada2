# The record desk: one record with everything that proves it, and the list of all.
record-of = { $kind } — { $author }
record-evidence = ملف الإثبات
record-evidence-text = ملف واحد يضم السجل وإثباتاته وجذور الثقة وتوقيعات الشهود. يمكن لأي شخص التحقق منه دون اتصال باستخدام concord verify.
record-evidence-download = تنزيل ملف الإثبات
record-evidence-none = لا توجد بعد نقطة تحقق تشمل هذا السجل.
record-unknown-title = لم يكن معروفاً حينها
record-unknown-then = لم يكن هذا السجل معروفاً في الوقت المطلوب.
record-says = ما يقوله عن نفسه
record-name = الاسم
record-kind = النوع
record-author = الجهة المصدرة
record-log = دفتر القيود
record-place-in-log = المدخل { $index }
record-id = المعرّف
record-edition = الإصدار
record-mechanism = في إطار
record-audience = القراء
record-public = عام
record-restricted = مقيَّد
record-size = الحجم
record-bytes = { $count } بايت
record-about = أوقات تصرّح بها الجهة المصدرة
record-about-period = الفترة
record-about-event = الحدث
record-when = متى
record-signed-after = وُقّع بعد (تثبته مراسيه)
record-released = صدر (وفق تصريح الجهة المصدرة)
record-proven = مُثبت بالشهود
record-not-proven = ليس بعد: مصرَّح به فقط
record-here = أول تحقق في هذه العقدة
record-not-known = غير معروف
record-expires = يُتلف في
record-signed-by = وُقّع بمفتاح
record-root-version = المدرج في جذر الثقة { $version } للجهة المصدرة
record-invalid = ليس سجلاً صالحاً
record-invalid-text = يُحفظ كبايتات ولا يُعتد به: { $reason }
record-content = المحتوى
record-media-type = الصيغة
record-language = اللغة
record-hash = SHA-256
record-download = تنزيل
record-no-content = ليس للسجل ملفات مرفقة: كل ما يقوله وارد في ترويسته.
record-expired-text = حلّ أجله: أُتلف محتواه وكل ما استُخرج منه هنا. ويبقى اسمه ومكانه في السجل وترويسته الخارجية، ومعها الدليل على أنه كان موجوداً.
record-erased-text = أتلفت هذه السلطة نسخها من المحتوى وكل ما استُخرج منه هنا. ويبقى اسمه ومكانه في السجل وترويسته. وقد يحتفظ قرّاء آخرون بنسخهم.
record-content-erased = لم يعد محتواه موجوداً على هذه العقدة.
record-figures-in = قُرئ منه { $count } من الأرقام.
record-figures-refused = تعذرت قراءة { $count } من الصفوف، ولا تُثبت شيئاً هنا.
record-figures-fault = لم تؤخذ أرقامه في الحسبان: { $code }
record-proof = إثبات وجوده في دفتر القيود
record-checkpoint = نقطة تحقق تشمل { $size } مدخلاً
record-tree-root = جذر الشجرة
record-leaf = الورقة
record-path = مسار التضمين ({ $count ->
    [zero] لا تجزئات
    [one] تجزئة واحدة
    [two] تجزئتان
    [few] { $count } تجزئات
    [many] { $count } تجزئة
   *[other] { $count } تجزئة
})
record-witnesses = شهده الشهود
record-witness = الشاهد
record-seen-at = وقت المعاينة
record-no-witness = لم يوقّع أي شاهد بعد على نقطة تحقق تشمله.
record-holders = محفوظ لدى
record-holder = القارئ
record-holds-since = إيصال بتاريخ
record-no-holder = لم يصدر أي قارئ إيصالاً به بعد.
record-references = الإحالات
record-this-record = هذا السجل
record-relation = العلاقة
record-record-from = هذا يقول
record-record-to = عن هذا
record-no-references = لا يحيل إلى سجل آخر ولا يحيل إليه سجل.
record-not-here = غير معروف لهذا القارئ
record-raw = البايتات الموقَّعة
record-inner = ما كان مختوماً
record-inner-text = الترويسة الداخلية لهذا السجل المختوم، بالحرف. لا يقرؤها إلا من خُتم لهم.
record-inner-public = ترويسة هذا السجل كما خُتمت، بايتاً ببايت. وقد نشرها صاحبها.
record-withdrawn = سحبته الجهة المصدرة في
record-superseded = يوجد إصدار أحدث:
record-conflicting = أصدرت الجهة المصدرة سجلين مختلفين بوصفهما هذا الإصدار، وكلاهما محفوظ.
record-crowded = أصدرت الجهة المصدرة من سجلات هذا الموضوع عدداً كبيراً إلى حد أن أياً منها لا يُعتد به، وكلها محفوظة.
record-unknown-line = فيه سطر لا تعرفه هذه العقدة ويجب فهمه. يُعرض، ولا يُعمل به ولا يُحسب.
record-disowned = ألغت الجهة المصدرة المفتاح الذي وُقِّع به هذا السجل، ولا أثر له منذ

## The list
record-list-lead = كل سجل تعرفه هذه العقدة ويحق لهذا القارئ الاطلاع عليه، الأحدث أولاً.
record-list-all = الكل
record-column-released = تاريخ الإصدار
record-at-least = أكثر من { $count }
record-empty-title = لا سجلات بعد
record-empty-text = تظهر السجلات هنا ما إن تُصدر هذه العقدة سجلاً أو تتحقق من سجل سلطة أخرى.
