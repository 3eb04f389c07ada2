# Curves: their parts, and what they say.
chart-per-day = 每日
chart-average = 7天平均
chart-average-of = { $name }：7天平均
chart-incomplete-days = 尚不完整
chart-table = 表格
chart-day = 日期

## Sentences: weeks in a row, count of the last seven complete days, their last day, count of the seven days before
chart-cases-rising = 新增病例连续{ $weeks ->
   *[other] { $weeks }周
}上升：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-cases-falling = 新增病例连续{ $weeks ->
   *[other] { $weeks }周
}下降：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-cases-level = 新增病例持平：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-deaths-rising = 新增死亡连续{ $weeks ->
   *[other] { $weeks }周
}上升：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-deaths-falling = 新增死亡连续{ $weeks ->
   *[other] { $weeks }周
}下降：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-deaths-level = 新增死亡持平：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-other-rising = { $name }，连续{ $weeks ->
   *[other] { $weeks }周
}上升：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-other-falling = { $name }，连续{ $weeks ->
   *[other] { $weeks }周
}下降：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-other-level = { $name }，持平：截至{ $date }的七天为{ $count }，此前七天为{ $previous }。
chart-too-short = 已知的连续完整数据不足十四天，故不说明趋势。
chart-incomplete = { $days ->
   *[other] 最近{ $days }天数据不完整，未计入。
}
