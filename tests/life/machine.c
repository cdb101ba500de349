/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/life/life.h"

struct machine machine;

static void start(void)
{
	static const char *const names[CARDS] = { "eth0", "eth1", "eth2", "eth9" };
	static unsigned starts;

	snprintf(machine.boot, sizeof(machine.boot), "start-%u", ++starts);
	for (unsigned i = 0; i < CARDS; i++)
		machine.cards[i] = (struct card){ .name = names[i], .place = CARD_HOME };
	machine.base = machine.forwarding = machine.isolated = machine.ends_stand = false;
	machine.gate_open = 0;
	memset(machine.digest, 0, sizeof(machine.digest));
}

void machine_new(void)
{
	machine = (struct machine){ .mono_ns = 1000 * SECOND, .wall_ns = 1795000000 * SECOND, .sync = CLOCK_SYNC_YES };
	start();
}

void machine_off(void)
{
	machine.disk_full = false;
	machine.mono_ns += 30 * SECOND;
	machine.wall_ns += 30 * SECOND;
	start();
}

struct card *machine_card(const char *name)
{
	for (unsigned i = 0; i < CARDS; i++)
		if (strcmp(machine.cards[i].name, name) == 0)
			return &machine.cards[i];
	return NULL;
}

int machine_call(const char *what, struct err *e)
{
	life_moment();
	if (++machine.calls != machine.fails_at)
		return 0;
	machine.failed = what;
	return err_set(e, -EIO, "%s", what);
}
