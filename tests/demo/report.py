# SPDX-License-Identifier: Apache-2.0
"""What the demonstration prints: a line for each group; below it the attempts, on demand, and
always if one of them fails. 80 columns; colour only on a terminal, and not if NO_COLOR is set; in
Japanese or English."""
import glob
import os
import re
import sys
import unicodedata

COLUMNS = 78
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORDS = {"passed": "通過", "reset": "リセット", "silent": "無応答", "refused": "拒否", "stopped": "遮断", "error": "エラー",
         "arrived": "到達", "repaired": "復旧", "unchanged": "変化なし", "shut": "遮断", "unrecorded": "記録なし"}
# Names that no policy contains.
NAMES = {"management": "管理用", "the box": "装置", "admin": "管理者", "cranes": "全クレーン", "a tool": "別プログラム", "all zones": "全ゾーン"}


def reasons():
    """Word -> (English, Japanese), from the product's own table."""
    found = {}
    for path in [os.path.join(TOP, "appliance", "wire", "reason.def"), *glob.glob(os.path.join(TOP, "dpi", "*", "protocol.def"))]:
        with open(path, encoding="utf-8") as f:
            found.update({m[1]: (m[2], m[3]) for m in re.finditer(r'^REASON\(\w+, "([^"]+)", \w+, "([^"]*)",\s*"([^"]*)"\)', f.read(), re.M)})
    return found


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def pad(text, cells):
    return text + " " * (cells - width(text))


def cut(text, cells):
    """For what the next line replaces anyway."""
    while width(text) > cells:
        text = text[:-1]
    return text


def wrapped(text, cells, hang=0):
    """Lines of at most so many cells: English breaks at spaces, Japanese also behind any full-width
    letter. Further lines are indented."""
    lines, line = [], ""
    for piece in re.findall(r" *(?:[ -~]+?(?= |[^ -~]|$)|[^ -~])", text):
        if width(line + piece) > cells and line.strip() and piece[-1] not in "、。）」":
            lines.append(line)
            line, piece = " " * hang, piece.lstrip()
        line += piece
    return lines + [line]


# The crane reads every 100 ms, and stops after 500 ms.
LATE_MS = 150    # that the crane without a box waits only where others use the cores
LOAD = 4         # processes for each core


def crane_verdict(crane, control, load, cores):
    """What the stops of the crane behind the box say: "fine", "stopped" by the box, or "busy": the
    crane without a box had to wait in the same run, or so many processes wanted a core that a late
    answer says nothing about the box."""
    if not crane["trips"]:
        return "fine"
    return "busy" if control["trips"] or control["longest_gap_ms"] > LATE_MS or load > LOAD * cores else "stopped"


class Report:
    def __init__(self, language, details):
        self.l = 1 if language == "ja" else 0
        self.details = details
        self.live = sys.stdout.isatty()
        self.colour = self.live and not os.environ.get("NO_COLOR")
        self.reasons = reasons()
        self.total = self.good = self.leaked = 0
        self.group = None

    def paint(self, code, text):
        return "\033[%sm%s\033[0m" % (code, text) if self.colour else text

    def word(self, text):
        return WORDS.get(text, text) if self.l else text

    def reason(self, word):
        return self.reasons.get(word, (word, word))[self.l]

    def line(self, text=""):
        self.wipe()
        print(text, flush=True)

    def lines(self, texts):
        for text in texts:
            self.line(text)

    def wipe(self):
        if self.live:
            sys.stdout.write("\r\033[K")

    def progress(self, text):
        """What is going on right now; the next line replaces it."""
        if self.live:
            self.wipe()
            sys.stdout.write(self.paint("2", "     … " + cut(text, COLUMNS - 8)))
            sys.stdout.flush()

    # ---- groups ----
    def begin(self, title):
        self.end()
        self.group = {"title": title[self.l], "rows": [], "good": 0}

    def end(self, note=""):
        g, self.group = self.group, None
        if g is None:
            return
        fine = g["good"] == len(g["rows"])
        count = "%d/%d" % (g["good"], len(g["rows"]))
        mark = self.paint("32", "ok") if fine else self.paint("31;1", "NG")
        title = g["title"] + (": " + note if note else "")
        room = COLUMNS - 10 - width(count)
        *above, title = wrapped(title, room - 2)
        for n, text in enumerate([*above, title]):
            last = self.paint("2", "." * (room - width(text))) + " " + count if n == len(above) else ""
            self.line((" %s  %s %s" % (mark if n == 0 else "  ", text, last)).rstrip())
        for fine, lines in g["rows"]:
            if self.details or not fine:
                for text in lines:
                    self.line(text if fine else self.paint("31", text))

    def row(self, who, whom, what, expected, got, reason="", line="", leaked=0):
        self.total += 1
        fine = got == expected and leaked == 0
        self.good += fine
        self.leaked += leaked
        if self.l:
            who, whom = NAMES.get(who, who), NAMES.get(whom, whom)
        heard = self.word(got) if fine else "%s != %s" % (self.word(got), self.word(expected))
        if leaked:
            heard = "%s: %d" % (self.word("arrived"), leaked)
        lines = wrapped("      %s%s > %s  %s" % (pad(heard + "  ", 11), pad(who, 9), pad(whom, 10), what[self.l]), COLUMNS, 19)
        if reason or line:
            lines += wrapped(" " * 19 + self.reason(reason) + ("  [%s]" % line if line else ""), COLUMNS, 19)
        self.group["rows"].append((fine, lines))
        self.group["good"] += fine
        self.progress("%s > %s: %s" % (who, whom, what[self.l]))
        return fine
