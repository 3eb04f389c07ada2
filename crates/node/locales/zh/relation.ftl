# What one record says of another: relation-<relation>.
relation-replies = 回复
relation-acknowledges = 确认收到
relation-accepts = 接受
relation-declines = 谢绝
relation-revokes = 撤销
relation-withdraws = 撤回
relation-signs = 签署
relation-answers = 答复
relation-evidence = 提供证据
relation-part-of = 属于
relation-translates = 翻译自
relation-publishes = 公布
relation-releases-again = 再次发布
relation-erases = 删除其副本
relation-supersedes = 取代
