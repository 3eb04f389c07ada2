# The way to the inside face.
entrance-title = 进入内部页面
entrance-text = 此链接只能使用一次，将在此浏览器中打开为时十二小时的会话。
entrance-button = 进入
