# SPDX-License-Identifier: Apache-2.0
"""docs/install.md as it is written, from `sekisho setup` to the first conduit and back: commands
and texts are taken in order from the document that the packages installed, and a person's answers
from its transcript."""
import functools
import glob
import gzip
import os
import re
import shutil

from console import Console
from lab import OWN, reads
from tools import addresses, cards, check, in_force, pid, ready, run, wait_for

ENGLISH, JAPANESE = "/usr/share/doc/sekisho/install.md", "/usr/share/doc/sekisho/install.ja.md"
OPERATE = "/usr/share/doc/sekisho/operate.md"


# the document's package is removed before its last commands are run
@functools.lru_cache(maxsize=None)
def text(path):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            return f.read()
    with gzip.open(path + ".gz", "rt", encoding="utf-8") as f:
        return f.read()


def block(word, kind, path=None):
    """The blocks of this kind below the heading with that word."""
    part = re.split(r"^## ", text(path or ENGLISH), flags=re.M)[1:]
    found = [re.findall(r"```%s\n(.*?)```" % kind, x, re.S) for x in part if word in x.split("\n", 1)[0]]
    if len(found) != 1 or not found[0]:
        raise RuntimeError("no block %s below %s" % (kind, word))
    return found[0]


def talk(path, ends=None):
    """Follows the guide's transcript at the serial console, question by question: the beginning of
    each question, and after "> " the answer. Returns (steps, what went wrong, status)."""
    steps = re.findall(r"^(.*)\n> ?(.*)$", block("setup", "text", path)[0], re.M)
    if ends is not None:  # only until everything was shown, so nothing is written
        steps = steps[:-2] + [(steps[-2][0], ends)]
    console = Console()
    said, wrong = console.start("sekisho setup"), ""
    for question, answer in steps:
        if "".join(question.rstrip(" .").split()) not in "".join(said.split()):
            wrong = "%r is not in %r" % (question, said[-300:])
            break
        said = console.say(answer)
    return len(steps), wrong, console.close(), said


def set_up():
    steps, wrong, code, said = talk(JAPANESE, "q")
    check("docs/install.ja.md: sekisho setup at the serial console asks what it says there, %d questions" % steps, not wrong and code == 1 and steps > 10, wrong or said[-300:])
    check("... and until the last answer nothing is changed", not os.path.exists("/etc/sekisho/site.cfg.before") and set(OWN) <= set(cards()), cards())
    steps, wrong, code, said = talk(ENGLISH)
    check("docs/install.md: sekisho setup at the serial console asks what it says there, %d questions" % steps, not wrong and code == 0 and steps > 10, wrong or said[-300:])
    check("... and the three cards are the box's", not set(cards()) & set(OWN), cards())


def commands(word, number=0, path=None):
    done, text = [], ""
    for line in block(word, "sh", path)[number].strip().splitlines():
        text += line + "\n"
        if run("bash", "-n", "-c", text)[0] == 0:  # a command may have several lines
            done.append((text.strip(), *run("bash", "-c", text)))
            text = ""
    check("docs/%s: commands that are whole" % os.path.basename(path or ENGLISH), not text, text)
    return done


def told(word, number=0, path=None):
    """Runs all commands there, and checks that they succeed."""
    done = commands(word, number, path)
    bad = ["%s: status %d: %s" % (line, code, said[-300:]) for line, code, said in done if code]
    check("docs/%s: %s" % (os.path.basename(path or ENGLISH), "; ".join(x for x, _, _ in done)), done and not bad, " ".join(bad))
    return "\n".join(x for _, _, x in done)


def look():
    said = told("setup", 1)
    check("... and it says that the box enforces", said.startswith("ENFORCING"), said.splitlines()[:1])


def conduit():
    with open("/etc/sekisho/site.cfg", encoding="utf-8") as f:
        before = f.read()
    new = block("first conduit", "cfg")[0]
    check("what setup wrote ends with the line that the guide names", before.endswith("conduits = ();\n"), before[-200:])
    with open("/etc/sekisho/site.cfg", "w", encoding="utf-8") as f:
        f.write(before.replace("conduits = ();\n", new))
    check("before the first conduit the crane is not reached", not reads())
    told("first conduit", 0)
    check("docs/install.md: the office reads the crane", reads())
    told("first conduit", 1)


def api():
    """The API: on the box by the guide's command, over the network with the token and without it,
    and from another zone not at all."""
    said = told("API", 0)
    check("... with what status says", '"generation"' in said, said[:200])
    for name, token, wanted in (("admin", True, "200"), ("admin", False, "401"), ("office", True, "000")):
        code, said = run("sh", "-c", "cd /var/lib/sekisho/secrets; ip netns exec %s curl -s -m 5 -o /dev/null -w '%%{http_code}' --cacert certificate.pem %s "
                         "https://10.99.0.1/api/v1/status" % (name, '-H "Authorization: Bearer $(cat token)"' if token else ""))
        check("the API of the management, asked from %s %s token: %s" % (name, "with the" if token else "without a", wanted), said == wanted, "status %d: %s" % (code, said))


def carried_off():
    """The files that the guide expects on another machine besides the copy that it made: the
    records of a log server."""
    lines = [x for name in sorted(glob.glob("journal/events-*")) for x in open(name, encoding="utf-8")]
    with open("server.log", "w", encoding="utf-8") as f:
        f.writelines("<134>1 2026-11-20T08:10:11Z kita sekisho - - - " + x for x in lines)


def operated():
    """The commands of docs/operate.md, while the crane is in use under the guide's policy."""
    for word, blocks in (("Every day", 2), ("Every month", 3), ("Every half year", 2), ("Incident", 7)):
        check("docs/operate.md, %s: %d blocks" % (word, blocks), len(block(word, "sh", OPERATE)) == blocks)
        if word == "Incident":  # a memory stick for the files of these commands
            os.makedirs("/mnt/usb", exist_ok=True)
            os.chdir("/mnt/usb")
        for n in range(blocks):
            old, number = pid(), in_force()
            if "journal verify journal" in block(word, "sh", OPERATE)[n]:
                carried_off()
            said = told(word, n, OPERATE)
            if "pkeyutl" in block(word, "sh", OPERATE)[n]:
                check("... and openssl alone finds the last signature good", "Verified Successfully" in said, said[-300:])
            if "sha256sum" in block(word, "sh", OPERATE)[n] and word == "Incident":
                check("... and sha256sum alone finds the chain whole", "changed" not in said and "not behind" not in said and "to record" in said, said[-300:])
            if "--signal KILL" in block(word, "sh", OPERATE)[n]:
                check("... and another daemon enforces", wait_for(lambda: ready(old, number), 20) is not None and in_force() == number, said[-300:])
    os.chdir("/")
    shutil.rmtree("/mnt/usb")


def locked_out():
    """The way back: every card is restored, and an apply takes the cards again."""
    told("locked out", 0)
    check("... and the cards have their addresses again", all(addresses(card) == [own] for card, own in OWN.items()),
          {card: addresses(card) for card in OWN})
    told("locked out", 1)
    check("... and the box has them again", not set(cards()) & set(OWN) and reads(), cards())


STEPS = (set_up, look, conduit, api, operated, locked_out)
