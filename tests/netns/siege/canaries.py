# SPDX-License-Identifier: Apache-2.0
"""Recognisable secrets in every place for secrets: passphrases typed correctly, wrongly and in
place of a name, authenticators, recovery codes, sessions, tokens, the keys of TLS, of the records
and of a backup. None appears in any answer, record, file, argument, environment or log except in
its own place."""
import base64
import glob
import os
import re
import subprocess

import day
from cases import expect
from net import wait_for
from people import cookie_of

PHRASE, WRONG, MISPLACED = "canary herons argue wombat 1", "canary herons argue lintel 2", "canary in the place of names"
CHOSEN = "canary herons argue parapet 3"
ROUTES = ["/", "/help", "/metrics", "/api/v1/me"] + ["/api/v1/" + r for r in (
    "status", "state", "effective", "events?limit=1000", "why?limit=1000", "picture", "draft", "history", "policy", "verify", "accounts", "tokens")]
VERBS = [("status", "--all"), ("effective",), ("verify",), ("history",), ("show",), ("flows",), ("events", "--limit", "1000"), ("journal", "checkpoint"), ("user", "list"),
         ("user", "show", "canary"), ("user", "tokens"), ("user", "sessions"), ("user", "approval")]


def key_in(path):
    """The secret in a key file, as it is written there."""
    with open(path, "rb") as f:
        data = f.read()
    return b"".join(line for line in data.split(b"\n") if not line.startswith(b"-"))[:64] if path.endswith(".pem") else data.split()[1]


def forms(secret):
    """The secret itself, and in JSON, in hexadecimal digits, in base64 at its three offsets, or as
    the bytes of its hexadecimal digits."""
    out = {secret, secret.hex().encode(), secret.replace(b" ", b"%20"), secret.replace(b" ", b"+")}
    for shift in range(3):
        out.add(base64.b64encode(b"x" * shift + secret)[4:-4])
    if re.fullmatch(rb"[0-9a-f]{64}", secret):
        out |= {bytes.fromhex(secret.decode()), base64.b64encode(bytes.fromhex(secret.decode()))[:40], secret.upper()}
    return out


class Planted:
    def __init__(self):
        # name -> (its forms, the paths where it may be)
        self.secrets, self.looked, self.bytes = {}, 0, 0

    def plant(self, what, secret, *own):
        secret = secret.encode() if isinstance(secret, str) else secret
        expect(len(secret) >= 16, "%s is too short to be recognised", what)
        self.secrets[what] = (forms(secret), own)

    def look(self, where, data):
        data = data.encode() if isinstance(data, str) else data
        self.looked, self.bytes = self.looked + 1, self.bytes + len(data)
        for what, (texts, own) in self.secrets.items():
            expect(where in own or not any(text in data for text in texts), "%s is in %s", what, where)


def tree(pid):
    found = [pid]
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        for child in f.read().split():
            found += tree(int(child))
    return found


def processes(site, planted):
    for pid in tree(site.box.daemon.pid):
        for name in ("cmdline", "environ", "comm", "status"):
            with open("/proc/%d/%s" % (pid, name), "rb") as f:
                planted.look("/proc/%d/%s" % (pid, name), f.read())
        with open("/proc/%d/limits" % pid, encoding="ascii") as f:
            core = [line.split()[4] for line in f if line.startswith("Max core")][0]
        expect(core == "0" or pid == site.box.daemon.pid, "%d may leave a core", pid)


def files(folder, planted):
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    planted.look(path, f.read())


def a_key(site, planted):
    """The key of a backup; its private half is not on the box."""
    path = "/tmp/sekisho-siege-%d" % os.getpid()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backup", "-keyout", path + ".key", "-out", path + ".pem", "-days", "9"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(path + ".key", encoding="ascii") as f:
        planted.plant("the key of backups", "".join(f.read().split("\n")[1:-2])[:64])
    site.box.sekisho("backup", site.box.run_folder + "/a.backup", "--to", path + ".pem")
    os.unlink(path + ".key")
    os.unlink(path + ".pem")


def planted_everywhere(site):
    state, planted = site.box.run_folder + "/state", Planted()
    register = state + "/accounts/accounts"
    said = site.user("add", "canary", "--full-name", "C", "--reason", "r", "--role", "viewer,auditor,account_manager,ot_author,log_administrator", text=PHRASE + "\n")
    site.papers["canary"] = list(said["recovery"])
    for what, text in (("a passphrase", PHRASE), ("a wrong one", WRONG), ("one in the place of a name", MISPLACED)):
        planted.plant(what, text)
    planted.plant("an authenticator's secret", said["totp"]["secret"], register)
    for n, code in enumerate(said["recovery"]):
        planted.plant("code %d on paper" % n, code)
    with open(state + "/secrets/token", encoding="ascii") as f:
        planted.plant("the box's token", f.read().strip(), state + "/secrets/token")
    for what, path in (("the key of TLS", state + "/secrets/key.pem"), ("the signing key", state + "/signing/key")):
        planted.plant(what, key_in(path), path)
    r = site.login("canary", PHRASE)
    cookie = cookie_of(r)
    planted.plant("a session", cookie)
    planted.look("the answer to a login", r.body)
    token = site.user("token-add", "canary", "--role", "viewer,auditor")
    planted.plant("a token", token["secret"])
    made = site.account(cookie, "add", "fledgling", PHRASE, full_name="F", reason="r", roles=["viewer"]).json()
    planted.plant("a passphrase that was handed out", made["passphrase"])
    planted.plant("another authenticator's secret", made["totp"]["secret"], register)
    planted.plant("a passphrase that somebody chose", CHOSEN)
    fledgling = site.login("fledgling", made["passphrase"], made["recovery"][0])
    planted.look("the answer to a first login", fledgling.body)
    for phrase in (WRONG, made["passphrase"]):
        planted.look("the answer to the choice of a passphrase", site.passphrase(cookie_of(fledgling), phrase, CHOSEN).body)
    planted.look("the answer to an order about an account", site.account(cookie, "disable", "fledgling", PHRASE).body)
    planted.look("the answer to a wrong order", site.account(cookie, "enable", "fledgling", WRONG).body)
    for name, phrase in (("canary", WRONG), (MISPLACED, "x" * 20), (MISPLACED[:30], MISPLACED)):
        r = site.login(name, phrase, "000000")
        planted.look("the answer to a wrong login", r.body + str(r.headers.headers).encode())
    day.live(site, "1")
    cookie = cookie_of(site.login("canary", PHRASE))  # accounts has died meanwhile
    planted.plant("a later session", cookie)
    for headers in ({"cookie": cookie}, {"token": token["secret"]}, {"token": site.token}, {"token": cookie}, {"cookie": token["secret"]}):
        for path in ROUTES:
            r = site.get(path, **headers)
            planted.look(path, r.body + str(r.headers.headers).encode())
    # Sent in wrong places.
    for path in ("/api/v1/events?host=" + cookie, "/api/v1/" + token["secret"], "/?" + site.token):
        planted.look("the answer to %s" % path[:18], site.get(path, cookie).body)
    r = site.order(cookie, "save", revision=0, base=0, texts=[{"name": "site.cfg", "text": "x"}], comment="")
    planted.look("the answer to an order", r.body)
    for words in VERBS:
        for how in ([], ["--json"]):
            done = site.box.sekisho(*words, *how, check=False)
            planted.look(" ".join(words), done.stdout + done.stderr)
    a_key(site, planted)
    # Evidence is given to other people: its folder is among the searched files.
    out = site.box.run_folder + "/evidence"
    os.mkdir(out)
    done = site.box.sekisho("preserve", "--out", out, "--journal", state + "/journal", "--json")
    planted.look("preserve", done.stdout + done.stderr)
    expect(glob.glob(out + "/*/accounts.json"), "no register in the evidence: %s", done.stdout)
    wait_for(site.box.in_force, 10, "the policy in force")
    processes(site, planted)
    files(site.box.run_folder, planted)
    files("/dev/shm", planted)
    # The search works: it finds the secrets that the register may contain.
    with open(register, "rb") as f:
        expect(said["totp"]["secret"].encode() in f.read(), "the register was not read")
    return "%d secrets in none of %d answers, files and processes, %d bytes" % (len(planted.secrets), planted.looked, planted.bytes)
