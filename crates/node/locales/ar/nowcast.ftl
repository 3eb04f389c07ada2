# The incomplete end of a series: what is still to be reported.
nowcast-title = ما لم يُبلَّغ عنه بعد
nowcast-reported = المبلَّغ عنه حتى الآن
nowcast-expected = المتوقع في المجموع
nowcast-share = النسبة الواردة
nowcast-table = أيام لم ترد بلاغاتها كلها
nowcast-shaded = غير مكتمل بعد: ورد أقل من { $share } من البلاغات
nowcast-summary = عن يوم { $day } أُبلغ حتى الآن عن { $reported } ويُتوقع { $expected } في المجموع (مجال 95%: من { $low } إلى { $high }): ورد { $share } من البلاغات.
nowcast-note-triangle = مثلث الإبلاغ بحسب يوم الإصدار ({ $basis })، من إصدارات { $author }. عدد الأيام: { $days }، عدد الإصدارات: { $releases }، أطول تأخير بالأيام: { $delay }.
nowcast-note-method = طريقة chain ladder (Wolffram et al. 2023, PLOS Comput Biol 19:e1011394). مجالها بقدر ما كانت الطريقة ستخطئ في الأيام السابقة. وتفترض بقاء التأخيرات كما كانت.
