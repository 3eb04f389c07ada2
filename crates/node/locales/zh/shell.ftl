# The frame around every page.
shell-skip = 跳至正文
shell-desks = 栏目
shell-situation = 疫情态势
shell-network = 网络
shell-records = 记录
shell-meetings = 会议
shell-import = 导入
shell-languages = 语言
shell-crumbs = 当前位置
shell-sign-in = 登录
shell-sign-out = 退出
shell-footer = 每个数字均可追溯至其来源的签名记录。
shell-zone = 时间所用时区
shell-api = 应用程序接口

## Faces
shell-face-public = 公开
shell-face-inside = 内部

## As of: claimed is what authors say, proven what witnesses show, here what this node has verified
shell-as-of = 截至
shell-basis = 计时依据
shell-basis-claimed = 按声明时间
shell-basis-proven = 按证明时间
shell-basis-here = 按本节点核实时间
shell-show = 显示
shell-note-claimed = 截至{ $date }：据发布方声明，截至当日结束（协调世界时）已发布的内容。
shell-note-proven = 截至{ $date }：经见证方证明，截至当日结束（协调世界时）已存在的内容。
shell-note-here = 截至{ $date }：本节点截至当日结束（协调世界时）已核实的内容。
shell-note-now = 显示当前状态

## Exercise
shell-exercise = 演练
shell-exercise-note = 此非真实事件。此处显示的内容均不计入实际数据。
shell-signals = 信号
shell-scenarios = 情景
