# SPDX-License-Identifier: Apache-2.0
"""A policy that changes under live sessions: what the server's stack has not taken by then is judged by what holds when it
is repeated."""
from endpoint import Plc, Raw, answered, goes_on, is_cut, request, write
from ground import PLAIN, READ, V4, V6, WRITE, Watch, expect, wait_for
from packets import SIGNATURE

def not_taken(ground, raw, data):
    """The box forwards it; the server's stack throws it away because of an option, as it would a damaged frame."""
    watch = Watch(ground)
    raw.segment(data, options=SIGNATURE)
    wait_for(lambda: any(data in f for f in watch["ot"].incoming()), 2, "the segment behind the box")
    watch.close()


def narrowed_before_it_was_taken(ground):
    """A write is allowed and forwarded, its server does not take it, only reads are allowed after that, and the client
    repeats it: as a whole, or the part that is missing."""
    ground.settle_neighbours()
    for six in (False, True):
        for taken in (0, 5, 11):
            ground.apply(READ, WRITE, PLAIN)
            plc = Plc(ground, (V6 if six else V4)["ot"])
            r = Raw(ground, "ops", plc.listener.getsockname()[0], 502, 26000 + ground.rng.randrange(1000), six).open()
            goes_on(r, plc)
            before = len(plc.live["bytes"])
            if taken:
                r.say(write()[:taken])
                wait_for(lambda: len(plc.live["bytes"]) == before + taken, 2, "the first part")
            not_taken(ground, r, write()[taken:])
            ground.apply(READ, PLAIN)
            r.segment(write()[taken:])
            is_cut(r, plc)
            expect(not plc.forbidden(), "delivered after %d bytes over IPv%d: %s", taken, 6 if six else 4, plc.forbidden())
            r.close()
            plc.close()


def allowed_before_and_after(ground):
    """The same with a read: allowed by the old policy and by the new one, it is answered when it is repeated, and the session
    goes on."""
    ground.settle_neighbours()
    for six in (False, True):
        ground.apply(READ, WRITE, PLAIN)
        plc = Plc(ground, (V6 if six else V4)["ot"])
        r = Raw(ground, "ops", plc.listener.getsockname()[0], 502, 25000 + ground.rng.randrange(1000), six).open()
        goes_on(r, plc)
        not_taken(ground, r, request())
        ground.apply(READ, PLAIN)
        answered(r)
        goes_on(r, plc)
        expect(not r.resets, "resets %s", r.resets)
        r.close()
        plc.close()


CASES = [narrowed_before_it_was_taken, allowed_before_and_after]
