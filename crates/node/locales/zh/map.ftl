# The map of the world.
map-symbol = { $place }：{ $count }
map-description = { $places ->
   *[other] 共{ $places }个地点。
}数值最大者：{ $largest }。
map-nothing = 地图上没有可显示的内容。
map-elsewhere = 未在地图上显示：{ $places }。
map-disclaimer = 本地图仅显示海岸线。所用名称和材料编排方式，并不意味着对任何国家、领土、城市或地区或其当局的法律地位，或对其边界或界线的划分表示任何意见。
