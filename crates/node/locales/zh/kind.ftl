# Kinds of records: kind-<kind with hyphens for dots>; an unlisted kind shows its own name.
kind-situation-figures = 数据
kind-notice = 通知
kind-acknowledgement = 收讫确认
kind-withdrawal = 撤回
kind-erasure = 删除
kind-sealed = 封存记录

## Logs
kind-log-open = 日志开启
kind-log-root = 信任根变更
kind-log-close = 日志关闭

## Mechanisms
kind-mechanism-charter = 章程
kind-mechanism-accept = 接受章程
kind-mechanism-leave = 退出机制
kind-scenario = 情景
