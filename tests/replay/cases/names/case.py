# SPDX-License-Identifier: Apache-2.0
import wire

OFFICE, TOS, CRANE = "10.10.0.5", "10.20.0.10", "10.30.1.10"


def check(t):
    out = []
    wire.Session(out, OFFICE, 40000, TOS, 443).open().ask(b"SSH-2.0-OpenSSH_9.2\r\n").answer(b"SSH-2.0-OpenSSH_9.2\r\n")
    r = t.replay(t.file("ssh-on-443.pcap", wire.pcap(out)))
    t.equal("ssh on 443", [(f["protocol"], f["verdict"], f["reason"], f["packet"]) for f in r.flows],
            [("ssh", "deny", "protocol.wrong", 4)])
    out = []
    wire.Session(out, OFFICE, 40000, TOS, 22).open().answer(b"SSH-2.0-OpenSSH_9.2\r\n").ask(b"SSH-2.0-OpenSSH_9.2\r\n") \
        .ask(b"\0\0\4\xfc" + b"x" * 200).close()
    r = t.replay(t.file("ssh.pcap", wire.pcap(out)))
    t.equal("ssh", [(f["protocol"], f["verdict"], f["reason"], f["packet"]) for f in r.flows], [("ssh", "allow", "confirmed", 0)])
    t.equal("ssh: status", r.status, 0)
    out = []
    wire.Session(out, "10.20.0.10", 40000, CRANE, 502).open().ask(b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n")
    r = t.replay(t.file("http-on-502.pcap", wire.pcap(out)))
    t.equal("http on 502", [(f["verdict"], f["reason"], f["packet"]) for f in r.flows],
            [("deny", "protocol.wrong", 4)])
    t.equal("http on 502: status", r.status, 1)
