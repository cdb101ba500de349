# SPDX-License-Identifier: Apache-2.0
"""The state of the image's machine, and GRUB's file, are changed from outside while the machine is
off: the disk is full, files are damaged, or the file system itself. The machine has no TPM, so
anybody who takes its disk can do this. Nothing may pass that the last confirmed policy refuses, and
the console says why, in both languages."""
import contextlib
import os
import re
import subprocess

from cases import expect
from machine import PATIENCE
from net import wait_for
from surroundings import as_they_were_made, log_in

MIB = 1 << 20
UNUSABLE = ("the state cannot be used", "状態パーティションを使用できません")


def offset(m, name):
    """The offset of that partition in bytes. Before the first start sfdisk complains of the disk's
    size."""
    said = subprocess.run(["sfdisk", "--dump", m.disk], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return int(re.search(r'start= *(\d+),.*name="sekisho-%s"' % name, said).group(1)) * 512


@contextlib.contextmanager
def state_of(m, work):
    """The folder of the state, of a machine that is off."""
    at = work + "/state"
    os.makedirs(at, exist_ok=True)
    subprocess.run(["mount", "-t", "ext4", "-o", "loop,offset=%d" % offset(m, "state"), m.disk, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


def rewrite(path, data):
    """Rewrites the file in place, so that owner and mode stay."""
    with open(path, "r+b") as f:
        f.truncate(0)
        f.write(data)


def fill(at):
    """Fills every block, also those that only root may use, and the journal's reserve for serious
    records, which it would free."""
    os.unlink(at + "/sekisho/journal/reserve")
    fd = os.open(at + "/filler", os.O_WRONLY | os.O_CREAT, 0o600)
    size, step = 0, 256 * MIB
    while step >= 1024:
        try:
            os.posix_fallocate(fd, size, step)
            size += step
        except OSError:
            step //= 2
    os.close(fd)
    return size


def in_both(m, line, seconds=60):
    """The console's answer in English, then in Japanese, without line breaks."""
    said = [" ".join(m.ask(line, seconds).split())]
    m.ask("language")
    said.append(re.sub(r"\s+", "", m.ask(line, seconds)))
    m.ask("language")
    return said


def says(m, line, *texts, seconds=60):
    said = in_both(m, line, seconds)
    expect(all(t in s for t, s in zip(texts, said)), "%s does not say %s: %s", line, texts, said)


def on(m):
    """Starts the machine, and chooses English: the power may have failed before the chosen language
    was on the disk."""
    m.start()
    log_in(m)
    if "カード" in m.ask("help"):
        m.ask("language")


def enforces(m, site):
    wait_for(lambda: "ENFORCING" in m.ask("status --all"), 120 * PATIENCE, "the policy of before")
    site.table()


def closed(m, site, *texts):
    """Nothing passes, and `status` says why."""
    wait_for(lambda: texts[0] in " ".join(m.ask("status --all").split()), 120 * PATIENCE, texts[0])
    says(m, "status --all", *texts)
    expect(not any(site.reads() for _ in range(3)), "the office reads the crane")
    site.silent()


def full(m, site, work):
    """No block is free: the confirmed policy comes into force by itself. Another policy, and files
    from a stick, are refused with the reason."""
    m.cut()
    with state_of(m, work) as at:
        size = fill(at)
    on(m)
    enforces(m, site)
    says(m, "status --all", "disk: 100 % used, 0 of", "使用率100%、空き0/")
    says(m, "load", "could not be taken: site.cfg", "読み込めませんでした:site.cfg")
    says(m, "apply", "No space left", "ディスクに空きがありません", seconds=180)
    enforces(m, site)
    m.cut()
    with state_of(m, work) as at:
        os.unlink(at + "/filler")
    on(m)
    enforces(m, site)
    m.ask("apply", 180)
    expect("ENFORCING" in m.ask("confirm") + m.ask("status --all"), "no policy is taken when there is room again")
    site.table()
    return "%.0f MiB filled" % (size / MIB)


def confirmed(m, site, work):
    """It is unknown which generation was confirmed last: nothing passes until a person names
    one."""
    m.cut()
    with state_of(m, work) as at:
        number = int(open(at + "/sekisho/generations/confirmed", encoding="ascii").read())
        rewrite(at + "/sekisho/generations/confirmed", b"\0\0")
    on(m)
    closed(m, site, "not known any more which generation was confirmed last: everything is denied", "最後に確定した世代がわからなくなったため、すべて拒否します")
    m.ask("rollback --to %d" % number, 180)
    enforces(m, site)
    return "generation %d" % number


def sealed(m, site, work):
    """One changed bit in the confirmed generation."""
    m.cut()
    with state_of(m, work) as at:
        number = int(open(at + "/sekisho/generations/confirmed", encoding="ascii").read())
        path = at + "/sekisho/generations/gen-%d.sealed" % number
        with open(path, "rb") as f:
            data = bytearray(f.read())
        data[len(data) // 2] ^= 1
        rewrite(path, bytes(data))
    on(m)
    closed(m, site, "the confirmed generation cannot be read, everything is denied", "確定済み世代を読み取れないため、すべて拒否します")
    m.ask("apply", 180)
    m.ask("confirm")
    enforces(m, site)


def beside_it(m, site, work):
    """Damage to files that do not matter for the policy: it is in force all the same."""
    m.cut()
    with state_of(m, work) as at:
        at += "/sekisho/"
        rewrite(at + "generations/history", b"\xff" * 100)
        rewrite(at + "signing/key", b"")
        os.unlink(at + "journal/head")
        rewrite(at + "journal/devices", bytes(os.path.getsize(at + "journal/devices")))
        rewrite(at + "secrets/token", b"?")
    on(m)
    enforces(m, site)
    says(m, "status --all", "history of generations was damaged", "世代の履歴が壊れていた")


def no_file_system(m, site, work):
    """The file system begins with random bytes: nothing passes, the console says so in both
    languages, and nothing is written over them. When the old bytes are restored, it is used
    again."""
    m.cut()
    at = offset(m, "state")
    with open(m.disk, "r+b") as f:
        f.seek(at)
        kept, noise = f.read(MIB), os.urandom(MIB)
        f.seek(at)
        f.write(noise)
    m.start()
    for text in UNUSABLE:
        m.wait(text, 600)
    expect(not any(site.reads() for _ in range(5)), "the office reads the crane")
    m.cut()
    with open(m.disk, "r+b") as f:
        f.seek(at)
        expect(f.read(MIB) == noise, "something was written there")
        f.seek(at)
        f.write(kept)
    site.silent()
    on(m)
    enforces(m, site)


def mended(m, site, work):
    """The same once more, and a person repairs it at the console: the box starts by itself with its
    policy, and this is recorded."""
    m.cut()
    with open(m.disk, "r+b") as f:
        f.seek(offset(m, "state"))
        f.write(os.urandom(MIB))
    m.start()
    m.wait("begins anew.*復元できます.*> $", 600)
    m.say("2")
    m.wait("Type mend.*> $", 60)
    expect(not any(site.reads() for _ in range(3)), "the office reads the crane")
    m.say("mend")
    m.wait("Mended.*修復しました", 600)
    log_in(m)
    enforces(m, site)
    wait_for(lambda: "WAS MENDED" in " ".join(m.ask("events --since 1h").split()), 120 * PATIENCE, "the record of it")
    says(m, "events --since 1h", "0 in lost+found", "0inlost+found")


def told_otherwise(m, site, work):
    """GRUB's file is not in the verified root: `machine` names an additional word for the kernel,
    and a missing one."""
    m.cut()
    where, path = "%s@@%d" % (m.disk, offset(m, "start")), work + "/grub.cfg"
    subprocess.run(["mcopy", "-n", "-i", where, "::EFI/debian/grub.cfg", path], check=True)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    expect(text.count(" init_on_free=1 ") == 1, "%s", text)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(" init_on_free=1 ", " init_on_free=0 "))
    subprocess.run(["mcopy", "-o", "-i", where, path, "::EFI/debian/grub.cfg"], check=True)
    on(m)
    enforces(m, site)
    settings, _, words, _ = as_they_were_made()
    says(m, "machine", "settings: %d of %d, command line: %d of %d settings that are NOT as they were made: -init_on_free=1 +init_on_free=0 " % (settings, settings, words - 1, words),
         "コマンドライン:%d語中%d語が所定のとおり所定と異なる設定:-init_on_free=1+init_on_free=0" % (words, words - 1))


CASES = full, confirmed, sealed, beside_it, no_file_system, mended, told_otherwise
