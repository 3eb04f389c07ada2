# The network desk: authorities, logs, witnesses, receipts, mechanisms, alarms.
network-lead = تعرف هذه العقدة { $peers } من السلطات وتحتفظ بـ { $logs } من السجلات المتسلسلة. الثقة لا تُنزَّل: قارن مشغِّلان كل بصمة مؤكدة.
network-alarms = الإنذارات
network-alarms-none = لا يوجد إنذار قائم.
network-alarm = الإنذار
network-alarm-first = أول مرة
network-alarm-last = آخر مرة
network-alarm-count = عدد المرات
network-authorities = السلطات
network-authority = السلطة
network-self = هذه العقدة
network-confirmed = مؤكَّدة
network-proposed = مقترحة
network-standing = الصفة
network-fingerprint = بصمة جذرها الأول
network-root = جذر الثقة
network-root-until = الإصدار { $version }، حتى { $date }
network-root-expired = منتهٍ
network-role = الدور
network-endpoint = نقطة الاتصال
network-contact = آخر اتصال
network-never = أبداً
network-fault = آخر خلل
network-behind = التأخر
network-behind-entries = { $count ->
    [one] متأخرة بمدخل واحد
    [two] متأخرة بمدخلين
    [few] متأخرة بـ { $count } مدخلات
    [many] متأخرة بـ { $count } مدخلاً
   *[other] متأخرة بـ { $count } مدخل
}
network-in-step = متزامنة
network-logs = السجلات المتسلسلة
network-log = السجل المتسلسل
network-entries = المدخلات
network-proven-up-to = المُثبت
network-newest = أحدث إصدار
network-readers = القراء
network-everyone = الجميع
network-witnessed-by = بشهادة
network-held-by = محفوظ لدى
network-closed = مغلق
network-open = مفتوح
network-own = خاص بنا
network-mirror = نسخة
network-log-lead = ما يضمه هذا السجل، ومن شهده، ومن يحتفظ به ومنذ متى.
network-checkpoint = أحدث نقطة تحقق
network-tree-root = جذر الشجرة
network-policy = سياسة الشهود
network-what-it-holds = ما يضمه
network-kind = النوع
network-records = السجلات
network-witness = الشاهد
network-witness-since = أول معاينة
network-witness-latest = أحدث توقيع شاهد
network-covers = يشمل
network-of-entries = { $size } من { $total } مدخلاً
network-holder = القارئ
network-holds-since = منذ
network-no-witness = لم يوقّع أي شاهد بعد.
network-no-holder = لم يصدر أي قارئ إيصالاً بعد.
network-mechanisms = الآليات
network-mechanism = الآلية
network-mechanisms-none = لا يُعرف هنا أي ميثاق بعد.
network-in-force = نافذ
network-not-in-force = بانتظار القبول
network-charter = الميثاق
network-members = الأعضاء
network-observers = المراقبون
network-accepted-by = قبله
network-about-authority = ما تعرفه هذه العقدة عنها
network-compare = قارنها مع السلطة بوسيلة أخرى غير هذه الشبكة، كالهاتف مثلاً.
network-no-logs = لا يُحفظ هنا أي سجل لهذه السلطة.
network-empty-text = أضف سلطة باستخدام concord peer add، ثم ليؤكد مشغّل ثانٍ بصمتها.

## Alarms by machine code
network-alarm-split-view = نقطتا تحقق للسجل { $origin } لا تتوافقان.
network-alarm-invalid-entry = المدخل { $index } في { $origin } ليس سجلاً صالحاً. يُحفظ ولا يُعتد به.
network-alarm-unreconciled = نقطة تحقق للسجل { $origin } تشمل { $size } مدخلاً عرضتها { $from } لا تتفق مع النسخة المحفوظة هنا.
network-alarm-checkpoint-key = نقطة تحقق للسجل { $origin } عرضتها { $from } موقَّعة بمفتاح غير نافذ.
network-alarm-foreign-head = لدى { $from } نقطة تحقق لسجلنا { $origin } لم توقّعها هذه العقدة.
network-alarm-root-conflict = جذرا ثقة مختلفان لـ { $authority } يدّعيان أنهما الإصدار { $version }.
network-alarm-foreign-root = تعرض { $from } جذر ثقة منسوباً إلينا، الإصدار { $version }، لم نُصدره.
network-alarm-unknown-log = تعرض { $from } سجلاً موجَّهاً إلينا لم نكن نعرفه: { $origin }.
network-alarm-two-open-logs = سجلان لجمهور واحد مفتوحان معاً: { $origin } و{ $other }.
network-alarm-cut-off = { $origin }: يُحفظ هنا { $held } مدخلاً، ويُقر السجل اللاحق بـ { $acknowledged }.
network-alarm-misbehaves = تجيب { $peer } إجابة خاطئة ({ $fault })، ويُسأل مصدر آخر.
network-alarm-clock-skew = تختلف ساعة { $peer } عن ساعتنا بـ { $seconds } ثانية.
network-alarm-not-for-us = تعرض { $from } سجلاً ليس موجَّهاً إلينا: { $origin }.
network-alarm-seal-refused = رُفض السجل المختوم { $name }: { $why }
network-alarm-conflicting-edition = أصدرت { $author } سجلين مختلفين بوصفهما الإصدار { $edition } من { $id }.
