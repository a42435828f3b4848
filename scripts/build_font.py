"""Cut the packaged Chinese font out of a full one.

Usage: python scripts/build_font.py PATH_TO_NotoSansCJKsc-Regular.otf

The result holds the 3,755 characters of GB 2312 level 1, every character the packaged data and claims use,
Latin letters and common signs. The source is Noto Sans CJK SC 1.004 (Adobe and Google), SIL Open Font License
1.1 without reserved font name; the cut carries a name of its own, because Noto is a trademark.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "nqpf_spatial" / "fonts" / "nqpf-sans-sc.otf"
FAMILY = "NQPF Sans SC"
SIGNS = "·–—…“”‘’、。《》〈〉「」『』【】〔〕，．；：？！（）％＋－＝～±×÷≤≥≠≈→←↑↓αβγδεηθλμρσχ°²³①②③④⑤〇−√∑"


def characters() -> str:
    """Everything the cut holds."""
    level_one = [
        bytes([a, b]).decode("gb2312") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF if a < 0xD7 else 0xFA)
    ]
    patterns = ("src/**/files/*.csv", "src/**/files/*.yaml", "src/**/*.py", "notebooks/*.ipynb", "*.md")
    files = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    used = "".join(path.read_text(encoding="utf-8") for path in files)
    beyond = {c for c in used if ord(c) > 0x7F}
    return "".join(sorted({*level_one, *map(chr, range(32, 127)), *SIGNS, *beyond}))


def main() -> None:
    """Cut, rename and write."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.name_IDs = ["*"]
    font = TTFont(sys.argv[1])
    cut = subset.Subsetter(options)
    cut.populate(text=characters())
    cut.subset(font)
    replaced = {
        1: FAMILY,
        3: f"{FAMILY} cut of Noto Sans CJK SC 1.004",
        4: FAMILY,
        6: FAMILY.replace(" ", ""),
    }
    for record in list(font["name"].names):
        if record.nameID in replaced:
            record.string = replaced[record.nameID]
        elif record.nameID in (16, 17, 18):
            font["name"].names.remove(record)
    top = font["CFF "].cff
    top.fontNames[0] = FAMILY.replace(" ", "")
    top.topDictIndex[0].FamilyName = top.topDictIndex[0].FullName = FAMILY
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    font.save(TARGET)
    print(f"{len(font.getBestCmap())} characters, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
