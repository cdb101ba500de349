# SPDX-License-Identifier: Apache-2.0
"""Alarms by mail, by the units of the packages alone: a server of mail in the admin network
(mail_server.py), a password that systemd reads, a cable that is pulled."""
import email
import email.policy
import glob
import os
import subprocess

from tools import check, denied, exposure, must, run, show, status, wait_for

FOLDER, SERVER, NAME = "/run/post", "10.99.0.25", "mail.example.jp"
SECRET = "secret-of-the-post"


def certificates():
    for command in ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=post -keyout ca.key -out /etc/sekisho/mail-ca.pem",
                    "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -addext subjectAltName=DNS:%s -keyout server.key -out server.csr" % (NAME, NAME),
                    "x509 -req -in server.csr -CA /etc/sekisho/mail-ca.pem -CAkey ca.key -days 30 -copy_extensions copy -out server.pem"):
        must("sh", "-c", "cd %s && openssl %s" % (FOLDER, command))
    os.chmod("/etc/sekisho/mail-ca.pem", 0o644)


def said():
    found = []
    for path in sorted(glob.glob(FOLDER + "/*.mail")):
        with open(path, "rb") as f:
            message = email.message_from_bytes(f.read(), policy=email.policy.default)
        found.append("%s\n%s" % (message["subject"], message.get_content()))
    return "\n".join(found)


def named():
    os.makedirs(FOLDER, exist_ok=True)
    for path, mode in ((FOLDER + "/password", 0o600), ("/etc/sekisho/mail-password", 0o600)):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as f:
            f.write(SECRET + "\n")
    certificates()
    must("ip", "-n", "admin", "addr", "add", SERVER + "/24", "dev", "eth0")
    with open(FOLDER + "/server.log", "wb") as log:
        server = subprocess.Popen(["ip", "netns", "exec", "admin", "/usr/bin/python3", "-B", "/srv/units/mail_server.py", FOLDER, SERVER], stdout=log, stderr=log)
    wait_for(lambda: ":024B" in run("cat", "/proc/net/tcp", ns="admin")[1], 60)
    check("a server of mail waits in the admin network", server.poll() is None, open(FOLDER + "/server.log", encoding="utf-8").read()[-300:])
    with open("/root/lab/box.cfg", "a", encoding="utf-8") as f:
        f.write('mail_server = { address = "%s"; name = "%s"; ca = "/etc/sekisho/mail-ca.pem"; from = "box@example.jp"; to = ["it@example.jp"]; user = "box"; };\n' % (SERVER, NAME))
    code, text = run("sekisho", "apply", "/root/lab/site.cfg")
    check("it is named", code == 0, text[-500:] if code else "")
    took = wait_for(lambda: show("sekisho-notify", "ActiveState")["ActiveState"] == "active" and (status().get("mail") or {}).get("state") not in (None, "away"), 60)
    logs = run("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", "sekisho-notify", "-u", "sekisho-follow@notify")[1][-1500:] if took is None else ""
    check("by the units alone the box is looked at, and the daemon reads how that fares", took is not None, "%s %s" % (status().get("mail"), logs))
    found = show("sekisho-notify", "ActiveState", "User", "NRestarts")
    check("sekisho-notify runs as a user of its own", found == {"ActiveState": "active", "User": "sekisho-notify", "NRestarts": "0"}, found)
    check("... without a capability", run("sh", "-c", "grep -h CapEff /proc/$(systemctl show -P MainPID sekisho-notify)/status")[1].split()[-1] == "0" * 16)
    exposure("sekisho-notify", 2.0)


def told():
    must("ip", "-n", "crane", "link", "set", "eth0", "down")
    took = wait_for(lambda: "lan1" in said(), 120)
    logs = run("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", "sekisho-notify")[1][-800:]
    check("a cable is pulled, and a mail says so over TLS, with the login", took is not None, "%s %s %s" % (said()[-600:], status().get("mail"), logs) if took is None else "%.0f s" % took)
    must("ip", "-n", "crane", "link", "set", "eth0", "up")
    must("systemctl", "kill", "-s", "KILL", "sekisho-notify")
    back = wait_for(lambda: show("sekisho-notify", "ActiveState", "NRestarts") == {"ActiveState": "active", "NRestarts": "1"}, 60)
    check("killed, it is started again", back is not None, show("sekisho-notify", "ActiveState", "NRestarts"))
    words = run("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")[1]
    check("... and its password stands in no command and no environment", SECRET not in words)
    refused = denied()
    check("... and nothing was refused to the daemon in all of this", not refused, " ".join(refused)[:600])


STEPS = (named, told)
