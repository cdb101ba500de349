/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/deaf.h"

void deaf_forget(struct deaf *d)
{
	const uint64_t heard_ns = d->heard_ns;

	*d = (struct deaf){ .heard_ns = heard_ns };
}

static enum deaf_change hears(struct deaf *d, uint64_t now_ns)
{
	d->heard_ns = now_ns;
	if (d->on) {
		d->on = false;
		return DEAF_ENDS;
	}
	deaf_forget(d);
	return DEAF_SAME;
}

static void add(struct deaf *d, uint64_t packets, uint64_t now_ns, uint64_t wall_ns)
{
	if (d->first_ns == 0) {
		d->first_ns = now_ns;
		d->since_wall_ns = wall_ns;
	} else if (d->again_ns == 0 && now_ns - d->first_ns >= DEAF_APART_NS) {
		d->again_ns = now_ns;
	}
	d->packets += packets;
	d->last_wall_ns = wall_ns;
}

enum deaf_change deaf_look(struct deaf *d, uint64_t packets, bool heard, bool runs, uint64_t now_ns, uint64_t wall_ns)
{
	if (heard)
		return hears(d, now_ns);
	if (!d->on && !runs) {
		deaf_forget(d);
		return DEAF_SAME;
	}
	/* Those that were just heard are counted a little later. */
	if (packets > 0 && (d->on || d->heard_ns == 0 || now_ns - d->heard_ns >= DEAF_WAIT_NS))
		add(d, packets, now_ns, wall_ns);
	if (d->on || d->again_ns == 0 || now_ns - d->again_ns < DEAF_WAIT_NS)
		return DEAF_SAME;
	d->on = true;
	return DEAF_BEGINS;
}
