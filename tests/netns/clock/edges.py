# SPDX-License-Identifier: Apache-2.0
"""Records of hours, also if many begin and end at one moment; a contract whose end shuts a door;
and doors while the clock is not trusted."""
import json
import time

from box import conduit
from cases import expect
from net import wait_for

# windows that begin at one moment, and how many of them get a record of their own
MANY, TOLD = 20, 16


def policy(box, *conduits, site="", sections="", services=""):
    path = box.write(*conduits)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("site = { ", sections + "\nsite = { " + site, 1).replace("services = {\n", "services = {\n" + services, 1))
    return path


class Day:
    """Two days from now, by the daemon's clock only."""

    def __init__(self, box):
        self.box, self.begin = box, (int(time.time()) // 86400 + 2) * 86400

    def ahead(self, hour, minute=0, second=0):
        return self.begin + hour * 3600 + minute * 60 + second - time.time()

    def at(self, *clock):
        self.box.seam.clock(self.ahead(*clock))

    def says(self, hour, minute=0):
        return time.strftime("%Y-%m-%dT%H:%M:00.000Z", time.gmtime(self.begin + hour * 3600 + minute * 60))


def hours(box):
    """[(code, window)] of all records; `status` makes the daemon look at its clock."""
    box.status()
    return [(e["code"], e["object"]) for e in box.events() if e.get("code", "").startswith("hours_")]


def conduits(box):
    """The conduits that have begun by themselves, according to the records."""
    return [e["object"] for e in box.events() if e.get("code") == "conduit_began"]


def recorded(box, wanted, why):
    try:
        wait_for(lambda: hours(box) == wanted, 10, why)
    except TimeoutError:
        raise AssertionError("%s: %s instead of %s" % (why, hours(box), wanted)) from None


def many_windows(box, always):
    """Windows that begin and end at one moment: `status` names each, the first ones have a record
    each, and the others are counted. A conduit that begins by itself is recorded once, whatever the
    clock does."""
    box.fresh(always)
    day = Day(box)
    day.at(8, 59, 50)
    names = ["w%02d" % i for i in range(MANY)]
    starts = conduit("begins", "it", "ot", ["ping"], starts=day.says(9).replace(".000", ""))
    box.sekisho("apply", policy(box, always, starts, *[conduit(n, "it", "ot", ["s" + n], within=n) for n in names],
                                site='time_zone = "UTC"; ', sections="windows = {%s };" % "".join(' %s = { hours = "09:00-17:00"; };' % n for n in names),
                                services="".join('  s%s = { protocol = "udp"; ports = ["udp/%d"]; };\n' % (n, 20000 + i) for i, n in enumerate(names))))
    recorded(box, [], "before their moment")
    expect(conduits(box) == [], "%s", conduits(box))
    shut = box.status()["windows"]
    expect([(w["window"], w["open"], w["until"], w["opens"], w["conduits"]) for w in shut] == [(n, False, None, day.says(9), 1) for n in names], "%s", shut)
    day.at(8, 59, 59)
    told, rest = names[:TOLD], "(+%d)" % (MANY - TOLD)
    began = [("hours_began", n) for n in told + [rest]]
    recorded(box, began, "that they began")
    expect(conduits(box) == ["begins"], "%s", conduits(box))
    opened = box.status()["windows"]
    expect(all(w["open"] and w["until"] == day.says(17) and w["opens"] is None for w in opened), "%s", opened)
    day.at(17, 0, 1)
    recorded(box, began + [("hours_ended", n) for n in told + [rest]], "that they ended")
    expect(conduits(box) == ["begins"], "a conduit that began once: %s", conduits(box))
    box.seam.clock(0)


def door(box):
    return json.loads(box.sekisho("doors", "--json", check=False).stdout)["doors"][0]


def is_open(box, why, wanted=True):
    wait_for(lambda: box.sends("it") == wanted, 10, why)
    expect(box.sends("ops"), "what is open for good: %s", why)


def refused(box, why):
    said = [e for e in box.events() if e.get("code") == "door_refused"]
    expect(box.sekisho("open", "gate", "--for", "10m", check=False).returncode == 3, "opened %s", why)
    wait_for(lambda: len([e for e in box.events() if e.get("code") == "door_refused"]) == len(said) + 1, 5, "the refusal on record: " + why)
    expect(not box.sends("it"), "passes %s", why)


def gate(box, always, contract=""):
    return policy(box, always, conduit("by-door", "it", "ot", ["plain"], door="gate"), site='time_zone = "Asia/Tokyo"; ',
                  sections='%s\ndoors = { gate = { %sat_most = "2 h"; opened_by = ["supervisor"]; }; };' % (contract, 'organisation = "nagoya"; ' if contract else ""))


def by_contract(box, always):
    """The last day of a contract, in the site's time zone: a door does not open beyond it, the
    kernel shuts it at its end, and afterwards nobody can open it."""
    box.fresh(always)
    day = Day(box)
    day.at(14, 55)  # five minutes of that day remain in Tokyo
    last = time.strftime("%Y-%m-%d", time.gmtime(day.begin))
    box.sekisho("apply", gate(box, always, 'organisations = { nagoya = { zone = "it"; contract_until = "%s"; }; };' % last))
    box.sekisho("open", "gate", "--for", "1h")
    is_open(box, "opened within the contract")
    expect([u["until"] for u in door(box)["uses"]] == [day.says(15)], "%s", door(box)["uses"])
    day.at(14, 59, 57)
    is_open(box, "seconds before the contract ends")
    is_open(box, "shut with the contract", False)
    wait_for(lambda: not door(box)["open"], 5, "the door to be told as shut")
    expect([e["code"] for e in box.events() if e.get("code", "").startswith("door_")] == ["door_opened", "door_ended"], "records")
    refused(box, "behind the contract's end")
    box.seam.clock(0)


def unvouched_doors(box, always):
    """A start of the machine with an untrusted clock: open doors are shut, and nobody can open
    them. When the clock is trusted, they are open again for the rest of their time; after that time
    they stay shut."""
    box.fresh(always)
    day = Day(box)
    day.at(12)
    box.sekisho("apply", gate(box, always))
    box.sekisho("open", "gate", "--for", "1h")
    is_open(box, "opened")
    box.off()
    box.on(ahead=day.ahead(-20 * 24))
    expect(not box.clock()["trusted"], "%s", box.clock())
    expect(not box.sends("it") and box.sends("ops"), "a door by a clock that nobody trusts")
    refused(box, "by a clock that nobody trusts")
    expect(box.sekisho("verify", check=False).returncode == 0, "verify")
    day.at(12, 30)
    wait_for(lambda: box.clock()["trusted"], 5, "the clock to be trusted")
    is_open(box, "open again for the rest of its time")
    expect([u["until"] for u in door(box)["uses"] if u["open"]] == [day.says(13)], "%s", door(box)["uses"])
    box.off()
    box.on(ahead=day.ahead(-20 * 24))
    expect(not box.sends("it"), "a door by a clock that nobody trusts, again")
    day.at(13, 30)
    wait_for(lambda: box.clock()["trusted"], 5, "the clock to be trusted, later")
    wait_for(lambda: not door(box)["open"], 5, "the door to be told as shut")
    expect(not box.sends("it"), "open behind its time")
    box.seam.clock(0)
