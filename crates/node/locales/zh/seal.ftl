# Who claims something, how it is proven, and in what state it is.
seal-proven = 已证明于{ $time }前存在
seal-witnessed = { $count ->
   *[other] { $count }方见证
}
seal-claimed = 仅为声明
seal-claimed-time = 声明时间：{ $time }
seal-claimed-explained = 见证方尚未证明其存在时间；所示时间仅为发布方声明。
seal-actual = 真实
seal-exercise = 演练
seal-test = 测试
seal-edition = 第{ $number }版
seal-corrected = 已更正
seal-withdrawn = 已撤回
seal-conflicting = 版本冲突
seal-disowned = 已被发布方否认
seal-crowded = 记录过多
seal-expired = 已过期
seal-erased = 已删除
seal-sealed = 已封存
seal-alarm = 警报
seal-full-hash = SHA-256全文
