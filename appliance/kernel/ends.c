/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/ends.h"

#include <errno.h>

#include "appliance/kernel/dump.h"

static int look(struct netlink *n, bool *ret, struct err *e)
{
	struct arena *a = arena_new(DUMP_BUDGET);
	struct image have;
	uint8_t digest[32];
	int r = a == NULL ? err_set(e, -ENOMEM, "read back what ends") : netlink_dump(n, a, &have, e);

	*ret = r == 0 && image_digest(&have, digest) && image_ends(&have) > 0;
	arena_free(a);
	return r;
}

int ends_stand_here(bool *ret, struct err *e)
{
	struct netlink n;
	int r = netlink_open_here(&n, e);

	*ret = false;
	if (r < 0)
		return r;
	r = look(&n, ret, e);
	netlink_close_here(&n);
	return r;
}
