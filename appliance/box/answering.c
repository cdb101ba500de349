/* SPDX-License-Identifier: Apache-2.0 */
/* For whom the kernel answers now, whoever has told it to: what people are shown, who would otherwise count entries of `ip neigh`. */
#include <errno.h>
#include <stdlib.h>

#include "appliance/box/box_private.h"
#include "appliance/box/facts.h"

static int one_answering(struct rtnl *data, const struct ir_interface *i, box_answered *each, void *ctx, struct err *e)
{
	struct addr_range *ranges = NULL;
	struct rtnl_answer *have = NULL;
	struct addr *hosts = NULL;
	struct rtnl_link l;
	size_t n = 0;
	int r = rtnl_link_get(data, i->device, &l, e);

	if (r == 0)
		r = rtnl_answers(data, l.index, &have, &n, e);
	if (r == -ENODEV)
		r = 0;
	if (r == 0 && n > 0) {
		ranges = calloc(n, sizeof(*ranges));
		hosts = calloc(n, sizeof(*hosts));
		r = ranges == NULL || hosts == NULL ? err_set(e, -ENOMEM, "list for whom it answers") : 0;
	}
	for (size_t k = 0; hosts != NULL && k < n; k++)
		hosts[k] = have[k].host;
	if (r == 0)
		each(ctx, i, ranges, n > 0 ? box_joined(hosts, n, ranges) : 0);
	free(hosts);
	free(ranges);
	free(have);
	return r;
}

int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e)
{
	struct handles h;
	bool any = false;
	int r;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		any = any || ir->interfaces[i].n_answers > 0;
	if (!any)
		return 0;
	r = box_open(s, &h, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		if (ir->interfaces[i].n_answers > 0)
			r = one_answering(h.data, &ir->interfaces[i], each, ctx, e);
	box_close(&h);
	return r;
}
