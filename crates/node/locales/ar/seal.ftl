# Who claims something, how it is proven, and in what state it is.
seal-proven = مُثبت في { $time }
seal-witnessed = { $count ->
    [one] بشهادة شاهد واحد
    [two] بشهادة شاهدين
    [few] بشهادة { $count } شهود
    [many] بشهادة { $count } شاهداً
   *[other] بشهادة { $count } شاهد
}
seal-claimed = مصرَّح به فقط
seal-claimed-time = وفق التصريح: { $time }
seal-claimed-explained = لم يثبت الشهود بعد متى وُجد هذا؛ والوقت المذكور هو ما صرّحت به الجهة المصدرة.
seal-actual = فعلي
seal-exercise = تمرين
seal-test = اختبار
seal-edition = الإصدار { $number }
seal-corrected = مصحَّح
seal-withdrawn = مسحوب
seal-conflicting = إصدار متعارض
seal-disowned = تبرّأت منه الجهة المصدرة
seal-crowded = سجلات أكثر من اللازم
seal-expired = منتهي الصلاحية
seal-erased = محذوف
seal-sealed = مختوم
seal-alarm = إنذار
seal-full-hash = SHA-256 كاملاً
