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

## By machine code
error-code-as-of-date = «{ $value }» ليس تاريخاً. اكتبوا السنة والشهر واليوم، مثل ⁦2020-05-31⁩.
error-code-as-of-basis = «{ $value }» ليس وقتاً معتمداً. اختاروا claimed أو proven أو here.
error-code-sort-column = لا يوجد عمود باسم «{ $value }» للترتيب حسبه.
error-code-link-used-or-expired = سبق استخدام هذا الرابط أو انقضى أجله. اطلب من المشغّل رابطاً جديداً: concord link.
