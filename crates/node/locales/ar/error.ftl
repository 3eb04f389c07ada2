# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = تتعذر الاستجابة لهذا الطلب
error-bad-request-text = ثمة خطأ في مضمون الطلب.
error-unauthorized-title = يُرجى تسجيل الدخول
error-unauthorized-text = هذه الصفحة مخصصة لمن سجّلوا الدخول.
error-forbidden-title = غير مسموح
error-forbidden-text = لا تشمل مهامكم هذا الإجراء. ولم يتغير شيء.
error-not-found-title = غير موجود
error-not-found-text = لا يوجد شيء في هذا العنوان، أو لا شيء يحق لكم الاطلاع عليه.
error-conflict-title = سبقكم شخص آخر
error-conflict-text = تغيّر ما كنتم تعملون عليه في هذه الأثناء. اطلعوا على حالته الراهنة وأعيدوا المحاولة.
error-too-large-title = الحجم كبير جداً
error-too-large-text = يتجاوز حجم ما أُرسل الحد الذي تقبله هذه العقدة.
error-too-many-title = طلبات كثيرة جداً
error-too-many-text = يُرجى الانتظار دقيقة ثم إعادة المحاولة.
error-internal-title = لم تتمكن هذه العقدة من الاستجابة
error-internal-text = سُجّل العطل ليطّلع عليه المشغّل. ولم يُفقد أي شيء سبق تأكيده.
error-unavailable-title = غير متاح مؤقتاً
error-unavailable-text = هذه العقدة قيد بدء التشغيل أو الصيانة. يُرجى المحاولة بعد قليل.
error-back = انتقل إلى الصفحة الرئيسية
error-unlisted = رُفض الطلب: { $code }
error-reference = المرجع للمشغّل: { $reference }
error-row = الصف { $row }: { $problem }
error-cell = الصف { $row }، العمود { $column } ({ $header }): { $problem }

## By machine code
error-code-as-of-date = «{ $value }» ليس تاريخاً. اكتبوا السنة والشهر واليوم، مثل ⁦2020-05-31⁩.
error-code-as-of-basis = «{ $value }» ليس وقتاً معتمداً. اختاروا claimed أو proven أو here.
error-code-sort-column = لا يوجد عمود باسم «{ $value }» للترتيب حسبه.
error-code-link-used-or-expired = سبق استخدام هذا الرابط أو انقضى أجله. اطلب من المشغّل رابطاً جديداً: concord link.

## Reading a table of figures
error-code-table-empty = الجدول فارغ.
error-code-table-not-utf8 = الجدول ليس نصاً بترميز UTF-8. احفظوه بصيغة «CSV UTF-8».
error-code-table-unreadable = تتعذر قراءة بداية الجدول على شكل صفوف: ثمة صف طويل جداً أو علامة اقتباس غير مغلقة.
error-code-table-io = تتعذر قراءة الجدول: { $kind }
error-code-tag-invalid = «{ $text }» وارد في صف الوسوم وليس وسماً.
error-code-tag-unclear = يعبّر { $tag } عن معنى غير مفهوم هنا. اربطوا العمود بوسم مفهوم أو بلا شيء.
error-code-columns-twice = العمودان «{ $header }» و«{ $second-header }» لهما المعنى نفسه. لا تربطوا أحدهما بشيء.
error-code-column-date-missing = لا يوجد عمود للتاريخ. ضعوا لأحد الأعمدة الوسم ⁦#date⁩ أو اربطوه به.
error-code-column-period-half = تحتاج الفترة إلى ⁦#date+start⁩ و⁦#date+end⁩ معاً.
error-code-column-place-missing = لا يوجد عمود للمكان. ضعوا لأحد الأعمدة الوسم ⁦#country+code⁩ أو ⁦#country+name⁩، أو حددوا مكان الجدول كله.
error-code-column-indicator-missing = لا يوجد عمود لأي مؤشر. ضعوا لأحد الأعمدة وسماً مثل ⁦#affected+infected+confirmed+cumulative⁩ أو اربطوه به.
error-code-map-header-missing = لا يوجد عمود بالعنوان «{ $header }» المراد ربطه.
error-code-map-invalid = «{ $text }» ليس ربطاً صحيحاً. اكتبوا ⁦Header=#tag⁩، أو ⁦Header=-⁩ لترك عمود، وافصلوا بينها بفواصل.

## What is wrong in a row; its place is said before
error-code-cells-missing = في الصف { $found } من الخلايا، وفي العنوان { $expected }.
error-code-cells-extra = في الصف { $found } من الخلايا، وفي العنوان { $expected }. هل ثمة خلية بلا علامتي اقتباس؟
error-code-not-utf8 = الخلية ليست نصاً بترميز UTF-8.
error-code-field-too-long = الخلية أطول من { $limit } بايت.
error-code-date-missing = التاريخ غير موجود.
error-code-date-unclear = «{ $text }»: حددوا هل يأتي اليوم أولاً أم الشهر، أو اكتبوا { $day-first } أو { $month-first }.
error-code-date-short-year = السنة في «{ $text }» من رقمين. اكتبوا ⁦YYYY-MM-DD⁩.
error-code-date-has-time = يتضمن «{ $text }» وقتاً من اليوم، والرقم يخص أياماً كاملة. اكتبوا ⁦YYYY-MM-DD⁩.
error-code-date-invalid = «{ $text }» ليس تاريخاً. اكتبوا ⁦YYYY-MM-DD⁩.
error-code-period-reversed = تنتهي الفترة «{ $text }» قبل أن تبدأ.
error-code-place-missing = المكان غير موجود.
error-code-country-code-unknown = «{ $text }» ليس رمزاً من رموز ISO 3166-1. والمكان الذي لا رمز له يُدرج في عمود للأسماء.
error-code-place-contradiction = الرمز يقول { $code } والاسم يقول «{ $name }».
error-code-place-invalid = لا يمكن أن يكون «{ $text }» مكاناً: 200 بايت على الأكثر، دون محارف تحكم أو |.
error-code-value-negative = «{ $text }» أقل من الصفر. والعدد التراكمي لا يكون كذلك أبداً، وغيره لا يكون كذلك إلا إذا نصّ عليه الاستيراد.
error-code-value-fractional = في «{ $text }» كسر، والأشخاص يُعدّون كاملين.
error-code-value-separated = بين أرقام «{ $text }» فواصل. حددوا الفاصل أو اكتبوا الأرقام وحدها.
error-code-value-invalid = «{ $text }» ليس رقماً. اتركوا الخلية فارغة حيث لا يُذكر شيء.
error-code-value-too-long = في «{ $text }» أكثر من 18 رقماً.
error-code-indicator-missing = ثمة قيمة بلا مؤشر.
error-code-indicator-invalid = «{ $text }» ليس مؤشراً: حروف لاتينية صغيرة وأرقام و-، 64 على الأكثر.
error-code-definition-invalid = «{ $text }» ليس تعريفاً: حروف لاتينية صغيرة وأرقام و⁦- . _ /⁩، 64 على الأكثر.
error-code-disaggregation-invalid = «{ $text }» ليس جزءاً من السكان: 64 بايت على الأكثر، دون محارف تحكم أو ⁦| , =⁩.
error-code-text-invalid = النص أطول من 2,000 بايت أو يتضمن محارف تحكم.
error-code-row-too-long = الصف أطول من { $limit } بايت. هل ثمة علامة اقتباس غير مغلقة؟ لم يُقرأ شيء بعده.
error-code-columns-too-many = في الصف أكثر من { $limit } خلية. لم يُقرأ شيء بعده.
error-code-rows-too-many = في الجدول أكثر من { $limit } صف. لم يُقرأ شيء ابتداءً من هنا.
error-code-figures-too-many = في الجدول أكثر من { $limit } رقم. لم يُقرأ شيء ابتداءً من هنا.
error-code-quote-not-closed = ثمة علامة اقتباس لم تُغلق قبل نهاية الجدول.
error-code-io = تعذّرت متابعة قراءة الجدول: { $kind }
error-code-figures-none = لا يوجد رقم لإصداره.
error-code-figure-stated-twice = يورد الجدول الرقم نفسه مرتين.
error-code-figure-reason-missing = هذا تصحيح لرقم سبق ذكره. اذكروا السبب.
error-code-figure-value-impossible = العدد التراكمي لا يقل عن الصفر، والأشخاص يُعدّون كاملين.

## Why an entry of a log counts for nothing
error-code-entry-other-log = ينتمي السجل إلى دفتر القيود { $found }.
error-code-entry-other-author = السجل صادر عن { $found }.
error-code-entry-not-sealed = ورد سجل من نوع { $kind } غير مختوم في دفتر قيود مقيَّد الاطلاع.
error-code-entry-not-signed = لم يوقّع السجل أي مفتاح يجيزه جذر الثقة { $root } للنوع { $kind }.
error-code-entry-bad-signature = توقيع { $name } غير صحيح.
error-code-log-not-opening = يبدأ دفتر القيود بـ ⁦log.open⁩ لا بـ { $kind }.
error-code-log-never-opened = ليس في دفتر القيود ⁦log.open⁩ صحيح.
error-code-log-opened-again = لا يرد ⁦log.open⁩ إلا في البداية.
error-code-log-after-close = أُغلق دفتر القيود قبل ذلك.
error-code-log-line = يجب أن يكون السطر «{ $key }» كما يلي: { $wanted }
error-code-log-root-not-newer = ورد ذكر جذر الثقة { $found }، لكن الساري هو { $inForce }.
error-code-log-root-hash = لجذر الثقة { $version } الخاص بالجهة المصدرة بصمة أخرى.

## An operator's file of borders
error-code-borders-too-large = حجم الملف { $bytes } بايت، وهو أكبر مما يُقرأ.
error-code-borders-too-many-points = في الملف نقاط كثيرة جداً. بسّطوا الخطوط.
error-code-borders-not-json = السطر { $line }: الملف ليس بصيغة JSON.
error-code-borders-not-geojson = { $what } ليس GeoJSON يمكن رسمه. اكتبوا خطوطاً أو مضلعات.
error-code-borders-position = { $position } ليس خط طول وخط عرض بالدرجات.
