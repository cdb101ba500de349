# SPDX-License-Identifier: Apache-2.0
"""The Debian packages in a fresh Debian root: built in two places with the same bytes, installed by
the README's lines, removed, and purged without a trace. lintian checks them; every override has its
reason beside it."""
import glob
import gzip
import hashlib
import os
import re
import subprocess
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DEB = os.path.join(TOP, "build", "deb")
NAMES = ("sekisho", "sekishod", "sekisho-doc")
# Files that dpkg, apt and the C library keep, which no package of ours writes; and a folder of
# AppArmor's that debhelper's lines delete if it is empty.
KEPT = re.compile(r"^/(var/(lib/(dpkg|apt|systemd)|cache|log)|etc/(passwd|shadow|group|gshadow|subuid|subgid)-?$|etc/ld.so.cache|etc/apparmor.d/disable|home|run|tmp|proc|sys|dev|old)(/|$)|"
                  r"^/etc/\.pwd\.lock$|^/root/")

# The most exposure that `systemd-analyze security` may show for each unit file; the unit says why
# it is not lower. For a running unit it may be lower.
EXPOSURE = {"sekisho-backup": 3.0, "sekisho-base": 3.9, "sekisho-follow@": 1.5, "sekisho-inform": 1.7, "sekisho-log": 1.7, "sekisho-notify": 1.7, "sekisho-power-off": 1.5, "sekisho-time": 2.2, "sekisho-ups": 1.7,
            "sekishod": 4.6, "sekisho-state": 9.5, "sekisho-started": 9.6}


def lines():
    """The README's commands for installation: a block of three lines."""
    found = []
    for name in ("README.md", "README.ja.md"):
        with open(os.path.join(TOP, name), encoding="utf-8") as f:
            blocks = re.findall(r"```[a-z]*\n(make deb\n.*?)```", f.read(), re.S)
        if len(blocks) != 1:
            raise SystemExit("%s: not one block that installs" % name)
        found.append(blocks[0].strip().splitlines())
    if found[0] != found[1] or len(found[0]) != 3:
        raise SystemExit("the READMEs do not say the same three lines: %s" % found)
    return found[0]


def digests(folder):
    found = {}
    for path in sorted(glob.glob(folder + "/*.deb")):
        with open(path, "rb") as f:
            found[os.path.basename(path)] = hashlib.sha256(f.read()).hexdigest()
    return found


def of_package(name, field, folder=DEB):
    path = glob.glob("%s/%s_*.deb" % (folder, name))[0]
    return subprocess.run(["dpkg-deb", "-f", path, field], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def is_machine_code(line):
    """lintian takes machine code for words too. So a word that is in no source is not ours."""
    word = re.search(r": spelling-error-in-binary (\S+) ", line)
    return word is not None and subprocess.run(["git", "-c", "safe.directory=*", "grep", "-qwF", "-e", word.group(1), "--", "appliance", "policy", "dpi", "mgmt", "images"], cwd=TOP,
                                               check=False).returncode == 1


def build(check, twice=True, anew=False):
    """With `anew` the second build takes no object from ccache."""
    made = subprocess.run(["make", "-s", "-C", TOP, "deb"], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not check("make deb", made.returncode == 0, made.stdout[-400:] if made.returncode else "%d packages" % len(digests(DEB))):
        return False
    with open(os.path.join(TOP, "appliance/base/version.h"), encoding="utf-8") as f:
        version = re.search(r'SEKISHO_VERSION "(.*)"', f.read()).group(1)
    check("packages and programs have one version", all(re.sub("~deb.*", "", of_package(n, "Version")) == version for n in NAMES), version)
    judged = subprocess.run(["lintian", "--fail-on", "error,warning,info", "--display-info", "--no-tag-display-limit", "--allow-root"] +
                            glob.glob(DEB + "/*.changes"), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told = [line for line in re.findall(r"^[EWI]: .*", judged.stdout, re.M) if not is_machine_code(line)]
    # if lintian found nothing, it must also have ended without an error
    check("lintian finds nothing", not told and (judged.returncode == 0 or re.search(r"^I: ", judged.stdout, re.M) is not None), judged.stdout[-2000:].strip())
    if twice:
        same_bytes(check, anew)
        by_hand(check)
    exposures(check)
    reasons = [x for p in glob.glob(TOP + "/images/debian/*lintian-overrides") for x in unexplained(p)]
    check("every override of it has its reason", not reasons, " ".join(reasons))
    return True


def exposures(check):
    """Every unit of the packages and of the image is in EXPOSURE."""
    wrong, found = [], {}
    for path in sorted(glob.glob(TOP + "/images/systemd/*.service") + glob.glob(TOP + "/images/image/root/etc/systemd/system/*.service")):
        name = os.path.basename(path)[:-len(".service")]
        said = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        number = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
        found[name] = float(number.group(1)) if number else None
        with open(path, encoding="utf-8") as f:
            reason = "# Why `systemd-analyze security` shows no less" in f.read()
        if not reason or found[name] is None or found[name] > EXPOSURE.get(name, 0):
            wrong.append("%s: %s%s" % (name, found[name], "" if reason else ", without a reason"))
    check("systemd-analyze security: no unit is exposed further than it says why", not wrong and set(found) == set(EXPOSURE),
          " ".join(wrong + sorted(set(EXPOSURE) ^ set(found))) or ", ".join("%s %.1f" % x for x in found.items()))


def contents(folder):
    """{path: bytes, or the target of a link}, uncompressed; of a program only that it exists."""
    found = {}
    for at, folders, files in os.walk(folder):
        for path in (os.path.join(at, x) for x in files + [x for x in folders if os.path.islink(os.path.join(at, x))]):
            name = path[len(folder):]
            if os.path.islink(path):
                found[name.removesuffix(".gz")] = os.readlink(path).removesuffix(".gz")
                continue
            with open(path, "rb") as f:
                data = f.read()
            if name.endswith(".gz"):
                name, data = name[:-3], gzip.decompress(data)
            found[name] = b"a program" if data[:4] == b"\x7fELF" else data
    return found


# What debhelper adds to a package: copyright, changelog, overrides of lintian, and with a script a
# file for local lines of a profile.
OF_PACKAGES = re.compile(r"^/usr/share/(lintian/|doc/(sekishod/NOTICE|sekisho[a-z-]*/(copyright|changelog(\.Debian)?))$)")


def by_hand(check):
    """`make install` puts the same files in the same places as the packages. Debian 12's have the
    units in /lib, which is the same folder there (images/debian/rules)."""
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(["make", "-s", "-C", TOP, "install", "DESTDIR=%s/hand" % work], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name in NAMES:
            subprocess.run(["dpkg-deb", "-x", glob.glob("%s/%s_*.deb" % (DEB, name))[0], work + "/packages"], check=True)
        hand, packages = contents(work + "/hand"), {re.sub("^/lib/systemd/", "/usr/lib/systemd/", k): v for k, v in contents(work + "/packages").items() if not OF_PACKAGES.match(k)}
    differ = sorted(x for x in set(hand) | set(packages) if hand.get(x) != packages.get(x))
    check("make install: the same files as in the packages", done.returncode == 0 and not differ and len(hand) > 50,
          "%s %s" % (" ".join(differ)[:1500], done.stdout[-300:]) if differ or done.returncode else "%d files" % len(hand))


def unexplained(path):
    """Lines that silence something without a comment above them."""
    with open(path, encoding="utf-8") as f:
        text = f.read().splitlines()
    return [x for before, x in zip([""] + text, text) if x and not x.startswith("#") and not before.startswith("#")]


def needs_of_programs(root, name):
    """The libraries that its programs need themselves."""
    found = set()
    for path in subprocess.run(["chroot", root, "dpkg", "-L", name], check=True, stdout=subprocess.PIPE, text=True).stdout.split():
        full = root + path
        if os.path.isfile(full) and not os.path.islink(full) and open(full, "rb").read(4) == b"\x7fELF":
            text = subprocess.run(["objdump", "-p", full], check=True, stdout=subprocess.PIPE, text=True).stdout
            found |= set(re.findall(r"NEEDED\s+(\S+)", text))
    return found


def owners(root, libraries):
    found = set()
    for lib in libraries:
        out = subprocess.run(["chroot", root, "dpkg", "-S", "*/" + lib], check=False, stdout=subprocess.PIPE, text=True).stdout
        found |= {x.split(":")[0] for x in out.splitlines()[:1]}
    return found


def listing(root):
    found = set()
    for folder, folders, files in os.walk(root):
        inside = folder[len(root):] or "/"
        if KEPT.match(inside):
            folders[:] = []
            continue
        found |= {os.path.join(inside, x) for x in files + folders if not KEPT.match(os.path.join(inside, x))}
    return found


def users(root):
    with open(root + "/etc/passwd", encoding="utf-8") as f:
        return {x.split(":")[0] for x in f}


# Runs in a mount namespace with a copy of /etc: $1 = the copy, $2 = the source's images. The state
# is a file system of its own, and has no kept copy of the daemon's program, which would give the
# cards back.
PURGED = """set -e
mount --make-rprivate /
cp -a /etc/. "$1"
mount --bind "$1" /etc
for folder in /var/lib /run /sys; do mount -t tmpfs tmpfs $folder; done
sed -i /^sekisho-/d /etc/passwd /etc/group /etc/shadow /etc/gshadow
sed -n 's/^u \\(sekisho-[a-z-]*\\) *\\([0-9]*\\) "\\(.*\\)"/\\1:\\2:\\3/p' "$2/systemd/sysusers.conf" | while IFS=: read -r name number words; do
	useradd -r -M -u "$number" -s /usr/sbin/nologin -c "$words" "$name"
done
useradd -M -s /bin/bash -c 'Keeper of the box' sekisho-keeper
useradd -r -M -s /usr/sbin/nologin -c 'Backups' sekisho-backups
useradd -M -s /bin/bash -c 'Sekisho, at night' sekisho-night
grep -c '^sekisho-' /etc/passwd
mkdir /var/lib/sekisho /var/lib/sekisho-log
mount -t tmpfs tmpfs /var/lib/sekisho
mkdir /var/lib/sekisho/journal
touch /var/lib/sekisho/journal/events /var/lib/sekisho-log/notes
ip netns add sekisho-data
ip netns add sekisho-admin
sed /#DEBHELPER#/d "$2/debian/sekishod.postrm" >/run/postrm
sh /run/postrm purge >&2
sed -n 's/:.*//; /^sekisho-/p' /etc/passwd
find /var/lib /run/netns -mindepth 1"""
# Like PURGED, with $1 = the source's images. The disk has room for only a part of the program that
# is to be kept.
REMOVED = """set -e
mount --make-rprivate /
for folder in /var/lib /usr/sbin /run; do mount -t tmpfs tmpfs $folder; done
head -c 2000000 /dev/urandom >/usr/sbin/sekishod
mkdir /var/lib/sekisho
mount -t tmpfs -o size=256k tmpfs /var/lib/sekisho
echo kept >/var/lib/sekisho/state
sed /#DEBHELPER#/d "$1/debian/sekishod.prerm" >/run/prerm
sh /run/prerm remove
ls /var/lib/sekisho
umount /var/lib/sekisho
sh /run/prerm remove
cmp /usr/sbin/sekishod /var/lib/sekisho/sekishod.leave && echo whole"""


def own_users():
    """Every user that the package makes."""
    with open(TOP + "/images/systemd/sysusers.conf", encoding="utf-8") as f:
        return set(re.findall(r"^u (sekisho-[a-z-]+)", f.read(), re.M))


def purge_spares_others(check):
    """A purge deletes the users of the package, and leaves a person's account with a similar name.
    userdel does not delete a user who has processes, and another suite may run processes under the
    same user numbers. Therefore this runs in a process namespace."""
    with tempfile.TemporaryDirectory() as copy:
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", PURGED, "sh", copy, TOP + "/images"], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said, why = done.stdout.split(), "%d %s%s" % (done.returncode, done.stdout.replace("\n", " "), done.stderr)
    own = done.returncode == 0 and [x for x in said if x[0] != "/"] == ["%d" % (len(own_users()) + 3), "sekisho-keeper", "sekisho-backups", "sekisho-night"]
    check("purge takes its own users and nobody else's", own, "" if own else why)
    emptied = done.returncode == 0 and [x for x in said if x[0] == "/"] == ["/var/lib/sekisho"]
    check("... and of a state that is a file system of its own everything but the folder, and the namespaces without the daemon's program", emptied, "" if emptied else why)


def full_disk_lets_go(check):
    done = subprocess.run(["unshare", "--mount", "sh", "-c", REMOVED, "sh", TOP + "/images"], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    good = done.returncode == 0 and done.stdout.split() == ["state", "whole"] and "give them back without" in done.stderr
    check("remove does not fail on a full disk, and leaves no part of the daemon's program; where there is room it is kept", good,
          "" if good else "%d %s%s" % (done.returncode, done.stdout, done.stderr))


def same_bytes(check, anew):
    """Builds in a folder with another name and length, with other settings of the user. Compilers
    or libraries of other versions may give other bytes."""
    other = os.path.join(TOP, "build", "fresh", "a-folder-of-another-name")
    subprocess.run(["rm", "-rf", other], check=True)
    os.makedirs(other + "/tree")
    made = subprocess.run(["sh", "-c", "umask 077; exec images/deb %s/out" % other], cwd=TOP, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=dict(os.environ, **({"CCACHE_DISABLE": "1"} if anew else {}), TMPDIR=other + "/tree", TZ="Asia/Tokyo", LANG="C.UTF-8", USER="somebody"))
    here, there = digests(DEB), digests(other + "/out")
    differ = sorted(x for x in set(here) | set(there) if here.get(x) != there.get(x))
    check("built twice, in different folders%s: the same bytes" % (", compiled twice" if anew else ""), made.returncode == 0 and not differ and len(here) >= len(NAMES),
          "differ: " + " ".join(differ) if differ else "; ".join("%s %s" % (v[:16], k) for k, v in sorted(here.items())))


def fresh(check, machine, root):
    """In the fresh machine: runs the README's lines as a user with sudo, and then removes
    everything."""
    log = os.path.join(TOP, "build", "fresh", "package.log")

    def inside(command, minutes=10):
        status, seconds = machine.run(command, minutes, log)
        with open(log, encoding="utf-8", errors="replace") as f:
            return status, f.read(), seconds

    first, second, third = lines()
    status, text, seconds = inside(first, 40)
    if not check("README: %s" % first, status == 0, "%.0f s%s" % (seconds, "" if status == 0 else text[-1500:])):
        return
    # A Debian machine has this package; this root is smaller.
    status, text, _ = inside("sudo apt-get -qq update && sudo apt-get autoremove --purge -y && sudo apt-get install -y --no-install-recommends systemd apparmor chrony nut-client rsyslog rsyslog-gnutls rsyslog-relp")
    check("a Debian machine", status == 0, text[-300:] if status else "")
    before, before_users = listing(root), users(root)
    status, text, seconds = inside(second)
    if not check("README: %s" % second, status == 0, "%.0f s%s" % (seconds, "" if status == 0 else text[-1500:])):
        return
    status, text, _ = inside(third)
    check("README: %s" % third, status == 0 and "no errors" in text, text.strip()[-300:])
    status, text, _ = inside("mkdir -p t && sed -E 's/^  # /  /' /etc/sekisho/site.cfg >t/site.cfg && "
                             "sed -E 's/^(  )?# (lan|adm|routes)/\\1\\2/' /etc/sekisho/box.cfg >t/box.cfg && sekisho check t/site.cfg")
    check("the examples in the settings hold as well", status == 0 and "2 zones" in text and "warnings: 0" in text, text.strip()[-300:])
    status, text, _ = inside("sekisho check tests/golden/terminal/site.cfg")
    check("a table in CP932 is read", status == 0 and "80 assets" in text, text.strip()[-300:])
    with open(TOP + "/images/debian/sekishod.triggers", encoding="ascii") as f:
        names = re.findall(r"^interest-noawait (\S+)$", f.read(), re.M)
    status, text, _ = inside("dpkg -S %s" % " ".join(names))
    check("programs whose updates the daemon's package hears of: Debian's packages have them, by these names", status == 0 and len(names) > 3, text.strip().replace("\n", "; "))
    for name in ("chrony", "nut-client", "rsyslog", "rsyslog-gnutls"):
        status, text, _ = inside("sudo apt-get install -y --reinstall %s" % name)
        heard = status == 0 and "Processing triggers for sekishod" in text
        check("... and it hears of one of %s" % name, heard, "" if heard else text[-600:])
    for name in ("sekisho", "sekishod"):
        wanted = owners(root, needs_of_programs(root, name))
        # Besides libraries, a package depends on the other package, and on one of three programs
        # that make users (the choice that debhelper writes).
        stated = {x.split()[0] for x in of_package(name, "Depends").split(", ") if "|" not in x} - {"sekisho"}
        check("%s depends on what its programs ask for, and on nothing else" % name, wanted == stated, "%s" % sorted(stated ^ wanted))
    new = {x for x in users(root) - before_users if x.startswith("sekisho-")}
    check("a user for every role, and one each for what sends the records, fetches updates and asks the UPS server", new == own_users() and len(new) >= 12,
          " ".join(sorted(new)))
    own = [root + "/etc/sekisho/" + x for x in ("site.cfg", "box.cfg")]
    with open(own[0], "a", encoding="utf-8") as f:
        f.write("# ours\n")
    status, text, _ = inside("sudo apt-get install -y --reinstall %s" % second.split(" ", 3)[-1].replace("-y ", ""))
    check("installed again, settings that were changed stay", status == 0 and open(own[0], encoding="utf-8").read().endswith("# ours\n"), text[-300:] if status else "")
    status, text, _ = inside("sudo apt-get remove -y sekisho sekishod sekisho-doc")
    left = {x for x in listing(root) - before if "sekisho" in x}
    check("remove leaves settings, and what waits for a purge", status == 0 and all(os.path.exists(x) for x in own) and
          all(x.startswith("/etc/") for x in left), " ".join(sorted(left))[:600])
    status, text, _ = inside("sudo apt-get purge -y sekisho sekishod sekisho-doc && sudo apt-get autoremove --purge -y")
    left = listing(root) ^ before
    status |= os.path.exists(root + "/var/lib/sekisho")
    check("purge leaves nothing", status == 0 and not left and users(root) == before_users, "%s %s" % (" ".join(sorted(left))[:600], sorted(users(root) - before_users)))
