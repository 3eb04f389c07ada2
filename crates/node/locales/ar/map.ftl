# The map of the world.
map-symbol = { $place }: { $count }
map-description = { $places ->
    [one] مكان واحد.
    [two] مكانان.
    [few] { $places } أماكن.
    [many] { $places } مكاناً.
   *[other] { $places } مكان.
} أكبر القيم: { $largest }.
map-nothing = لا يوجد ما يُعرض على الخريطة.
map-elsewhere = خارج الخريطة: { $places }.
map-disclaimer = لا تبيّن الخريطة سوى السواحل. وليس في التسميات المستخدمة ولا في طريقة عرض المادة ما يتضمن التعبير عن أي رأي كان بشأن المركز القانوني لأي بلد أو إقليم أو مدينة أو منطقة أو لسلطات أي منها، أو بشأن تعيين حدودها أو تخومها.
