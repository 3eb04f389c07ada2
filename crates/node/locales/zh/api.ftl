# The page about the interface for programs.
api-lead = 网页显示的内容，程序也可以索取：查询相同，读者相同。每个应答均为JSON。
api-description = 完整说明（OpenAPI）
api-addresses = 地址
api-address = 地址
api-answers = 应答内容
api-parameters = 参数
api-files = 文件
api-files-text = 网页上的每个表格也是一个CSV文件：链接就在旁边，按所要求的排序和筛选给出。
api-as-of = as_of为日期，例如2020-05-31（协调世界时）；basis为claimed、proven或here。
api-operation-figures = 各主管部门对每个地区的最新数据。
api-operation-corrections = 发布方后来另行更正的每个数值。
api-operation-place-figures = 一个地区的全部数据，按主管部门列出。
api-operation-record-list = 记录，最新的在前。
api-operation-one-record = 一条记录及其证明。
api-operation-authorities = 主管部门及其指纹。
api-operation-logs = 日志及其范围。
