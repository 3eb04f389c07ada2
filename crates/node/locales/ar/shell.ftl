# The frame around every page.
shell-skip = انتقل إلى المحتوى
shell-desks = الأقسام
shell-situation = الوضع الوبائي
shell-network = الشبكة
shell-records = السجلات
shell-meetings = الاجتماعات
shell-import = استيراد البيانات
shell-languages = اللغة
shell-crumbs = موقعك في الموقع
shell-sign-in = تسجيل الدخول
shell-sign-out = تسجيل الخروج
shell-footer = يمكن تتبّع كل رقم وصولاً إلى السجل الموقَّع الذي ورد فيه.
shell-zone = الأوقات بتوقيت
shell-api = واجهة البرمجة

## Faces
shell-face-public = عام
shell-face-inside = داخلي

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = حتى تاريخ
shell-basis = الوقت المعتمد
shell-basis-claimed = حسب التصريح
shell-basis-proven = حسب الإثبات
shell-basis-here = حسب التحقق هنا
shell-show = اعرض
shell-note-claimed = حتى { $date }: ما صدر حتى نهاية ذلك اليوم (بالتوقيت العالمي المنسق)، وفقاً لما صرّحت به الجهات التي أصدرته.
shell-note-proven = حتى { $date }: ما يثبت الشهود وجوده حتى نهاية ذلك اليوم (بالتوقيت العالمي المنسق).
shell-note-here = حتى { $date }: ما تحققت منه هذه العقدة حتى نهاية ذلك اليوم (بالتوقيت العالمي المنسق).
shell-note-now = اعرض الحالة الراهنة

## Exercise
shell-exercise = تمرين
shell-exercise-note = هذا ليس حدثاً فعلياً. ولا يُحتسب أي مما يرد هنا ضمن الأرقام الفعلية.
shell-signals = الإشارات
shell-scenarios = السيناريوهات
