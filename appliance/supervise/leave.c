/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the end of the daemon leaves behind, told before the roles end: where each interface stays, and what decides about
 * packets there from now on. An end that was not asked for tells nothing; the next start, or `sekisho status`, does.
 */
#include "appliance/box/devices.h"
#include "appliance/supervise/supervise.h"

struct leaving {
	const struct supervisor *s;
};

static void stays(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
		  const char *addresses)
{
	const struct supervisor *s = ((const struct leaving *)ctx)->s;
	const char *space = i->admin ? s->o->admin_netns : s->o->data_netns;

	(void)card;
	(void)addresses;
	if (d == NULL)
		say(s, M_LEAVE_ABSENT, i->name, i->device);
	else
		say(s, d->up ? M_LEAVE_UP : M_LEAVE_DOWN, i->name, i->device, space);
}

void leave_say(const struct supervisor *s)
{
	if (s->now->number == 0) {
		say(s, M_LEAVE_NO_POLICY, s->o->data_netns);
		return;
	}
	say(s, M_LEAVE_RULES, (unsigned long long)s->now->number);
	(void)box_interfaces(&s->spaces, s->now->ir, stays, &(struct leaving){ s }, NULL);
}
