# The situation desk: what authorities state, and where they differ.
situation-lead = { $places }个国家和其他地方的数据，由{ $authorities }个主管部门报告。最新数据日期为{ $day }。
situation-indicators = 指标
situation-computed = 由本节点根据报告数据计算
situation-sum-of = { $count ->
   *[other] { $count }个国家之和
}
situation-last-week = 最近7天
situation-week-known = { $count ->
   *[other] { $count }个国家有数据
}
situation-reporting = 由本国主管部门报告
situation-reporting-of = 共{ $total }个地方
situation-corrections = 更正
situation-corrections-link = 更改内容及原因
situation-corrections-none = 没有更正。
situation-differs = 报告不一致
situation-differs-link = 各方报告
situation-differs-text = 同一数据，不同主管部门报告不同。此处不作任何改动。
situation-crowded = { $author }报告该指标的地点超过{ $count }个，此处不逐一列出；每个地点均有单独页面。
situation-crowded-place = { $author }为该地点报告的数据序列超过{ $count }个，此处不予显示。
situation-cut = { $author }报告的数据过多，此处无法全部显示；其数据自{ $day }起显示。
situation-cut-whole = { $author }为同一天报告的数据过多，此处无法显示，其数据均未列出。
situation-day-cut = { $author }就该日的报告过多，此处无法全部显示；仅显示最新的报告，最多{ $count }条。
situation-crowded-days = { $author }在此期间报告的数据超过{ $count }条，此处未计入。
situation-differs-none = 没有不同主管部门对同一数据报告不一致的情况。
situation-table = 各主管部门报告
situation-map = 地图
situation-place = 地点
situation-value = 数值
situation-seven = 7天
situation-weeks = 各周
situation-day = 日期
situation-who = 报告方
situation-standing = 性质
situation-own = 本国主管部门
situation-observed = 由他方观察
situation-proof = 证明
situation-proven-by = 证明于{ $time }
situation-claimed-at = 声明于{ $time }
situation-empty-title = 尚无数据
situation-empty-text = 本节点所跟踪的主管部门一旦发布数据，即在此连同证明一并显示。
situation-empty-as-of = 截至该日尚无已知数据。
situation-place-unknown = 截至该日，尚无主管部门就{ $place }发布任何数据。数据是后来发布的。
situation-all-places = 所有国家和地区

## A place
situation-new-per-day = 每日新增
situation-mean = 7日均值
situation-place-lead = 最近七天新增{ $new }，此前七天新增{ $before }。
situation-latest-day = { $day }
situation-data-table = 逐日数据
situation-new = 新增
situation-new-over = { $days }天合计
situation-other = 其他指标和分组
situation-group-all = 全部
situation-authors = 谁报告该地数据
situation-definition = 定义
situation-definition-as-reported = 按报告口径

## Corrections
situation-old = 原值
situation-new-value = 现值
situation-change = 变化
situation-reason = 所述原因
situation-source = 来源
situation-no-reason = 未说明
situation-period = 时段
situation-corrections-lead = 报告方后来自行更改的每个数值：原值、现值及其说明的原因。

## One day
situation-one-day = { $place }，{ $day }
situation-one-day-lead = 关于这一天的全部报告，按发布顺序排列。
situation-state = 状态
situation-holds = 有效
situation-replaced = 已被取代
situation-ended = 已撤回
situation-previous-day = 前一天
situation-next-day = 后一天
situation-day-empty = 没有关于这一天的数据。

## Indicators
situation-indicator-cases-confirmed-cumulative = 确诊病例（累计）
situation-indicator-cases-confirmed-new = 确诊病例（新增）
situation-indicator-cases-probable-cumulative = 可能病例（累计）
situation-indicator-cases-probable-new = 可能病例（新增）
situation-indicator-cases-suspected-cumulative = 疑似病例（累计）
situation-indicator-cases-suspected-new = 疑似病例（新增）
situation-indicator-deaths-cumulative = 死亡（累计）
situation-indicator-deaths-new = 死亡（新增）
situation-indicator-recovered-cumulative = 治愈（累计）
situation-indicator-recovered-new = 治愈（新增）
situation-indicator-cases-active = 现有病例
situation-indicator-hospitalised = 住院
situation-indicator-critical = 危重
situation-indicator-population = 人口

## Views and differences
situation-views = 视图
situation-view-figures = 数据
situation-differs-lead = 同一地点、同一日期的同一数据，由两个主管部门各自报告，并附两份记录。本节点不修改、不权衡、也不判定孰对孰错。
situation-other-who = 另有说法者
situation-apart = 相差
situation-days = 查看天数
situation-days-back = 最近{ $days }天
situation-differs-more = 还有更多；此处列出最新的{ $count }条。
