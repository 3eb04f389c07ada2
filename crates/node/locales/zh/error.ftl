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

## By machine code
error-code-as-of-date = “{ $value }”不是日期。请按年、月、日填写，例如2020-05-31。
error-code-as-of-basis = “{ $value }”不是有效的计时依据。请选择claimed、proven或here。
error-code-sort-column = 没有可供排序的“{ $value }”列。
error-code-link-used-or-expired = 此链接已被使用或已过期。请向运行人员索取新链接：concord link。
