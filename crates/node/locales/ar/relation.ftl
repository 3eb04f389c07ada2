# What one record says of another: relation-<relation>.
relation-replies = ردّ على
relation-acknowledges = يقرّ باستلام
relation-accepts = يقبل
relation-declines = يرفض
relation-revokes = يلغي
relation-withdraws = يسحب
relation-signs = يوقّع
relation-answers = يجيب عن
relation-evidence = يقدّم دليلاً على
relation-part-of = جزء من
relation-translates = ترجمة لـ
relation-publishes = ينشر
relation-releases-again = يعيد إصدار
relation-erases = يمحو نسخه من
relation-supersedes = يحلّ محل
