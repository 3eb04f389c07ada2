# Refusals. error-code-<code> is the sentence for a machine code; see layout::Problem.
error-bad-request-title = 无法处理此请求
error-bad-request-text = 请求中有不符合要求之处。
error-unauthorized-title = 请登录
error-unauthorized-text = 本页面仅供已登录人员使用。
error-forbidden-title = 无权执行
error-forbidden-text = 您的职责不包括此项操作。未作任何更改。
error-not-found-title = 未找到
error-not-found-text = 此地址没有内容，或没有您可查阅的内容。
error-conflict-title = 他人已先行更改
error-conflict-text = 您处理的内容已被更改。请查看当前状态后重试。
error-too-large-title = 内容过大
error-too-large-text = 所发送的内容超过本节点的接收上限。
error-too-many-title = 请求过于频繁
error-too-many-text = 请稍候一分钟再试。
error-internal-title = 本节点未能响应
error-internal-text = 故障已记录，供运维人员处理。已确认的内容不会丢失。
error-unavailable-title = 暂时无法使用
error-unavailable-text = 本节点正在启动或维护，请稍后再试。
error-back = 返回首页
error-unlisted = 已拒绝：{ $code }
error-reference = 供运维人员查询的编号：{ $reference }
error-row = 第{ $row }行：{ $problem }
error-cell = 第{ $row }行第{ $column }列（{ $header }）：{ $problem }

## By machine code
error-code-as-of-date = “{ $value }”不是日期。请按年、月、日填写，例如2020-05-31。
error-code-as-of-basis = “{ $value }”不是有效的计时依据。请选择claimed、proven或here。
error-code-sort-column = 没有可供排序的“{ $value }”列。
error-code-link-used-or-expired = 此链接已被使用或已过期。请向运行人员索取新链接：concord link。

## Reading a table of figures
error-code-table-empty = 表格为空。
error-code-table-not-utf8 = 表格不是UTF-8文本。请另存为“CSV UTF-8”。
error-code-table-unreadable = 表格开头无法按行读取：某行过长，或引号未闭合。
error-code-table-io = 无法读取表格：{ $kind }
error-code-tag-invalid = “{ $text }”位于标签行，但不是标签。
error-code-tag-unclear = 本节点不理解{ $tag }。请将该列对应到可理解的标签，或不对应。
error-code-columns-twice = “{ $header }”列与“{ $second-header }”列含义相同。请取消其中一列的对应。
error-code-column-date-missing = 没有日期列。请为某列加上#date标签，或指定对应关系。
error-code-column-period-half = 时段需同时有#date+start和#date+end。
error-code-column-place-missing = 没有地点列。请为某列加上#country+code或#country+name标签，或指定整张表格的地点。
error-code-column-indicator-missing = 没有指标列。请为某列加上标签（例如#affected+infected+confirmed+cumulative），或指定对应关系。
error-code-map-header-missing = 没有标题为“{ $header }”的列可供对应。
error-code-map-invalid = “{ $text }”不是有效的对应关系。请写作“标题=#标签”；不用的列写作“标题=-”；以逗号分隔。

## What is wrong in a row; its place is said before
error-code-cells-missing = 该行有{ $found }个单元格，表头有{ $expected }个。
error-code-cells-extra = 该行有{ $found }个单元格，表头有{ $expected }个。是否有单元格未加引号？
error-code-not-utf8 = 该单元格不是UTF-8文本。
error-code-field-too-long = 该单元格超过{ $limit }字节。
error-code-date-missing = 缺少日期。
error-code-date-unclear = “{ $text }”：请说明日在前还是月在前，或写作{ $day-first }或{ $month-first }。
error-code-date-short-year = “{ $text }”的年份只有两位。请写作YYYY-MM-DD。
error-code-date-has-time = “{ $text }”含有时刻，而数据以日计。请写作YYYY-MM-DD。
error-code-date-invalid = “{ $text }”不是日期。请写作YYYY-MM-DD。
error-code-period-reversed = “{ $text }”的结束早于开始。
error-code-place-missing = 缺少地点。
error-code-country-code-unknown = “{ $text }”不是ISO 3166-1代码。没有代码的地点应填在名称列。
error-code-place-contradiction = 代码为{ $code }，名称为“{ $name }”，两者不符。
error-code-place-invalid = “{ $text }”不能作为地点：最多200字节，不含控制字符和|。
error-code-value-negative = “{ $text }”小于零。累计数不会小于零；其他数值只有在导入时说明后才可小于零。
error-code-value-fractional = “{ $text }”含有小数，而人数须为整数。
error-code-value-separated = “{ $text }”的数字之间有分隔符。请说明是哪种，或只写数字。
error-code-value-invalid = “{ $text }”不是数字。没有数据的单元格请留空。
error-code-value-too-long = “{ $text }”超过18位数字。
error-code-indicator-missing = 有数值而无指标。
error-code-indicator-invalid = “{ $text }”不是指标：只能用小写字母、数字和-，最多64个。
error-code-definition-invalid = “{ $text }”不是定义：只能用小写字母、数字和- . _ /，最多64个。
error-code-disaggregation-invalid = “{ $text }”不是人群分组：最多64字节，不含控制字符和| , =。
error-code-text-invalid = 文本超过2,000字节，或含有控制字符。
error-code-row-too-long = 该行超过{ $limit }字节。是否有引号未闭合？其后内容未读取。
error-code-columns-too-many = 该行超过{ $limit }个单元格。其后内容未读取。
error-code-rows-too-many = 表格超过{ $limit }行。自此以下未读取。
error-code-figures-too-many = 表格超过{ $limit }个数据。自此以下未读取。
error-code-quote-not-closed = 直到表格末尾仍有引号未闭合。
error-code-io = 无法继续读取表格：{ $kind }
error-code-figures-none = 没有可发布的数据。
error-code-figure-stated-twice = 表格对同一数据说明了两次。
error-code-figure-reason-missing = 此项更正此前已说明的数据。请说明原因。
error-code-figure-value-impossible = 累计数不得小于零，人数须为整数。

## Why an entry of a log counts for nothing
error-code-entry-other-log = 该记录属于日志{ $found }。
error-code-entry-other-author = 该记录由{ $found }发布。
error-code-entry-not-sealed = 受限日志中有一条未封存的{ $kind }类记录。
error-code-entry-not-signed = 信任根{ $root }允许用于{ $kind }的作者密钥均未签署该记录。
error-code-entry-bad-signature = { $name }的签名不正确。
error-code-log-not-opening = 日志须以log.open开头，而非{ $kind }。
error-code-log-never-opened = 该日志没有有效的log.open。
error-code-log-opened-again = log.open只能位于开头。
error-code-log-after-close = 该日志此前已关闭。
error-code-log-line = “{ $key }”行应为：{ $wanted }
error-code-log-root-not-newer = 所指为信任根{ $found }，而现行为{ $inForce }。
error-code-log-root-hash = 发布方信任根{ $version }的哈希值不符。

## An operator's file of borders
error-code-borders-too-large = 文件有{ $bytes }字节，超过读取上限。
error-code-borders-too-many-points = 文件中的点过多。请简化线条。
error-code-borders-not-json = 第{ $line }行：文件不是JSON。
error-code-borders-not-geojson = { $what }不是可绘制的GeoJSON。请使用线或多边形。
error-code-borders-position = { $position }不是以度表示的经纬度。
