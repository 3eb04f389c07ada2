# Forms: labels and faults that every form shares.
form-required = إلزامي
form-optional = اختياري
form-faults = { $count ->
    [one] حقل واحد يحتاج إلى تصحيح
    [two] حقلان يحتاجان إلى تصحيح
    [few] { $count } حقول تحتاج إلى تصحيح
    [many] { $count } حقلاً يحتاج إلى تصحيح
   *[other] { $count } حقل يحتاج إلى تصحيح
}
form-missing = أدخل قيمة.
