# The way to the inside face.
entrance-title = الدخول إلى الصفحات الداخلية
entrance-text = يعمل هذا الرابط مرة واحدة فقط، ويفتح في هذا المتصفح جلسة مدتها اثنتا عشرة ساعة.
entrance-button = دخول
