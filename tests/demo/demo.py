# SPDX-License-Identifier: Apache-2.0
"""make demo: a small port terminal behind a real box; every crossing is tried with real clients and
counted where it would arrive. Status 0 when every attempt went as expected.

    demo.py up [--lang ja|en] [--details] [--quick] [--seed N] [--trunk]    build the terminal, try
                                                                            everything, leave it up
    demo.py down                                                  take every trace away
"""
import argparse
import concurrent.futures
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from crossings import crossings  # noqa: E402
from faults import Again, daemon_dead, flushed, random_forbidden  # noqa: E402
from policies import admin, narrowed, refused  # noqa: E402
import doors  # noqa: E402
import quay  # noqa: E402
from report import COLUMNS, Report, crane_verdict, width, wrapped  # noqa: E402
from net import SLOWNESS, wait_for  # noqa: E402
from terminal import ADMIN_BOX, RUN, TOP, Missing, Terminal, check_alone, check_machine, take_down  # noqa: E402

TEXT = {
    "title": ("Sekisho: a small port terminal behind a real boundary", "Sekisho 関所: 小さな港湾ターミナルと本物の境界装置"),
    "how": ("Each attempt is made by a real client and counted where it would arrive.",
            "すべて本物のクライアントで試し、届く先のインターフェースで数えます。"),
    "wires": ("setting up the wires, starting the servers", "配線とサーバーを準備しています"),
    "box": ("starting the box, applying the policy", "装置を起動し、ポリシーを適用しています"),
    "ready": ("Terminal built and policy in force after %.1f s.", "構築とポリシー適用まで %.1f 秒。"),
    "once": ("12 RTG and 4 STS said once for many: %d lines of policy", "RTG 12 基・STS 4 基をまとめて書いたポリシー: %d 行"),
    "policy": ("Changes of the policy, and the administrator's page", "ポリシーの変更と管理者の画面"),
    "flush": ("Another program deletes every rule", "ほかのプログラムが全ルールを削除"),
    "kept": ("the kernel let it delete none", "カーネルが削除を許さず、ルールは全て残存"),
    "healed": ("back after %.1f ms", "%.1f ミリ秒で復旧"),
    "gap": ("passed between that deletion and the stop of forwarding", "全ルール削除から転送停止までに通過"),
    "door": ("A vendor's door shuts by itself without a daemon", "保守会社の臨時接続がデーモンなしで自動的に閉じる"),
    "apart": ("IT is cut from OT, and the cranes go on", "IT を OT から切り離しても、クレーンは稼働を継続"),
    "worker": ("All of it again while inspectors are killed", "検査部を強制終了し続けながら再試行"),
    "gate": ("All of it again while gates are killed", "ゲートを強制終了し続けながら再試行"),
    "daemon": ("What is forbidden, while no daemon is running", "デーモン停止中の禁止通信"),
    "after": ("All of it again after the daemon is back", "デーモンの復帰後にすべて再試行"),
    "kills": ("%d kills", "強制終了 %d 回"),
    "back": ("taken over in %.1f s", "%.1f 秒で引き継ぎ"),
    "random": ("Random forbidden packets while roles are killed", "プロセスの強制終了中のランダムな禁止パケット"),
    "seed": ("%d packets, seed %d", "%d 個、シード %d"),
    "sent": ("%d packets sent from every zone to every other", "全ゾーン間に %d 個を送信"),
    "figures": ("What was measured", "測定結果"),
    "through": ("forbidden packets or PDUs that arrived", "届いた禁止パケット・PDU"),
    "observed": ("violations that `observe` passed and recorded", "observe が通過させ記録した違反"),
    "crane": ("stops of the crane behind the box", "装置を通るクレーンの停止"),
    "control": ("stops of the same crane without a box", "装置を通らない対照クレーンの停止"),
    "of": ("%d polls, longest gap %d ms; its watchdog: 500 ms", "ポーリング %d 回、最長間隔 %d ミリ秒（監視タイマー 500 ミリ秒）"),
    "void": ("The crane behind the box stopped, but the one without a box waited too long as well, or others used the cores: this machine was too busy for the comparison.",
             "装置を通るクレーンが停止しましたが、装置を通らない対照クレーンも待たされたか、ほかのプログラムがコアを使っていました。マシンの負荷が高く、比較は成立しません。"),
    "alarms": ("`status` and the pages show alarms now: they are about the attacks and kills above.", "`status` と画面に出ている警報は、上で試した攻撃と強制終了によるものです。"),
    "count": ("%d attempts, %d as expected, %d not; %.0f s in all, first verdict after %.1f s",
              "試行 %d 件: 期待どおり %d 件、期待外 %d 件。全体 %.0f 秒、最初の判定まで %.1f 秒"),
    "browser": ("then, in a browser:", "続いてブラウザーで"),
    "next": ("Everything is still up. Try:", "すべて起動したままです。次をお試しください:"),
    "down": ("take it all away", "片付ける"),
    "more": ("every attempt, with its reason", "全試行を理由付きで表示"),
    "default": ("no conduit", "該当なし"),
}


class Demo:
    def __init__(self, a, language):
        self.a = a
        self.r = Report(language, a.details)
        self.l = self.r.l
        self.t = Terminal(a.trunk, "site.ja.cfg" if language == "ja" else "site.cfg")
        self.started = time.monotonic()
        self.first = None
        self.seq = self.observed = 0
        self.lines = {}

    def text(self, key, *args):
        return TEXT[key][self.l] % args if args else TEXT[key][self.l]

    def row(self, *args):
        if self.first is None:
            self.first = time.monotonic() - self.started
        return self.r.row(*args)

    # ---- reasons: the product's own words, for the details only ----
    def learn_lines(self):
        for c in json.loads(self.t.sekisho("effective", "--json").stdout)["conduits"]:
            self.lines[c["name"]] = "%s:%d %s" % (c["file"], c["line"], c["name"])

    def mark_events(self):
        events = self.t.events(self.seq)
        if events:
            self.seq = max(e["seq"] for e in events)
        return events

    def why(self, crossing):
        if crossing.expected == "passed" and not crossing.observed:
            return "allowed", self.lines.get(crossing.conduit, "")
        wanted = "observe" if crossing.observed else "deny"
        events = []

        def told():
            events.extend(e for e in self.mark_events() if e.get("verdict") == wanted and e["kind"] in ("pdu", "flow", "drop")
                          # not the packets to multicast addresses, by which hosts announce
                          # themselves
                          and not e.get("server", "").lstrip("[").startswith("ff"))
            return events
        try:
            wait_for(told, 2.0, "an event")
        except TimeoutError:
            return "", ""
        self.observed += len(events) if crossing.observed else 0
        best = min(events, key=lambda e: ("pdu", "flow", "drop").index(e["kind"]))
        return best["reason"], self.lines.get(best.get("conduit"), TEXT["default"][self.l])

    def try_one(self, c, patience):
        """Returns what happened, and how much arrived that must never arrive."""
        since = time.monotonic()
        end = since + (patience if c.expected == "passed" else 0.0)
        while True:
            got = c.attempt()
            if got == c.expected or time.monotonic() >= end:
                break
        return got, c.leak(self.t.captures[c.receiver].incoming(since)) if c.leak and c.receiver else 0

    def try_in_order(self, rows, ended=True):
        title = None
        for c in rows:
            if c.group != title:
                self.r.begin(c.group)
                title = c.group
            self.r.progress("%s > %s: %s" % (c.who, c.whom, c.what[self.l]))
            self.mark_events()
            try:
                got, leaked = self.try_one(c, 0.0)
            # an attempt that cannot be made is a failed attempt, and does not end the demo
            except Exception as e:
                got, leaked = "error: %s" % e, 0
            reason, line = self.why(c)
            if c.observed and not reason:
                got = "unrecorded"
            self.row(c.who, c.whom, c.what, c.expected, got, reason, line, leaked)
        if ended:
            self.r.end()

    def try_again(self, title, rows, patience=3.0 * SLOWNESS, disturbed=False, together=False):
        """Repeats attempts. Those that end in silence run at the same time. `together`: all of them
        do, because nobody can answer. `disturbed`: roles die meanwhile, so a forbidden session may
        also end in silence instead of a reset; what counts is whether anything arrives."""
        self.r.begin(TEXT[title])
        later = {}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for i, c in enumerate(rows):
                if (c.expected == "silent" or together) and not c.alone:
                    later[i] = pool.submit(self.try_one, c, 0.0)
            for i, c in enumerate(rows):
                try:
                    got, leaked = later[i].result() if i in later else self.try_one(c, patience)
                except Exception as e:
                    got, leaked = "error: %s" % e, 0
                expected = c.expected
                if disturbed and expected != "passed":
                    expected, got = "stopped", "stopped" if got in ("reset", "silent", "refused") else got
                self.row(c.who, c.whom, c.what, expected, got, "", "", leaked)

    def up(self):
        self.r.line(self.r.paint("1", self.text("title")))
        self.r.line(self.r.paint("2", self.text("how")))
        check_machine(self.a.trunk)
        check_alone()
        take_down()
        t = self.t
        t.save()
        self.r.progress(self.text("wires"))
        t.wires()
        t.hosts()
        t.save()
        self.r.progress(self.text("box"))
        t.start_box()
        t.save()
        t.sekisho("apply", t.policy)
        t.save()
        self.r.line(self.r.paint("2", self.text("ready", time.monotonic() - self.started)))
        self.r.line()
        self.said_once()
        t.sekisho("apply", t.policy)
        t.poller()
        t.save()
        doors.opened(t)
        self.learn_lines()
        self.try_in_order(crossings(t))
        self.r.begin(TEXT["policy"])
        for change in (refused, narrowed, admin):
            for row in change(t):
                self.row(*row)
        self.r.begin(TEXT["flush"])
        self.gap, took = flushed(t, self.row)
        self.r.end(self.text("healed", took) if took is not None else self.text("kept"))
        for title, part in (("door", doors.shuts_by_itself), ("apart", doors.it_from_ot)):
            self.r.begin(TEXT[title])
            for row in part(t):
                self.row(*row)
            self.r.end()
        sent = arrived = 0
        if not self.a.quick:
            self.under_fire()
            self.r.begin(TEXT["random"])
            seed = self.a.seed if self.a.seed is not None else int.from_bytes(os.urandom(4), "big")
            self.r.progress(self.text("seed", 10000, seed))
            sent, arrived = random_forbidden(t, seed)
            what = [TEXT["sent"][i] % sent for i in (0, 1)]
            self.row("all zones", "all zones", what, "stopped", "stopped", "", "", arrived)
            self.r.end(self.text("seed", sent, seed))
        return self.figures()

    def said_once(self):
        """Puts the second policy in force on the same box, and then the first one again."""
        t = self.t
        self.r.progress(self.text("wires"))
        quay.wires(t)
        t.save()
        title = tuple(text % quay.texts(t) for text in TEXT["once"])
        t.sekisho("apply", quay.POLICY + "/site.cfg")
        self.learn_lines()
        self.try_in_order(quay.tries(t, title), ended=False)
        for row in quay.moved(t):
            self.row(*row)
        self.r.end()

    def under_fire(self):
        t = self.t
        for title, role in (("worker", "dpi"), ("gate", "gate")):
            with Again(t, role) as killer:
                self.try_again(title, crossings(t), 8.0 * SLOWNESS, True)
            self.row("admin", "the box", ("every role is back", "全プロセスが復帰"), "passed", killer.back)
            self.r.end(self.text("kills", killer.kills))
        with daemon_dead(t) as outage:
            self.try_again("daemon", [c for c in crossings(t) if c.expected != "passed"], disturbed=True, together=True)
            self.row("tos-db", "rtg04", ("the crane polled by a `hold` conduit goes on", "hold のコンジットのクレーン監視は継続"),
                     "passed", outage.crane())
            self.r.end()
        self.try_again("after", crossings(t))
        self.r.end(self.text("back", outage.took))
        t.save()

    def figures(self):
        t, r = self.t, self.r
        crane, control = t.poller_counts("crane"), t.poller_counts("control")
        meters = {"crane": crane, "control": control}
        bad = r.total - r.good
        r.line()
        r.line(r.paint("1", self.text("figures")))
        for key, value, fine in (
                ("through", "%d" % r.leaked, r.leaked == 0),
                ("gap", "%d" % self.gap, True),
                ("observed", "%d" % self.observed, self.observed > 0),
                ("crane", "%d" % crane["trips"], crane["trips"] == 0),
                ("control", "%d" % control["trips"], control["trips"] == 0)):
            label = self.text(key)
            r.line("  %s%s %s" % (label, " " * (48 - width(label)),
                                  r.paint("32" if fine else "31;1", value)))
            if key in meters:
                r.line("    " + self.text("of", meters[key]["polls"], meters[key]["longest_gap_ms"]))
        verdict = crane_verdict(crane, control, os.getloadavg()[0], os.cpu_count() or 1)
        if verdict == "busy":
            r.lines(r.paint("33", line) for line in wrapped(self.text("void"), COLUMNS))
        r.line(self.text("count", r.total, r.good, bad, time.monotonic() - self.started, self.first or 0.0))
        t.save()
        r.line()
        r.line(self.text("alarms"))
        r.line(self.text("next"))
        exe = os.path.relpath(os.path.join(TOP, "build/release/sekisho"))
        sudo = "" if os.environ.get("SUDO_USER") is None else "sudo "
        r.line("  export SEKISHO_SOCKET=%s/box/control.sock" % RUN)
        for verb in ("status", "effective", "events", "verify"):
            r.line("  %s%s %s" % (sudo, exe, verb))
        r.line("  %sip netns exec skdemo-office curl -sk https://10.20.0.20/" % sudo)
        r.line("  %ssh -c 'cd %s/state/secrets; curl -s --cacert certificate.pem \\" % (sudo, RUN))
        r.line("     -H \"Authorization: Bearer $(cat token)\" https://%s/api/v1/status'" % ADMIN_BOX)
        r.line("  %s%s user first --generate   # %s https://%s/" % (sudo, exe, self.text("browser"), ADMIN_BOX))
        if not r.details:
            r.line("  make demo DEMO_ARGS=--details   # " + self.text("more"))
        r.line("  make demo-down   # " + self.text("down"))
        clean = bad == 0 and r.leaked == 0 and crane["polls"] > 0 and self.observed > 0
        return 0 if clean and verdict != "stopped" else 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("action", choices=("up", "down"))
    arguments.add_argument("--lang", choices=("ja", "en"))
    arguments.add_argument("--details", action="store_true", help="every attempt with its reason and policy line")
    arguments.add_argument("--quick", action="store_true", help="without the faults")
    arguments.add_argument("--seed", type=int, help="of the random packets")
    arguments.add_argument("--trunk", action="store_true", help="every zone and the administration on a VLAN of one card")
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
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    demo = Demo(a, language)
    try:
        status = demo.up()
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
    # The hosts and the box go on; only the threads of this program end.
    code = main()
    sys.stdout.flush()
    os._exit(code)
