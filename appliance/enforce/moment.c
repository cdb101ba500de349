/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By which moment it is judged what has ended. Until the clock is trusted since the machine started (supervise/clock.h) that moment
 * lies behind every end: the same path that leaves out what is over leaves out what might be, in cells, in labels, in the
 * comparison with what stands and in the packets that ask it.
 */
#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"

#define BEHIND_EVERY_END (UINT64_MAX / 2) /* far from where sums of seconds wrap round */

uint64_t enforce_moment(const struct enforce *f)
{
	return f->waits ? BEHIND_EVERY_END : clock_wall_ns() / 1000000000u;
}

void enforce_waits_due(struct enforce *f)
{
	struct sync_report s;
	struct err e;

	if (!f->waits_due || (f->now != NULL && enforce_mend(f, &s, &e) < 0))
		return; /* the kernel was busy with another's change */
	f->waits_due = false;
	/* Sessions in what opens now go on under what it grants. */
	enforce_relabel(f, NULL);
}

void enforce_waits(struct enforce *f, bool waits)
{
	f->waits_due = f->waits_due || f->waits != waits;
	f->waits = waits;
	enforce_waits_due(f);
}
