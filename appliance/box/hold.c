/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/hold.h"

#include <errno.h>

#include "appliance/box/rtnl.h"

int box_hold(const struct box_spaces *s, const char *device, struct err *e)
{
	struct rtnl *home = rtnl_open(s->home, s->home, e);
	struct rtnl_link l;
	int r;

	if (home == NULL)
		return e->code;
	r = rtnl_link_get(home, device, &l, e);
	/* What moves is down on arrival, and without an address. */
	if (r == 0)
		r = rtnl_link_move(home, l.index, s->data, NULL, e);
	rtnl_close(home);
	return r == -ENODEV ? 0 : r;
}
