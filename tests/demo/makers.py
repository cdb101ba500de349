# SPDX-License-Identifier: Apache-2.0
"""Quay cranes and a gate of other makers, each with its own protocol: SLMP, EtherNet/IP, S7comm,
MEMOBUS, FINS; and the server of crane management with OPC UA. The TOS may only read them. The
controllers are the tests' own (controllers.py)."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import enip  # noqa: E402
import fins  # noqa: E402
import memobus  # noqa: E402
import modbus  # noqa: E402
import opcua  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402
from tries import PATIENT, datagram, outcome, payload_with, stream_with  # noqa: E402

DB, DB6 = "10.20.0.10", "2001:db8:20::10"
STS01, STS02, STS03, STS03_6 = "10.30.1.20", "10.30.1.21", "10.30.1.22", "2001:db8:30::22"
STS04, STS04_6, CMS01 = "10.30.1.23", "2001:db8:30::23", "10.30.1.24"
LANE01, LANE01_6 = "10.40.0.20", "2001:db8:40::20"
BINARY, ASCII = slmp.FORMS[0], slmp.FORMS[3]


def hear(s, cut):
    """The bytes of one complete answer; empty at the end of the session."""
    data = b""
    while not cut(data):
        more = s.recv(4096)
        if not more:
            return b""
        data += more
    return data


def asking(ns, source, destination, port, talk):
    """`talk` uses a socket and returns whether it was served."""
    def action():
        s = modbus.connect(ns, destination, port, source, timeout=PATIENT)
        s.settimeout(PATIENT)
        try:
            return talk(s)
        finally:
            s.close()
    return lambda: outcome(action)


def melsec(ns, *pieces):
    def talk(s):
        for piece in pieces:
            s.sendall(piece)
        answer = hear(s, slmp.cut)
        return answer and slmp.parse(answer)["end"] == 0
    return asking(ns, DB, STS01, 5007, talk)


def logix(ns, cip):
    def whole(b):
        return len(b) >= 24 and len(b) >= 24 + struct.unpack_from("<H", b, 2)[0]

    def talk(s):
        s.sendall(enip.register())
        session = hear(s, whole)
        if not session:
            return False
        s.sendall(enip.request(struct.unpack_from("<I", session, 4)[0], cip))
        answer = hear(s, whole)
        return answer and enip.status_of(answer) == 0
    return asking(ns, DB, STS02, 44818, talk)


def simatic(ns, source, address, request):
    """`request`: one or several messages, each of which must be answered."""
    def talk(s):
        return s7.open_session(s) and s.sendall(request) is None and all(s7.done_well(s7.receive(s)[7:]) for _ in s7.messages(request))
    return asking(ns, source, address, 102, talk)


def sysmac(ns, source, address, *frames):
    """Sends the frames after the exchange of node addresses. The last frame must be answered."""
    def talk(s):
        s.sendall(fins.node())
        if not hear(s, lambda b: fins.split(b)[0]):
            return False
        for frame in frames:
            s.sendall(fins.tcp(frame))
        answers = fins.split(hear(s, lambda b: fins.split(b)[0][len(frames) - 1:]))[0]
        return len(answers) == len(frames) and all(body[12:14] == b"\0\0" for _, body in answers)
    return asking(ns, source, address, 9600, talk)


def yaskawa(ns, source, address, *pieces):
    def talk(s):
        for piece in pieces:
            s.sendall(piece)
        answer = hear(s, lambda b: memobus.split(b)[0])
        return answer and not memobus.parse(answer)["code"] & 0x80
    return asking(ns, source, address, 9999, talk)


def management(ns, *requests):
    """Sends the requests over a channel without security. The last one must be answered."""
    def talk(s):
        ends = opcua.Ends()
        for said in (opcua.hello(), ends.open(), *(ends.ask(r) if isinstance(r, bytes) else ends.ask(*r) for r in requests)):
            s.sendall(said)
            answer = hear(s, lambda b: opcua.split(b)[0])
        return answer[:3] == b"MSG"
    return asking(ns, DB, CMS01, 4840, talk)


def row(whom, what, attempt, marker=None, over_udp=False):
    """`marker`: bytes that must not arrive at the crane. Without it, the attempt is expected to
    pass."""
    if marker is None:
        return "tos-db", whom, what, "passed", attempt, None, None, "tos-reads-" + whom
    leak = (payload_with if over_udp else stream_with)(DB, marker)
    return "tos-db", whom, what, "silent" if over_udp else "reset", attempt, leak, "gate" if whom == "lane01" else "crane", "tos-reads-" + whom


def of_melsec(ns):
    write, stop, far = BINARY.write("d", 50, [7]), BINARY.request(0x1002, 0, BINARY.num(2, 1)), BINARY.read("d", 95, 6)
    return [
        row("sts01", ("read D0 to D9, TCP", "D0～D9 を読む（TCP）"), melsec(ns, BINARY.read("d", 0, 10))),
        row("sts01", ("read D0 to D9, UDP, ASCII", "D0～D9 を読む（UDP、ASCII）"), datagram(ns, STS01, 5008, ASCII.read("d", 0, 10), DB)),
        row("sts01", ("write D50, TCP", "D50 に書く（TCP）"), melsec(ns, write), write),
        row("sts01", ("write D50, UDP", "D50 に書く（UDP）"), datagram(ns, STS01, 5008, write, DB), write, True),
        row("sts01", ("read D100 (0-99 allowed)", "D100 を読む（許可は 0～99）"), melsec(ns, far), far),
        row("sts01", ("remote STOP, cut in two", "リモート STOP を 2 分割で送る"), melsec(ns, stop[:9], stop[9:]), stop),
    ]


def of_logix(ns):
    write, stop = enip.write("Spreader", 1), enip.service(0x07, b"\x20\x8e\x24\x01")
    among = enip.service(0x0A, enip.ROUTER, enip.several([enip.read("Trolley"), write]))
    return [
        row("sts02", ("read a tag", "タグを読む"), logix(ns, enip.read("Trolley"))),
        row("sts02", ("read a tag of slot 0", "スロット 0 のタグを読む"), logix(ns, enip.sent_on(enip.read("Trolley")))),
        row("sts02", ("write a tag", "タグに書く"), logix(ns, write), write),
        row("sts02", ("a write among reads in one request", "1 つの要求で読み取りに書き込みを混ぜる"), logix(ns, among), write),
        row("sts02", ("stop the controller", "コントローラーを停止する"), logix(ns, stop), stop),
    ]


def of_simatic(ns):
    reading = s7.read([s7.place(s7.DB, 10, 0, 20)])
    write, stop, download, plus = s7.write_word(10, 40, 7), s7.stop(), s7.download(), s7.plus()
    return [
        row("sts03", ("read DB10", "DB10 を読む"), simatic(ns, DB, STS03, reading)),
        row("sts03", ("read DB10, IPv6", "DB10 を読む（IPv6）"), simatic(ns, DB6, STS03_6, reading)),
        row("sts03", ("write DB10", "DB10 に書く"), simatic(ns, DB, STS03, write), write),
        row("sts03", ("PLC STOP behind a read", "読み取りに続けて PLC STOP"), simatic(ns, DB, STS03, reading + stop), stop),
        row("sts03", ("download a block", "ブロックをダウンロードする"), simatic(ns, DB, STS03, download), download),
        row("sts03", ("S7comm-plus on port 102", "102 番ポートで S7comm-plus"), simatic(ns, DB, STS03, plus), plus),
    ]


def of_yaskawa(ns):
    reading, write, far = memobus.read_holding(0, 10), memobus.write_holding(50, [7]), memobus.read_registers("m", 0, 10)
    download = memobus.request(0x2034, b"block")
    return [
        row("sts04", ("read holding 0 to 9, TCP", "保持レジスタ 0～9 を読む（TCP）"), yaskawa(ns, DB, STS04, reading)),
        row("sts04", ("read holding 0 to 9, IPv6", "保持レジスタ 0～9 を読む（IPv6）"), yaskawa(ns, DB6, STS04_6, reading)),
        row("sts04", ("read holding 0 to 9, UDP", "保持レジスタ 0～9 を読む（UDP）"), datagram(ns, STS04, 9999, reading, DB)),
        row("sts04", ("write holding 50, cut in two", "保持レジスタ 50 への書き込みを 2 分割で送る"), yaskawa(ns, DB, STS04, write[:11], write[11:]), write),
        row("sts04", ("read M registers", "M レジスタを読む"), yaskawa(ns, DB, STS04, far), far),
        row("sts04", ("download to the program, UDP", "プログラムへのダウンロード（UDP）"), datagram(ns, STS04, 9999, download, DB), download, True),
    ]


def of_management(ns):
    at, value = opcua.node(2, 100), opcua.data_value(opcua.variant(6, 7))
    write, call, other = opcua.write([(at, value)]), opcua.call([(at, opcua.node(2, 101), [])]), opcua.read([opcua.node(2, 300)])
    return [
        row("cms01", ("read a node", "ノードを読む"), management(ns, opcua.read([at]))),
        row("cms01", ("write a node", "ノードに書く"), management(ns, write), write),
        row("cms01", ("write a node, in three chunks", "ノードへの書き込みを 3 つのチャンクで送る"), management(ns, (write, 3)), write[-12:]),
        row("cms01", ("call a method behind a read", "読み取りに続けてメソッドを呼ぶ"), management(ns, opcua.read([at]), call), call),
        row("cms01", ("read another node", "別のノードを読む"), management(ns, other), other),
    ]


def of_sysmac(ns):
    reading, write, stop = fins.read("d", 0, 10), fins.write("d", 50, [7]), fins.request(0x0402)
    far = fins.request(fins.READ, fins.place("d", 0) + b"\0\1", to=(0, 11, 0))
    return [
        row("lane01", ("read D0 to D9, TCP", "D0～D9 を読む（TCP）"), sysmac(ns, DB, LANE01, reading)),
        row("lane01", ("read D0 to D9, TCP, IPv6", "D0～D9 を読む（TCP、IPv6）"), sysmac(ns, DB6, LANE01_6, reading)),
        row("lane01", ("read D0 to D9, UDP", "D0～D9 を読む（UDP）"), datagram(ns, LANE01, 9600, reading, DB)),
        row("lane01", ("write D50, UDP", "D50 に書く（UDP）"), datagram(ns, LANE01, 9600, write, DB), write, True),
        row("lane01", ("STOP behind a read, TCP", "読み取りに続けて STOP（TCP）"), sysmac(ns, DB, LANE01, reading, stop), stop),
        row("lane01", ("read another node behind it", "その先の別ノードを読む"), sysmac(ns, DB, LANE01, far), far),
    ]


GROUPS = (
    (("A MELSEC crane (SLMP): reads only", "MELSEC のクレーン（SLMP）: 読み取りだけ"), of_melsec),
    (("A Logix crane (EtherNet/IP): reads only", "Logix のクレーン（EtherNet/IP）: 読み取りだけ"), of_logix),
    (("A SIMATIC crane (S7comm): reads only", "SIMATIC のクレーン（S7comm）: 読み取りだけ"), of_simatic),
    (("A Yaskawa crane (MEMOBUS): reads only", "安川のクレーン（MEMOBUS）: 読み取りだけ"), of_yaskawa),
    (("Crane management (OPC UA): reads only", "クレーン管理（OPC UA）: 読み取りだけ"), of_management),
    (("A SYSMAC gate lane (FINS): reads only", "SYSMAC のゲートレーン（FINS）: 読み取りだけ"), of_sysmac),
)
