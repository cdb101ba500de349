# SPDX-License-Identifier: Apache-2.0
"""All events of the matrix, in the order in which they are run: those that need the daemon with the
seam stand last, so that the box is made anew only once."""
import os

from box_events import BOX, BY_SEAM, OutOfMemory, ParserTakesMemory
from edit_events import EDITS
from flood_events import FLOODS
from isolation_events import ISOLATIONS
from other_events import OTHERS
from overload_events import OVERLOADS
from policy_events import POLICY, FewerWorkers
from refused_events import BY_STEP, REFUSED
from role_events import ROLES
from upgrade_events import BY_STEP as UPGRADED_BY_STEP, UPGRADES

EVENTS = POLICY + ISOLATIONS + EDITS + REFUSED + ROLES + UPGRADES + BOX + FLOODS + OTHERS + BY_STEP + UPGRADED_BY_STEP + OVERLOADS + BY_SEAM
# Cells of the table that no run here can reach, and why.
NOT_RUN = {"legacy iptables": "what registers it stays until its namespace ends: tests/netns/box, surroundings"}
if os.cpu_count() == 1:
    EVENTS = tuple(e for e in EVENTS if e is not FewerWorkers)
    NOT_RUN["FewerWorkers"] = "one processor has one worker of each kind"
if OutOfMemory not in BOX:
    NOT_RUN["OutOfMemory"] = "no groups with a limit on memory on this machine"
if ParserTakesMemory not in BY_SEAM:
    NOT_RUN["ParserTakesMemory"] = "no groups with a limit on memory on this machine, or a sanitizer's shadow of all memory"
