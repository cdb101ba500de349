# SPDX-License-Identifier: Apache-2.0
"""make demo: a small port terminal behind a real box; every crossing is tried with real clients and counted where it
would arrive. Status 0 when every attempt went as expected.

    demo.py up [--lang ja|en] [--quick]      build the terminal, try everything, leave it up
    demo.py down                             take every trace away
"""
import argparse
import concurrent.futures
import json
import os
import sys
import time
import unicodedata

sys.path.insert(0, os.path.dirname(__file__))
from crossings import crossings  # noqa: E402
from faults import faults, random_forbidden  # noqa: E402
from policies import policies  # noqa: E402
from net import SLOWNESS, wait_for  # noqa: E402
from terminal import ADMIN_BOX, RUN, TOP, Missing, Terminal, check_alone, check_machine, take_down  # noqa: E402

TEXT = {
    "title": ("Sekisho: a small port terminal behind a real boundary", "Sekisho 関所: 小さな港湾ターミナルと本物の境界装置"),
    "wires": ("zones, wires, hosts: %.1f s", "ゾーン・配線・ホスト: %.1f 秒"),
    "box": ("box up, policy in force: %.1f s", "装置起動・ポリシー適用: %.1f 秒"),
    "heads": (("who", "to whom", "what", "expected", "got", "reason", "policy line"),
              ("送信元", "宛先", "内容", "期待", "結果", "理由", "ポリシー行")),
    "passed": ("passed", "通過"), "reset": ("reset", "リセット"), "silent": ("silent", "無応答"), "refused": ("refused", "拒否"),
    "error": ("error", "エラー"), "invalid policy": ("invalid policy", "ポリシーの誤り"),
    "again": ("all of it again: %s killed under live sessions", "もう一度すべて: セッションの通信中に%sを強制終了"),
    "worker": ("a worker", "検査ワーカー"), "gate": ("the gate", "ゲート"), "daemon": ("the whole daemon", "デーモン全体"),
    "figures": ("figures", "結果"),
    "through": ("forbidden packets or PDUs at a far side: %d", "向こう側に届いた禁止パケット・PDU: %d"),
    "seed": ("\nsending %d random forbidden packets while roles are killed, seed %d",
             "\nプロセスを強制終了しながらランダムな禁止パケット %d 個を送信、シード %d"),
    "random": ("random forbidden packets sent while roles were killed: %d, arrived: %d",
               "プロセスを強制終了しながら送ったランダムな禁止パケット: %d、到達: %d"),
    "stops": ("crane stops through the box (hold, pick_up): %d of %d polls; longest gap %d ms",
              "装置経由のクレーン停止（hold・pick_up）: %d（ポーリング %d 回、最長間隔 %d ms）"),
    "control": ("crane stops of the control pair beside the box: %d of %d polls; longest gap %d ms",
                "装置を通らない対照ペアのクレーン停止: %d（ポーリング %d 回、最長間隔 %d ms）"),
    "count": ("%d attempts, %d as expected, %d not; %.0f s in all, first verdict after %.1f s",
              "試行 %d 件、期待どおり %d 件、期待外 %d 件。全体 %.0f 秒、最初の判定まで %.1f 秒"),
    "next": ("Everything is still up. Try:", "すべて起動したままです。次を試してください:"),
    "down": ("take it away", "片付ける"),
    "default": ("no conduit", "該当なし"),
    "observed": ("arrived: %d", "到達: %d"),
}


# Names that stand in no policy.
NAMES = {"management": "管理面", "the box": "装置", "admin": "管理者", "cranes": "全クレーン"}


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def pad(text, cells):
    while width(text) > cells:
        text = text[:-1]
    return text + " " * (cells - width(text))


class Demo:
    def __init__(self, language, untimed=False):
        self.untimed = untimed
        self.l = 1 if language == "ja" else 0
        self.t = Terminal()
        self.started = time.monotonic()
        self.first = None
        self.total = self.good = self.leaked = 0
        self.seq = 0
        self.lines = {}

    def say(self, key, *args):
        print(TEXT[key][self.l] % args if args else TEXT[key][self.l], flush=True)

    COLUMNS = (9, 10, 42, 8, 10, 21, 34)

    def head(self):
        print("     " + " ".join(pad(h, w) for h, w in zip(TEXT["heads"][self.l], self.COLUMNS)).rstrip(), flush=True)

    def row(self, who, whom, what, expected, got, reason="", line="", leaked=0):
        self.total += 1
        if self.first is None:
            self.first = time.monotonic() - self.started
        fine = got == expected and leaked == 0
        self.good += fine
        self.leaked += leaked
        names = [TEXT.get(x, (x, x))[self.l] for x in (expected, got)]
        if leaked:
            names[1] = TEXT["observed"][self.l] % leaked
        who, whom = [NAMES.get(x, x) if self.l else x for x in (who, whom)]
        cells = (who, whom, what[self.l], names[0], names[1], TEXT.get(reason, (reason, reason))[self.l], line)
        print("%s%3d %s" % (" " if fine else "!", self.total, " ".join(pad(c, w) for c, w in zip(cells, self.COLUMNS)).rstrip()),
              flush=True)
        return fine

    # ---- reasons: the product's own words, for the two last columns only ----
    def learn_lines(self):
        for c in json.loads(self.t.sekisho("effective", "--json").stdout)["conduits"]:
            self.lines[c["name"]] = "%s:%d %s" % (c["file"], c["line"], c["name"])

    def mark_events(self):
        events = self.t.events(self.seq)
        if events:
            self.seq = max(e["seq"] for e in events)
        return events

    def why(self, crossing):
        if crossing.expected == "passed":
            return "allowed", self.lines.get(crossing.conduit, "")
        events = []

        def told():
            events.extend(e for e in self.mark_events() if e.get("verdict") == "deny" and e["kind"] in ("pdu", "flow", "drop")
                          and not e.get("server", "").lstrip("[").startswith("ff"))  # hosts announcing themselves
            return events
        try:
            wait_for(told, 2.0, "an event")
        except TimeoutError:
            return "", ""
        best = min(events, key=lambda e: ("pdu", "flow", "drop").index(e["kind"]))
        return best["reason"], self.lines.get(best.get("conduit"), TEXT["default"][self.l])

    def try_one(self, c):
        since = time.monotonic()
        end = since + c.patience
        while True:
            got = c.attempt()
            if got == c.expected or time.monotonic() >= end:
                break
        leaked = 0
        if c.leak and c.receiver:
            leaked = c.leak(self.t.captures[c.receiver].incoming(since))
        return got, leaked

    def try_all(self, reasons=True, patience=0.0):
        """In order, with reasons; or the silent ones side by side, when only the count matters."""
        rows = crossings(self.t)
        later = {}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            if not reasons:
                for i, c in enumerate(rows):
                    if c.expected == "silent" and c.who != "office":
                        later[i] = pool.submit(self.try_one, c)
            for i, c in enumerate(rows):
                c.patience = patience if c.expected == "passed" else 0.0
                if reasons:
                    self.mark_events()
                try:
                    got, leaked = later[i].result() if i in later else self.try_one(c)
                except Exception as e:  # a try that cannot even be made is a failed attempt, not the end of the demo
                    got, leaked = "error: %s" % e, 0
                reason, line = self.why(c) if reasons else ("", "")
                self.row(c.who, c.whom, c.what, c.expected, got, reason, line, leaked)

    def up(self, quick):
        self.say("title")
        check_machine()
        check_alone()
        take_down()
        t = self.t
        t.save()
        t.wires()
        t.hosts()
        self.say("wires", time.monotonic() - self.started)
        t.save()
        t.start_box()
        t.save()
        t.sekisho("apply", t.policy)
        t.poller()
        t.save()
        self.say("box", time.monotonic() - self.started)
        self.learn_lines()
        self.head()
        self.try_all()
        for row in policies(t):
            self.row(*row)
        sent = arrived = 0
        if not quick:
            for victim, act in faults(t):
                print()
                self.say("again", TEXT[victim][self.l])
                act(self.row)
                t.save()
                self.try_all(reasons=False, patience=3.0 * SLOWNESS)
            sent, arrived = random_forbidden(t, self.say)
        return self.figures(sent, arrived)

    def figures(self, sent, arrived):
        t = self.t
        crane, control = t.poller_counts("crane"), t.poller_counts("control")
        print()
        print("== " + TEXT["figures"][self.l])
        self.say("through", self.leaked + arrived)
        if sent:
            self.say("random", sent, arrived)
        self.say("stops", crane["trips"], crane["polls"], crane["longest_gap_ms"])
        self.say("control", control["trips"], control["polls"], control["longest_gap_ms"])
        bad = self.total - self.good
        self.say("count", self.total, self.good, bad, time.monotonic() - self.started, self.first or 0.0)
        t.save()
        print()
        self.say("next")
        exe = os.path.relpath(os.path.join(TOP, "build/release/sekisho"))
        sock = "--socket %s/box/control.sock" % RUN
        sudo = "" if os.environ.get("SUDO_USER") is None else "sudo "
        for line in ("%s%s status %s" % (sudo, exe, sock), "%s%s effective %s" % (sudo, exe, sock),
                     "%s%s events %s" % (sudo, exe, sock), "%s%s verify %s" % (sudo, exe, sock),
                     "%ssh -c 'cd %s/state/secrets; curl -s --cacert certificate.pem -H \"Authorization: Bearer $(cat token)\" "
                     "https://%s/api/v1/status'" % (sudo, RUN, ADMIN_BOX),
                     "%sip netns exec skdemo-office curl -sk https://10.20.0.20/" % sudo):
            print("    " + line)
        print("    make demo-down        # " + TEXT["down"][self.l])
        clean = bad == 0 and self.leaked == 0 and arrived == 0 and (self.untimed or crane["trips"] == 0) and crane["polls"] > 0
        return 0 if clean else 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("action", choices=("up", "down"))
    arguments.add_argument("--lang", choices=("ja", "en"))
    arguments.add_argument("--quick", action="store_true", help="without the faults")
    arguments.add_argument("--untimed", action="store_true", help="do not judge the crane stops (emulated machines)")
    arguments.add_argument("--leave-no-trace", action="store_true", help="take everything down at the end")
    a = arguments.parse_args()
    wish = a.lang or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    language = "ja" if wish.startswith("ja") else "en"
    if a.action == "down":
        if os.geteuid() != 0:
            print("demo-down needs root" if language == "en" else "demo-down には root 権限が必要です", file=sys.stderr)
            return 3
        try:
            check_alone()
        except Missing as e:
            print(e.texts[1 if language == "ja" else 0], file=sys.stderr)
            return 3
        take_down()
        return 0
    demo = Demo(language, a.untimed)
    try:
        status = demo.up(a.quick)
    except Missing as e:
        print(e.texts[1 if language == "ja" else 0], file=sys.stderr)
        return 3
    except Exception as e:
        print("demo: %s: %s" % (type(e).__name__, e), file=sys.stderr)
        demo.t.save()
        return 1
    if a.leave_no_trace:
        take_down()
    return status


if __name__ == "__main__":
    # Hosts and box live on; only our own threads end.
    code = main()
    sys.stdout.flush()
    os._exit(code)
