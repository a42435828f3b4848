"""The register itself: one frozen record per province, in canonical order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Province:
    """One province-level unit of mainland China.

    Attributes
    ----------
    adcode : int
        Six-digit administrative code, GB/T 2260.
    iso : str
        ISO 3166-2 code, e.g. ``CN-BJ``.
    name_en, name_zh, name_zh_full : str
        English name, 简称, 全称.
    capital_en, capital_zh : str
        Seat of the provincial government.
    lon, lat : float
        Coordinates of that seat, decimal degrees (Amap points).
    block : str
        One of the four blocks of the National Bureau of Statistics: East (10 provinces),
        Central (6), West (12), Northeast (3).
    north_south : str
        North (15) or South (16); Tibet is counted South.
    hub : bool
        Inside one of the eight national computing hubs (14 provinces).
    cluster : bool
        Hosts one of the ten data-centre clusters (12 provinces).
    """

    adcode: int
    iso: str
    name_en: str
    name_zh: str
    name_zh_full: str
    capital_en: str
    capital_zh: str
    lon: float
    lat: float
    block: str
    north_south: str
    hub: bool
    cluster: bool

    def __str__(self) -> str:
        """English name."""
        return self.name_en


# adcode|iso|English|简称|全称|capital|首府|lon|lat|block|North or South|hub|cluster
_TABLE = """\
110000|CN-BJ|Beijing|北京|北京市|Beijing|北京|116.407394|39.904211|East|North|1|0
120000|CN-TJ|Tianjin|天津|天津市|Tianjin|天津|117.200983|39.084158|East|North|1|0
130000|CN-HE|Hebei|河北|河北省|Shijiazhuang|石家庄|114.530235|38.037433|East|North|1|1
140000|CN-SX|Shanxi|山西|山西省|Taiyuan|太原|112.562678|37.873499|Central|North|0|0
150000|CN-NM|Inner Mongolia|内蒙古|内蒙古自治区|Hohhot|呼和浩特|111.76629|40.81739|West|North|1|1
210000|CN-LN|Liaoning|辽宁|辽宁省|Shenyang|沈阳|123.431382|41.836175|Northeast|North|0|0
220000|CN-JL|Jilin|吉林|吉林省|Changchun|长春|125.32568|43.897016|Northeast|North|0|0
230000|CN-HL|Heilongjiang|黑龙江|黑龙江省|Harbin|哈尔滨|126.661665|45.742366|Northeast|North|0|0
310000|CN-SH|Shanghai|上海|上海市|Shanghai|上海|121.473662|31.230372|East|South|1|1
320000|CN-JS|Jiangsu|江苏|江苏省|Nanjing|南京|118.762765|32.060875|East|South|1|1
330000|CN-ZJ|Zhejiang|浙江|浙江省|Hangzhou|杭州|120.152585|30.266597|East|South|1|1
340000|CN-AH|Anhui|安徽|安徽省|Hefei|合肥|117.329949|31.733806|Central|South|1|1
350000|CN-FJ|Fujian|福建|福建省|Fuzhou|福州|119.295143|26.100779|East|South|0|0
360000|CN-JX|Jiangxi|江西|江西省|Nanchang|南昌|115.81635|28.63666|Central|South|0|0
370000|CN-SD|Shandong|山东|山东省|Jinan|济南|117.019915|36.671156|East|North|0|0
410000|CN-HA|Henan|河南|河南省|Zhengzhou|郑州|113.753394|34.765869|Central|North|0|0
420000|CN-HB|Hubei|湖北|湖北省|Wuhan|武汉|114.341745|30.546557|Central|South|0|0
430000|CN-HN|Hunan|湖南|湖南省|Changsha|长沙|112.9836|28.112743|Central|South|0|0
440000|CN-GD|Guangdong|广东|广东省|Guangzhou|广州|113.26641|23.132324|East|South|1|1
450000|CN-GX|Guangxi|广西|广西壮族自治区|Nanning|南宁|108.327546|22.815478|West|South|0|0
460000|CN-HI|Hainan|海南|海南省|Haikou|海口|110.349228|20.017377|East|South|0|0
500000|CN-CQ|Chongqing|重庆|重庆市|Chongqing|重庆|106.551643|29.562849|West|South|1|1
510000|CN-SC|Sichuan|四川|四川省|Chengdu|成都|104.075809|30.651239|West|South|1|1
520000|CN-GZ|Guizhou|贵州|贵州省|Guiyang|贵阳|106.70546|26.600055|West|South|1|1
530000|CN-YN|Yunnan|云南|云南省|Kunming|昆明|102.710002|25.045806|West|South|0|0
540000|CN-XZ|Tibet|西藏|西藏自治区|Lhasa|拉萨|91.117525|29.647535|West|South|0|0
610000|CN-SN|Shaanxi|陕西|陕西省|Xi'an|西安|108.954347|34.265502|West|North|0|0
620000|CN-GS|Gansu|甘肃|甘肃省|Lanzhou|兰州|103.826447|36.05956|West|North|1|1
630000|CN-QH|Qinghai|青海|青海省|Xining|西宁|101.780268|36.620939|West|North|0|0
640000|CN-NX|Ningxia|宁夏|宁夏回族自治区|Yinchuan|银川|106.259126|38.472641|West|North|1|1
650000|CN-XJ|Xinjiang|新疆|新疆维吾尔自治区|Urumqi|乌鲁木齐|87.627704|43.793026|West|North|0|0"""


def _read_row(adcode: str, *rest: str) -> Province:
    """Parse one line of the register."""
    iso, en, zh, full, capital_en, capital_zh, lon, lat, block, side, hub, cluster = rest
    place = (capital_en, capital_zh, float(lon), float(lat), block, side)
    return Province(int(adcode), iso, en, zh, full, *place, hub == "1", cluster == "1")


def _read_table() -> tuple[Province, ...]:
    """Parse the register."""
    return tuple(_read_row(*line.split("|")) for line in _TABLE.splitlines())


PROVINCES: tuple[Province, ...] = _read_table()
"""The 31 provinces in canonical order."""
