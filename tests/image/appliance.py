# SPDX-License-Identifier: Apache-2.0
"""A box without a machine: the image's own programs in a root that has its partitions as files,
with a mount namespace for each run. Partitions that a kernel without VFAT cannot mount are copied
with mtools. The run can be killed before any program that changes something."""
import hashlib
import os
import shutil
import signal
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = os.path.join(TOP, "images", "image", "root", "usr", "lib", "sekisho")
PARTS = ("start", "boot-a", "root-a", "boot-b", "root-b")
STEPS = ("dd", "mv", "sync", "mount", "umount", "veritysetup", "mcopy", "openssl", "blockdev", "rm")
ENV = "::EFI/debian/grubenv"
MIB = 1 << 20

# Stands for a program; each call is a step. The power fails before the step whose number is in
# /kill, or when `dd` has written as many bytes to the slot as /kill-at says.
STEP = """#!/bin/bash
n=$(($(cat /steps) + 1)); echo $n >/steps
if [ "$n" = "$(cat /kill)" ]; then kill -9 0; fi
real=/host/usr/bin/NAME; [ -x $real ] || real=/host/usr/sbin/NAME
OWN
exec $real "$@"
"""
# The daemon runs, unless /daemon-down says how many questions it leaves unanswered.
SYSTEMCTL = """#!/bin/sh
[ "$1" = is-active ] || { echo "$*" >>/asked-of-systemd; exit; }
[ -e /daemon-down ] || { echo active; exit; }
echo x >>/looked
[ $(wc -l </looked) -lt $(cat /daemon-down) ] || rm /daemon-down
echo activating
exit 3
"""
OWN = {
    "mount": """case "$*" in *vfat*) mkdir -p /run/vfat; cd /run/sekisho-start && MTOOLS_SKIP_CHECK=1 /host/usr/bin/mcopy -s -i /parts/start ::EFI . ; exit ;; esac""",
    "umount": """case "$*" in /run/sekisho-start)
    cd /run/sekisho-start && /host/usr/bin/mcopy -o -i /parts/start EFI/debian/grubenv ::EFI/debian/grubenv && rm -rf /run/sekisho-start/EFI; exit ;; esac""",
    "dd": """case "$*" in *bs=1M*)
    size=$(stat -c %s "${1#if=}"); left=$(cat /kill-at)
    if [ -e /dead-disk ]; then exit 1; fi
    if [ -e /lying-disk ]; then exit 0; fi
    if [ "$left" -lt "$size" ]; then head -c "$left" "${1#if=}" | $real of="${2#of=}" bs=4k iflag=fullblock conv=notrunc status=none; kill -9 0; fi
    echo $((left - size)) >/kill-at ;; esac""",
}


def run(*args, **more):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more).stdout


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def slot(folder, words, random):
    """A small slot: root.img with its tree, and boot.img with the slot.cfg that names it. `words`
    make it different from other slots."""
    shutil.rmtree(folder, ignore_errors=True)
    put(folder + "/root/words", words)
    with open(folder + "/root/bytes", "wb") as f:
        f.write(random.randbytes(2 * MIB))
    run("mksquashfs", folder + "/root", folder + "/root.img", "-noappend", "-quiet", "-no-progress")
    size = (os.path.getsize(folder + "/root.img") + 4095) // 4096 * 4096
    os.truncate(folder + "/root.img", size)
    said = run("veritysetup", "format", "--hash-offset=%d" % size, "--data-blocks=%d" % (size // 4096), folder + "/root.img", folder + "/root.img").decode()
    root_hash = [line.split()[-1] for line in said.splitlines() if line.startswith("Root hash:")][0]
    put(folder + "/slot.cfg", "set data=%d\nset hash=%s\n" % (size, root_hash))
    put(folder + "/vmlinuz", "kernel of " + words)
    boot(folder)


def boot(folder):
    if os.path.exists(folder + "/boot.img"):
        os.unlink(folder + "/boot.img")
    run("mkfs.vfat", "-C", "-n", "BOOT", folder + "/boot.img", "1024")
    run("mcopy", "-i", folder + "/boot.img", folder + "/vmlinuz", folder + "/slot.cfg", "::")


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Appliance:
    def __init__(self, folder, slot_folder, keyring, version="1.0.0", host="/"):
        """`host`: the root whose programs are run, this machine's or an image's."""
        self.host, usr = host, host.rstrip("/") + "/usr"
        # told: additional words of the kernel's command line
        self.folder, self.running, self.first, self.told = folder, "A", slot_folder, ""
        for d in ("host", "proc", "dev/disk/by-partlabel", "dev/disk/by-label", "run", "state/private", "parts", "tmp", "usr/share", "usr/lib"):
            os.makedirs(os.path.join(folder, d))
        for d in ("bin", "sbin", "lib", "lib64"):
            os.symlink("usr/" + d, os.path.join(folder, d))
        os.symlink("host/etc", folder + "/etc")
        for d in os.listdir(usr):
            if d not in ("bin", "lib", "share"):
                os.symlink("/host/usr/" + d, folder + "/usr/" + d)
        for d in ("bin", "lib", "share"):
            os.makedirs("%s/usr/%s" % (folder, d), exist_ok=True)
            for f in os.listdir(usr + "/" + d):
                if f != "sekisho":
                    os.symlink("/host/usr/%s/%s" % (d, f), "%s/usr/%s/%s" % (folder, d, f))
        shutil.copytree(PROGRAMS, folder + "/usr/lib/sekisho")
        about = folder + "/usr/share/sekisho/update/"
        put(about + "version", version + "\n")
        put(about + "compatible", "sekisho-amd64\n")
        shutil.copy(keyring, about + "keyring.pem")
        put(folder + "/usr/bin/sekisho", '#!/bin/sh\n[ ! -e /no-daemon ] || exit 3\n[ "$1" != status ] || exec cat /status\necho "$*" >>/records\n', 0o755)
        systemctl = folder + "/usr/bin/systemctl"
        if os.path.lexists(systemctl):
            os.unlink(systemctl)
        put(systemctl, SYSTEMCTL, 0o755)
        for name in STEPS:
            path = folder + "/usr/bin/" + name
            if os.path.lexists(path):
                os.unlink(path)
            put(path, STEP.replace("OWN", OWN.get(name, "")).replace("NAME", name), 0o755)
        for n, part in enumerate(PARTS):
            path = "%s/parts/%s" % (folder, part)
            os.symlink("/parts/" + part, "%s/dev/disk/by-partlabel/sekisho-%s" % (folder, part))
            if part == "start":
                run("mkfs.vfat", "-C", "-n", "START", path, "1024")
                text = "# GRUB Environment Block\nORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=1\nB_TRY=0\n"
                put(folder + "/tmp/EFI/debian/grubenv", text + "#" * (1024 - len(text)))
                run("mcopy", "-s", "-i", path, folder + "/tmp/EFI", "::")
            else:
                shutil.copy("%s/%s.img" % (slot_folder, part[:4]), path)
                os.truncate(path, (2 if n % 2 else 4) * MIB)
        os.symlink("/parts/stick", folder + "/dev/disk/by-label/SEKISHO")
        self.kept = folder + ".kept"
        self.devices = {}  # devices besides those of every run: {name: the file in its place}
        # the name of the admin namespace, and update.conf as the daemon would have written it
        self.admin, self.settings = None, None
        fetch = os.path.join(host, "usr/sbin/sekisho-fetch")
        if host == "/" or not os.path.exists(fetch):  # from this tree if no image has it
            fetch = os.path.join(TOP, "build", "release", "sekisho-fetch")
        shutil.copy(fetch, folder + "/usr/bin/sekisho-fetch")
        run("cp", "-a", folder + "/parts", self.kept)
        self.about = set(os.listdir(folder))

    def anew(self):
        """Restores the state of a new box."""
        for d in ("parts", "state"):
            shutil.rmtree(self.folder + "/" + d)
        run("cp", "-a", self.kept, self.folder + "/parts")
        os.makedirs(self.folder + "/state/private")
        for f in set(os.listdir(self.folder)) - self.about:
            os.unlink(self.folder + "/" + f)
        self.running = "A"
        self.admin = self.settings = None

    def with_settings(self):
        """Settings as an image has them, and a place for those of the state, until
        without_settings."""
        os.unlink(self.folder + "/etc")
        for name in ("box.cfg", "site.cfg"):
            put(self.folder + "/etc/sekisho/" + name, "language_version = 1;\n")
        link = self.folder + "/dev/disk/by-partlabel/sekisho-state"
        if not os.path.lexists(link):
            os.symlink("/parts/state", link)

    def without_settings(self):
        for d in ("etc", "var"):
            shutil.rmtree(self.folder + "/" + d, ignore_errors=True)
        os.symlink("host/etc", self.folder + "/etc")

    def insert(self, *files):
        path = self.folder + "/parts/stick"
        if os.path.exists(path):
            os.unlink(path)
        run("mkfs.vfat", "-C", "-n", "SEKISHO", path, "16384")
        run("mcopy", "-i", path, *files, "::")

    def begin(self, *words, lang="en", kill=0, kill_at=1 << 40):
        """Starts one of the image's programs in a session of its own."""
        for name, text in (("steps", "0"), ("kill", str(kill)), ("kill-at", str(kill_at)), ("cmdline", "quiet sekisho.slot=%s%s panic=10\n" % (self.running, self.told)),
                           ("state/private/lang", lang + "\n")):
            put(self.folder + "/" + name, text)
        shutil.rmtree(self.folder + "/run")
        os.mkdir(self.folder + "/run")
        if self.admin:
            os.makedirs(self.folder + "/run/netns")
            put(self.folder + "/run/netns/sekisho-admin", "")
        if self.settings:
            put(self.folder + "/run/sekisho/update.conf", self.settings)
        script = ('mount --make-rprivate / && cd "$1" && mount --bind "$2" host && mount --rbind /proc proc && mount --bind cmdline proc/cmdline && '
                  'for d in null zero random urandom loop-control loop0 loop1 loop2 loop3 loop4 loop5 loop6 loop7; do [ ! -e /dev/$d ] || { : >>dev/$d && mount --bind /dev/$d dev/$d; }; done && '
                  + "".join("{ : >>dev/%s && mount --bind %s dev/%s; } && " % (d, at, d) for d, at in self.devices.items()) +
                  ("mount --bind /run/netns/%s run/netns/sekisho-admin && " % self.admin if self.admin else "") +
                  'shift 2 && exec env -i PATH=/usr/bin:/usr/sbin TERM=vt100 chroot . "$@"')
        return subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", self.folder, self.host, *words], start_new_session=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def do(self, *words, typed="yes\n", seconds=120, **more):
        """The same, and waits for it. Returns its status (negative: the power failed) and its
        output."""
        p = self.begin(*words, **more)
        try:
            said, _ = p.communicate(typed.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            raise TimeoutError("%s waits, and said: %s" % (words[0], p.communicate()[0].decode())) from None
        return p.returncode, said.decode()

    def update(self, *words, **more):
        return self.do("/usr/lib/sekisho/update", *words, **more)

    def steps(self):
        with open(self.folder + "/steps", encoding="ascii") as f:
            return int(f.read())

    def came_up(self, lang="en"):
        """What the machine does when it enforces and has read its slot."""
        return self.do("/bin/bash", "-ec", ". /usr/lib/sekisho/slots; /usr/lib/sekisho/update --judged; slot_good; exec /usr/lib/sekisho/update --started", typed="", lang=lang)

    def records(self):
        try:
            with open(self.folder + "/records", encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def environment(self):
        block = run("mcopy", "-n", "-i", self.folder + "/parts/start", ENV, "-").decode("ascii")
        assert len(block) == 1024 and block.startswith("# GRUB Environment Block\n"), block
        lines = [x for x in block.splitlines()[1:] if not x.startswith("#")]
        assert 5 <= len(lines) <= 7, block  # for a slot that came up, MORE is in this line
        return dict(x.split("=", 1) for x in lines)

    def power_on(self):
        """Does what grub.cfg does. Returns the slot that it starts."""
        env = self.environment()
        chosen = None
        for _ in range(2):
            chosen = next((s for s in env["ORDER"].split() if env[s + "_OK"] == "1" and (env[s + "_TRY"] == "0" or env.get(s + "_MORE") == "1")), None)
            if chosen:
                break
            env["A_TRY"] = env["B_TRY"] = "0"
        chosen = chosen or "A"
        if env[chosen + "_TRY"] == "1":
            env[chosen + "_MORE"] = "0"
        env[chosen + "_TRY"] = "1"
        text = "# GRUB Environment Block\n" + "".join("%s=%s\n" % x for x in env.items())
        put(self.folder + "/tmp/grubenv", text + "#" * (1024 - len(text)))
        run("mcopy", "-o", "-i", self.folder + "/parts/start", self.folder + "/tmp/grubenv", ENV)
        self.running = chosen
        return chosen

    def holds(self, letter, slot_folder):
        """Whether that slot is equal to this one byte for byte."""
        for part in ("boot", "root"):
            with open("%s/parts/%s-%s" % (self.folder, part, letter.lower()), "rb") as f, open("%s/%s.img" % (slot_folder, part), "rb") as g:
                wanted = g.read()
                if f.read(len(wanted)) != wanted:
                    return False
        return True

    def disk(self):
        return {p: digest("%s/parts/%s" % (self.folder, p)) for p in PARTS[1:]}, self.environment()
