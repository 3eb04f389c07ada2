# The incomplete end of a series: what is still to be reported.
nowcast-title = 尚待报告的数量
nowcast-reported = 迄今已报告
nowcast-expected = 预计总数
nowcast-share = 已收到的比例
nowcast-table = 报告尚未收齐的日子
nowcast-shaded = 尚不完整：已收到的报告不足{ $share }
nowcast-summary = { $day }迄今已报告{ $reported }例，预计总数为{ $expected }例（95%区间{ $low }至{ $high }）：报告已收到{ $share }。
nowcast-note-triangle = 报告三角：{ $author }的{ $releases }次发布中的{ $days }天，按发布日（{ $basis }）。其中最长延迟{ $delay }天。
nowcast-note-method = 链梯法（Wolffram等，2023，PLOS Comput Biol 19:e1011394）。其区间的宽度相当于该方法在以往各日会犯的误差。假设延迟保持不变。
