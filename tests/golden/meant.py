#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""For what people write in other notations, the hint has exactly the value that they meant:
tests/golden/meant.py SEKISHO.

Each row is a place in the policy, what somebody types or pastes there, and the value that the hint
must say to write instead. The hint must have it in both languages. Then that value is put in the
place and must be accepted, so no hint is itself a mistake. For what cannot be guessed, no hint
suggests anything that means something else. Ends with "N passed, N failed".
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

POLICY = """language_version = 1;
zones = {
  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; label = "事務所"; };
  crane = { interfaces = ["lan1"]; networks = [%(networks)s]; label = "クレーン"; };
};
assets = { rtg01 = { zone = %(zone)s; addresses = [%(addresses)s]; label = "RTG 1号機"; }; };
services = {
  plc = { protocol = "modbus"; ports = [%(ports)s]; label = "PLC 読み取り"; allow = ( { functions = [%(functions)s]; units = [%(units)s]; } ); };
  names = { protocol = "udp"; ports = [%(udp)s]; };
  either = { protocol = "dns"; ports = [%(either)s]; };
  echo = { protocol = "icmp"; ports = [%(icmp)s]; };
  spoken = { protocol = %(protocol)s; };
  words = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = [%(commands)s]; } ); };
  modbus-data = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read", "write"]; %(modbus)s } ); };
  melsec = { protocol = "slmp"; ports = ["tcp/5007"]; allow = ( { commands = ["read"]; %(slmp)s } ); };
  siemens = { protocol = "s7comm"; allow = ( { functions = ["read_var"]; %(s7comm)s } ); };
  omron = { protocol = "fins"; allow = ( { commands = ["read"]; %(fins)s } ); };
  yaskawa = { protocol = "memobus"; allow = ( { commands = ["read"]; %(memobus)s } ); };
  rockwell = { protocol = "enip"; allow = ( { functions = ["get_attribute_single"]; %(enip)s } ); };
};
conduits = (
  { name = "c"; from = %(from)s; to = %(to)s; services = [%(services)s]; sources = [%(sources)s]; destinations = [%(destinations)s];
    purpose = "p"; owner = "o"; review_by = %(review_by)s; until = %(until)s; heard_within = %(heard)s; },
  { name = "d"; from = "office"; to = "crane"; services = ["names", "words", "modbus-data", "melsec", "siemens", "omron", "yaskawa", "rockwell", "either", "spoken", "echo"];
    purpose = "p"; owner = "o"; review_by = "2198-01-01"; }
);
never = ( { scope = "direct"; %(never)s }, { from = "crane"; to = "office"; } );
"""
GOOD = {
    "networks": '"10.30.0.0/16"', "zone": '"crane"', "addresses": '"10.30.1.10"', "ports": '"tcp/502"', "udp": '"udp/53"', "either": '"udp/53"', "icmp": '"icmp/8"', "protocol": '"modbus"', "never": 'from = "crane"; to = "office";', "functions": '"read_coils"',
    "units": '"1"', "commands": '"read"', "modbus": "", "slmp": "", "s7comm": "", "fins": "", "memobus": "", "enip": "", "from": '"office"', "to": '"crane"', "services": '"plc"',
    "sources": '"10.10.1.1"', "destinations": '"rtg01"', "review_by": '"2198-01-01"', "until": '"2198-01-01T00:00:00+09:00"', "heard": '"10 min"',
}
LEAVE = "leave this setting out"
NBSP, WIDE = "\u00a0", "\u3000"

# (place, what is written there, what the hint says to write instead). The place of a protocol holds
# whole settings: the key and its list.
ROWS = [
    # Dates; a hint with only an example would not help
    ("review_by", '"令和8年12月1日"', '"2026-12-01"'),
    ("review_by", '"令和９年４月１日"', '"2027-04-01"'),
    ("review_by", '"令和10年3月31日（金）"', '"2028-03-31"'),
    ("review_by", '"R8.12.1"', '"2026-12-01"'),
    ("review_by", '"R9/3/31"', '"2027-03-31"'),
    ("review_by", '"2026/12/1"', '"2026-12-01"'),
    ("review_by", '"2026/12/01"', '"2026-12-01"'),
    ("review_by", '"２０２６／１２／１"', '"2026-12-01"'),
    ("review_by", '"2026.12.1"', '"2026-12-01"'),
    ("review_by", '"2026-12-1"', '"2026-12-01"'),
    ("review_by", '"2026年12月1日"', '"2026-12-01"'),
    ("review_by", '"2026年 12月 1日"', '"2026-12-01"'),
    ("review_by", '"2026/12/1(火)"', '"2026-12-01"'),
    ("review_by", '"20261201"', '"2026-12-01"'),
    ("review_by", "46477", '"2027-03-31"'),
    ("review_by", '"2026-12-01T18:00:00+09:00"', '"2026-12-01"'),
    ("review_by", '"%s2027-03-31"' % NBSP, '"2027-03-31"'),
    ("review_by", '"令和 8年 12月 1日"', '"2026-12-01"'),
    ("review_by", '"R.8.12.1"', '"2026-12-01"'),
    ("review_by", '"R08/12/01"', '"2026-12-01"'),
    ("review_by", '"2026/12/1 0:00"', '"2026-12-01"'),
    ("review_by", '"2026-12-01 00:00:00"', '"2026-12-01"'),
    ("review_by", '"2026年12月1日まで"', '"2026-12-01"'),
    ("review_by", '"\'2026-12-01"', '"2026-12-01"'),
    ("review_by", '"‘2026-12-01’"', '"2026-12-01"'),
    ("until", '"2027/3/31 18:00"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"2027-03-31T18:00 JST"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"2027-03-31 18:00:00 JST"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"2027-03-31T18:00:00+0900"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"2027-03-31T09:00:00 UTC"', '"2027-03-31T09:00:00Z"'),
    ("until", '"2027-03-31T18:00:00"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"令和9年3月31日 18時30分"', '"2027-03-31T18:30:00+09:00"'),
    ("until", '"2027/3/31"', '"2027-03-31"'),
    ("until", '"2027年3月31日（水）18時まで"', '"2027-03-31T18:00:00+09:00"'),
    ("until", '"2027年3月31日 24時"', '"2027-03-31T24:00:00+09:00"'),
    ("until", '"２０２７／３／３１　１８：００"', '"2027-03-31T18:00:00+09:00"'),
    ("heard", '"10分"', '"10 min"'),
    ("heard", '"２時間"', '"2 h"'),
    ("heard", '"10 minutes"', '"10 min"'),
    ("heard", '"1日"', '"1 d"'),
    # Addresses
    ("addresses", '"10.30.1.10-20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10~20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10～20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10～10.30.1.20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10 - 10.30.1.20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10から10.30.1.20まで"', '"10.30.1.10-10.30.1.20"'),
    ("networks", '"10.30.0.0 255.255.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0 / 255.255.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0　255.255.252.0"', '"10.30.0.0/22"'),
    ("networks", '"10.30.0.0 mask 255.255.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0 0.0.255.255"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0 /16"', '"10.30.0.0/16"'),
    ("networks", '"10.30.1.1 255.255.252.0"', '"10.30.0.0/22"'),
    ("networks", '"10.30.*.*"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.20.0.0", "10.30.0.0"', '"10.30.0.0/16"'),
    ("networks", '“10.30.0.0/16”', '"..."'),
    ("zone", "「crane」", '"..."'),
    ("review_by", "«2198-01-01»", '"..."'),
    ("networks", '"any"', '"rest"'),
    ("networks", '"すべて"', '"rest"'),
    ("addresses", '"10.30.1.*"', '"10.30.1.0/24"'),
    ("addresses", '"010.030.001.077"', '"10.30.1.77"'),
    ("addresses", '"10.30.001.077"', '"10.30.1.77"'),
    ("addresses", '"１０．３０．１．７７"', '"10.30.1.77"'),
    ("addresses", '"10.30.1.77%s"' % NBSP, '"10.30.1.77"'),
    ("addresses", '"%s10.30.1.77"' % WIDE, '"10.30.1.77"'),
    ("addresses", '"10.30.1.77 255.255.255.0"', '"10.30.1.77"'),
    ("addresses", '"10.30.1.10–20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10.30.1.10〜10.30.1.20"', '"10.30.1.10-10.30.1.20"'),
    ("addresses", '"10。30。1。77"', '"10.30.1.77"'),
    ("addresses", '"\'10.30.1.77"', '"10.30.1.77"'),
    ("addresses", '"\u200b10.30.1.77"', '"10.30.1.77"'),
    ("addresses", '"10.30.1.77\u2003"', '"10.30.1.77"'),
    ("addresses", "10.30.1.77", '"10.30.1.77"'),
    ("networks", '"10.30.0.0（255.255.0.0）"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0 サブネットマスク：255.255.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0 netmask 255.255.0.0"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0／１６"', '"10.30.0.0/16"'),
    ("networks", '"010.030.000.000/16"', '"10.30.0.0/16"'),
    ("networks", '"10.30.0.0/016"', '"10.30.0.0/16"'),
    ("networks", '"10.30.*"', '"10.30.0.0/16"'),
    ("networks", '"全て"', '"rest"'),
    ("networks", '"ALL"', '"rest"'),
    ("networks", '"0.0.0.0"', '"rest"'),
    ("networks", '"0.0.0.0/0"', '"rest"'),
    ("networks", '„10.30.0.0/16“', '"..."'),
    ("networks", '『10.30.0.0/16』', '"..."'),
    ("networks", '〝10.30.0.0/16〟', '"..."'),
    ("networks", "‘10.30.0.0/16’", '"..."'),
    ("networks", "＂10.30.0.0/16＂", '"..."'),
    ("sources", '"10.10.1.1～5"', '"10.10.1.1-10.10.1.5"'),
    ("sources", '"１０．１０．１．１"', '"10.10.1.1"'),
    # Ports
    ("ports", '"502/tcp"', '"tcp/502"'),
    ("ports", '"502/TCP"', '"tcp/502"'),
    ("ports", '"TCP/502"', '"tcp/502"'),
    ("ports", '"TCP502"', '"tcp/502"'),
    ("ports", '"TCP 502"', '"tcp/502"'),
    ("ports", '"tcp:502"', '"tcp/502"'),
    ("ports", '"ＴＣＰ／５０２"', '"tcp/502"'),
    ("ports", '"502"', '"tcp/502"'),
    ("ports", "502", '"tcp/502"'),
    ("ports", '"502番"', '"tcp/502"'),
    ("ports", '"tcp/0502"', '"tcp/502"'),
    ("ports", '"502-510/tcp"', '"tcp/502-510"'),
    ("ports", '"tcp/502～510"', '"tcp/502-510"'),
    ("ports", '"502 tcp"', '"tcp/502"'),
    ("ports", '"502(TCP)"', '"tcp/502"'),
    ("ports", '"TCP(502)"', '"tcp/502"'),
    ("ports", '"tcp-502"', '"tcp/502"'),
    ("ports", '"tcp/ 502"', '"tcp/502"'),
    ("ports", '"TCP 502～510"', '"tcp/502-510"'),
    ("ports", '"TCPポート番号 502"', '"tcp/502"'),
    ("ports", '"502番ポート（TCP）"', '"tcp/502"'),
    ("ports", '"port: 502"', '"tcp/502"'),
    ("ports", '"Modbus/TCP (502)"', '"tcp/502"'),
    ("ports", '"modbus"', '"tcp/502"'),
    ("ports", '"tcp/502%s"' % NBSP, '"tcp/502"'),
    ("ports", '"tcp%s/%s502"' % (WIDE, WIDE), '"tcp/502"'),
    ("ports", '"any"', LEAVE),
    ("udp", '"tcp/udp 53"', '"udp/53"'),
    ("udp", '"dns"', '"udp/53"'),
    ("either", '"UDP123"', '"udp/123"'),
    ("udp", '"53"', '"udp/53"'),
    # Numbers, functions, commands
    ("units", '"１～３"', '"1-3"'),
    ("units", '"1~3"', '"1-3"'),
    ("units", '"1から3"', '"1-3"'),
    ("units", '"1%s"' % NBSP, '"1"'),
    ("units", '"01～03"', '"01-03"'),
    ("units", '"1 - 3"', '"1-3"'),
    ("units", '"any"', LEAVE),
    ("units", '"すべて"', LEAVE),
    ("functions", '"*"', LEAVE),
    ("commands", '"any"', LEAVE),
    # Numbers of documents
    ("modbus", 'holding = ["40001"];', 'holding = ["0"];'),
    ("modbus", 'holding = ["40001-40010"];', 'holding = ["0-9"];'),
    ("modbus", 'discrete = ["10001"];', 'discrete = ["0"];'),
    ("modbus", 'coils = ["0x0001"];', 'coils = ["0"];'),
    ("modbus", 'coils = ["0x0001-0x0010"];', 'coils = ["0-9"];'),
    ("modbus", 'coils = ["0x0001-0010"];', 'coils = ["0-9"];'),
    ("modbus", 'coils = [0x0001, 0x0010];', 'coils = ["0", "9"];'),
    ("modbus", 'coils = ["00001", "00010"];', 'coils = ["0", "9"];'),
    ("modbus", 'coils = ["any"];', LEAVE),
    # Names: the real name, and what is written in its place
    ("from", '"事務所"', '"office"'),
    ("from", '"ｏｆｆｉｃｅ"', '"office"'),
    ("zone", '"クレーン"', '"crane"'),
    ("services", '"PLC 読み取り"', '"plc"'),
    ("destinations", '"RTG 1号機"', '"rtg01"'),
    ("protocol", '"Modbus TCP"', '"modbus"'),
    ("protocol", '"MODBUS"', '"modbus"'),
    ("protocol", '"ＴＣＰ"', '"tcp"'),
    ("protocol", '"EtherNet/IP"', '"enip"'),
    ("protocol", '"ETHERNET_IP"', '"enip"'),
    ("protocol", '"MC Protocol"', '"slmp"'),
    ("protocol", '"HTTPS"', '"tls"'),
    ("protocol", '"modbus%s"' % NBSP, '"modbus"'),
    ("from", '"Office"', '"office"'),
    ("from", '"office%s"' % NBSP, '"office"'),
    ("from", '"事務所　"', '"office"'),
    ("services", '"ＰＬＣ　読み取り"', '"plc"'),
    ("services", '"PLC"', '"plc"'),
    ("destinations", '"RTG01"', '"rtg01"'),
    ("from", '"off?ce"', "office"),
    ("addresses", '"10.30.1.10から20まで"', '"10.30.1.10-10.30.1.20"'),

    ("destinations", '"any"', LEAVE),
    ("never", 'from = "事務所"; to = "crane";', '"office"'),
    ("never", 'from = "office"; to_assets = ["RTG 1号機"];', '"rtg01"'),
]

# (place, what is written there, what no hint may suggest, because it means something else)
NEVER = [
    ("from", '"any"', '"self"'),
    ("protocol", '"igmp"', '"icmp"'),
    ("protocol", '"sctp"', '"smtp"'),
    ("protocol", '"smtps"', '"smtp"'),
    ("protocol", '"opcda"', '"opcua"'),
    ("icmp", '"icmp/3/4"', '"icmp/3"'),
    ("addresses", '"fe80::1%eth0"', '"fe80::1"'),
    ("networks", '"[2001:db8::1]:502"', '"2001:db8::1"'),
    ("addresses", '"10.30.1.77:502"', '"10.30.1.77"'),
    ("slmp", 'd = ["D100.5"];', '"100"'),
    ("slmp", 'm = ["K4M100"];', '"100"'),
    ("udp", '"161,162/udp"', '"tcp/161"'),
    ("either", '"udp/53,54"', '"tcp/54"'),
    ("until", '"2027/3/31"', "T24:00"),
    ("destinations", '"sts*"', '"rtg01"'),
]


class Case:
    def __init__(self, binary, folder, row):
        self.binary, self.folder, (self.place, self.written, self.wanted) = binary, folder, row

    def check(self, value, lang):
        with tempfile.NamedTemporaryFile("w", suffix=".cfg", dir=self.folder, delete=False) as f:
            f.write(POLICY % {**GOOD, self.place: value})
        done = subprocess.run([self.binary, "check", "--lang", lang, f.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def put_in_place(self):
        """The hint's value in the form in which it is typed."""
        # quotation marks of another script: the same text in the language's own ones
        if self.wanted == '"..."':
            return re.sub("[^ -~]", '"', self.written)
        return self.wanted

    def fault(self):
        own = re.sub(r".* = \[(.*)\];", r"\1", self.wanted) if self.wanted.endswith(";") else self.wanted
        for lang, word in (("en", "  hint: "), ("ja", "  ヒント: ")):
            own = own.strip('"') if self.place == "protocol" else own
            own = "書きません" if self.wanted == LEAVE and lang == "ja" else own
            status, said = self.check(self.written, lang)
            hints = [l for l in said.splitlines() if l.startswith(word)]
            if not any(own in h for h in hints) or (status != 2 and "address_style" not in said):
                return "%s: no hint has %s\n%s" % (lang, own, said)
            if said.count("error: ") > 1:
                return "%s: more than one mistake\n%s" % (lang, said)
        # the hint does not contain a value of that place
        if '"' not in self.wanted or self.place == "never":
            return ""
        status, said = self.check(self.put_in_place(), "en")
        return "" if status in (0, 1) and "error: " not in said else "what the hint says is refused\n" + said


def strays(case):
    """What a hint suggests though it means something else."""
    for lang in ("en", "ja"):
        for line in case.check(case.written, lang)[1].splitlines():
            if re.match("  (hint|ヒント): ", line) and case.wanted in line.replace(case.written, ""):
                return "a hint suggests %s\n%s" % (case.wanted, line)
    return ""


def main():
    binary = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = [Case(binary, folder, row) for row in ROWS]
        never = [Case(binary, folder, row) for row in NEVER]
        faults = list(pool.map(lambda c: c.fault(), cases)) + list(pool.map(strays, never))
    for c, fault in zip(cases + never, faults):
        if fault:
            print("FAIL %s = %s: %s" % (c.place, c.written, fault))
    print("%d passed, %d failed" % (sum(not f for f in faults), sum(bool(f) for f in faults)))
    return any(faults)


if __name__ == "__main__":
    sys.exit(main())
