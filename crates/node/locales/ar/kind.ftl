# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = أرقام
kind-notice = إخطار
kind-acknowledgement = إشعار بالاستلام
kind-withdrawal = سحب
kind-erasure = محو
kind-sealed = سجل مختوم

## Logs
kind-log-open = فتح دفتر قيود
kind-log-root = تغيير جذر الثقة
kind-log-close = إغلاق دفتر قيود

## Mechanisms
kind-mechanism-charter = ميثاق
kind-mechanism-accept = قبول ميثاق
kind-mechanism-leave = انسحاب من آلية
kind-scenario = سيناريو
