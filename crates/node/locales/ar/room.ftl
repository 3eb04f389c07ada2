# غرفة الاجتماعات: ما يعرضه المتصفح أثناء الاجتماع. وتحمل الصفحة هذه النصوص إلى برنامجها أيضًا.

room-loading = يجري إعداد الغرفة…
room-needs-script = يحتاج الاجتماع إلى JavaScript: فلا يمكن نقل الصوت والصورة من دونه. اسمح به لهذه الصفحة ثم أعد تحميلها. وكل ما عدا ذلك في هذه العقدة يعمل من دونه.
room-not-built-for = لا يستطيع هذا المتصفح المشاركة في اجتماع. ويستطيع ذلك إصدار حديث من Chromium أو Firefox أو Safari.
room-not-secure = لا يمكن استعمال الكاميرا والميكروفون إلا في عنوان يبدأ بـ https. راجع مشغّل هذه العقدة.
room-check = قبل الدخول
room-enter-as = تدخل بصفة
room-enter = ادخل الغرفة
room-entering = جارٍ الدخول…
room-listen-only = ادخل للاستماع
room-back = رجوع
room-camera = الكاميرا
room-microphone = الميكروفون
room-speaker = مكبر الصوت
room-on = تعمل
room-off = متوقفة
room-default-device = يختاره النظام
room-unnamed-device = جهاز { $number }
room-use-devices = استعمل الكاميرا والميكروفون
room-will-ask = سيسألك المتصفح هل يجوز لهذه الصفحة استعمالهما. لن يراك أو يسمعك أحد قبل دخولك.
room-preview = صورتك كما سيراها الآخرون
room-preview-off = الكاميرا متوقفة
room-denied-both = لا يجوز لهذه الصفحة استعمال الكاميرا ولا الميكروفون. اسمح بهما لهذا العنوان في إعدادات المتصفح. ويمكنك في هذه الأثناء الدخول والاستماع.
room-denied-camera = لا يجوز لهذه الصفحة استعمال الكاميرا. اسمح بها لهذا العنوان في إعدادات المتصفح. ويمكن سماعك من دونها.
room-denied-microphone = لا يجوز لهذه الصفحة استعمال الميكروفون. اسمح به لهذا العنوان في إعدادات المتصفح. يمكن رؤيتك، ولا يمكن سماعك.
room-none-camera = لا توجد كاميرا هنا. ويمكن سماعك من دونها.
room-none-microphone = لا يوجد ميكروفون هنا. يمكنك الاستماع.
room-none-both = لا توجد كاميرا ولا ميكروفون هنا. يمكنك الاستماع.
room-busy-camera = يستعمل برنامج آخر الكاميرا. أغلقه ثم اخترها من جديد.
room-busy-microphone = يستعمل برنامج آخر الميكروفون. أغلقه ثم اختره من جديد.
room-level = مستوى الميكروفون
room-heard = صوتك مسموع.
room-silent = لا يُسمع شيء. هل هذا هو الميكروفون الصحيح، وهل هو مفتوح؟
room-test-sound = شغّل صوتًا تجريبيًا
room-test-playing = يجري التشغيل…
room-sound-only = الصوت فقط
room-sound-only-hint = للخط الضعيف: لا تُرسل الصور ولا تُستقبل.
room-stage = المشاركون
room-you = أنت
room-controls = ما ترسله وما تراه
room-share = شارك الشاشة
room-share-stop = أوقف المشاركة
room-layout-speaker = كبّر صورة المتحدث
room-layout-grid = اعرض الجميع بالتساوي
room-people = الحاضرون
room-people-count = { $count ->
    [zero] لا أحد في الغرفة
    [one] شخص واحد في الغرفة
    [two] شخصان في الغرفة
    [few] { $count } أشخاص في الغرفة
    [many] { $count } شخصًا في الغرفة
   *[other] { $count } شخص في الغرفة
}
room-settings = الأجهزة
room-settings-title = الكاميرا والميكروفون ومكبر الصوت
room-close = إغلاق
room-leave = مغادرة
room-pin = أبقِ الصورة كبيرة: { $name }
room-unpin = لا تُبقِ الصورة كبيرة: { $name }
room-page = الصفحة { $page } من { $pages }
room-page-next = الصفحة التالية
room-page-previous = الصفحة السابقة
room-alone-title = لا أحد غيرك هنا بعد
room-alone = سترى الآخرين وتسمعهم هنا فور دخولهم.
room-speaking = يتحدث
room-speaks-now = المتحدث: { $name }
room-nobody-speaks = لا أحد يتحدث
room-microphone-off = الميكروفون مغلق
room-camera-off = الكاميرا مغلقة
room-paused = الصورة متوقفة مؤقتًا: الخط ضعيف
room-picture-coming = الصورة قادمة…
room-shares = شاشة { $name }
room-you-share = يرى الآخرون شاشتك.
room-encrypted = مشفَّر من طرف إلى طرف
room-sealed = مشفَّر من طرف إلى طرف: لا مفتاح لدى هذا المتصفح
room-not-encrypted = مشفَّر حتى الخادم
room-quality-excellent = الاتصال جيد
room-quality-good = الاتصال متوسط
room-quality-poor = الاتصال ضعيف
room-quality-lost = الاتصال مقطوع
room-announce-speakers = أبلغ قارئ الشاشة بمن يتحدث
room-share-hidden = هناك شاشة مشارَكة، لكنك اخترت الصوت فقط.
room-show-pictures = اعرض الصور
room-joined = دخل { $name }
room-joined-many = { $count ->
    [zero] لم يدخل أحد
    [one] دخل شخص واحد
    [two] دخل شخصان
    [few] دخل { $count } أشخاص
    [many] دخل { $count } شخصًا
   *[other] دخل { $count } شخص
}
room-left = غادر { $name }
room-left-many = { $count ->
    [zero] لم يغادر أحد
    [one] غادر شخص واحد
    [two] غادر شخصان
    [few] غادر { $count } أشخاص
    [many] غادر { $count } شخصًا
   *[other] غادر { $count } شخص
}
room-is-speaking = يتحدث { $name }
room-picture-paused = توقفت مؤقتًا صورة { $name }
room-picture-resumed = عادت صورة { $name }
room-share-began = يشارك { $name } شاشة
room-share-ended = لم يعد { $name } يشارك شاشة
room-entered = أنت في الغرفة.
room-sound-held = يحجب المتصفح الصوت إلى أن تسمح به.
room-sound-start = شغّل الصوت
room-reconnecting = انقطع الاتصال. تجري إعادة الاتصال…
room-reconnected = عاد الاتصال.
room-you-were-muted = أغلق الرئيس الميكروفون لديك.
room-device-gone = فُصل جهاز كان مستعملًا، وحلّ جهاز آخر محله.
room-device-failed = تعذّر استعمال الجهاز: { $reason }
room-share-failed = تعذّرت مشاركة الشاشة.
room-not-permitted = لا يجوز لك إرسال هذا في الغرفة الآن.
room-over-left-title = غادرت الغرفة
room-over-left = لم يعد يُرسل شيء من الكاميرا ولا من الميكروفون.
room-over-elsewhere-title = دخلت من مكان آخر
room-over-elsewhere = الغرفة مفتوحة في نافذة أخرى أو على جهاز آخر بالجلسة نفسها. غادرت هذه النافذة الغرفة.
room-over-removed-title = طُلب منك المغادرة
room-over-removed = أنهى الرئيس مشاركتك في هذا الاجتماع.
room-over-closed-title = انتهى الاجتماع
room-over-closed = أُغلقت الغرفة أمام الجميع.
room-over-lost-title = انقطع الاتصال
room-over-lost = تعذّرت استعادته. تحقق من شبكتك ثم ادخل من جديد.
room-over-refused-title = لم تسمح لك الغرفة بالدخول
room-over-refused = جلستك لا تفتح هذه الغرفة، أو لم تعد تفتحها. سجّل الدخول برابط جديد.
room-over-unreachable-title = تعذّر الوصول إلى الغرفة
room-over-unreachable = لا يجيب الخادم الذي ينقل الصوت والصورة. حاول بعد دقيقة، وإذا استمر ذلك فأبلغ مشغّل هذه العقدة.
room-over-blocked-title = لا يمر الصوت ولا الصورة
room-over-blocked = تجيب الغرفة، لكن شبكتك تحجب الصوت والصورة. قد تفيد شبكة أخرى أو مديرو شبكتك.
room-over-full-title = الغرفة ممتلئة
room-over-full = فيها من الأشخاص أقصى ما يحتمله الخادم. حاول لاحقًا.
room-again = ادخل من جديد
