/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that ask for the box, on each of its data interfaces: heard so often and not more (kernel/arp_limit.h). */
#include <errno.h>
#include <stdlib.h>

#include "appliance/box/box_private.h"
#include "appliance/box/netns.h"
#include "appliance/kernel/arp_limit.h"

int box_askers(const struct box_spaces *s, const struct ir *ir, bool dry, rtnl_note *note, void *ctx, struct err *e)
{
	const char **devices = calloc(ir->n_interfaces + 1u, sizeof(*devices));
	struct err back;
	size_t n = 0;
	int r;

	if (devices == NULL)
		return err_set(e, -ENOMEM, "ARP");
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (!ir->interfaces[i].admin)
			devices[n++] = ir->interfaces[i].device;
	r = netns_enter(s->data, e);
	if (r == 0) {
		r = arp_limit_set(devices, n, dry, note, ctx, e);
		if (netns_enter(s->home, &back) < 0)
			abort(); /* in the wrong namespace nothing may go on */
	}
	free(devices);
	return r;
}
