# The page about the interface for programs.
api-lead = ما تعرضه الصفحات متاح للبرامج أيضاً، من الاستعلامات نفسها وللقراء أنفسهم. كل جواب بصيغة JSON.
api-description = الوصف الكامل (OpenAPI)
api-addresses = العناوين
api-address = العنوان
api-answers = ما يجيب به
api-parameters = المَعلمات
api-files = ملفات
api-files-text = كل جدول في الصفحات ملف CSV أيضاً: رابطه بجانبه، بالترتيب والتصفية المطلوبين.
api-as-of = ⁦as_of⁩ يوم مثل ⁦2020-05-31⁩ بالتوقيت العالمي المنسق؛ و⁦basis⁩ هو claimed أو proven أو here.
api-operation-figures = أحدث أرقام كل مكان، من كل سلطة.
api-operation-corrections = كل قيمة صرّحت سلطتها لاحقاً بغيرها.
api-operation-place-figures = كل أرقام مكان واحد، من كل سلطة.
api-operation-record-list = السجلات، الأحدث أولاً.
api-operation-one-record = سجل واحد مع ما يثبته.
api-operation-authorities = السلطات مع بصماتها.
api-operation-logs = دفاتر القيود وحتى أين تصل.
