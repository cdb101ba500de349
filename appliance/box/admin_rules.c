/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/admin_rules.h"

#include <linux/netfilter.h>
#include <stdlib.h>

#include "appliance/box/netns.h"

/* In the wrong namespace nothing may go on. */
static void back(const struct box_spaces *s)
{
	struct err e;

	if (netns_enter(s->home, &e) < 0)
		abort();
}

/* Of a policy without one, and of none at all, nobody is to enter: as before the first policy. */
static bool has_admin(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (ir->interfaces[i].admin)
			return true;
	return false;
}

int box_admin_rules(const struct box_spaces *s, const struct ir *ir, bool dry, plain_note *note, void *ctx,
		    struct err *e)
{
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = admin_rules_set(ir->peers, ir->n_peers, !has_admin(ir), dry, note, ctx, e);
	back(s);
	return r;
}

int box_admin_rules_base(const struct box_spaces *s, struct err *e)
{
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = admin_rules_base(e);
	back(s);
	return r;
}

int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e)
{
	int r = netns_enter(s->admin, e);

	*ret = (struct admin_rules_seen){ 0 };
	if (r < 0)
		return r;
	r = admin_rules_read(ir->peers, ir->n_peers, each, ctx, ret, e);
	back(s);
	return r;
}

struct beside {
	box_difference *each;
	void *ctx;
};

static void beside(void *ctx, const char *what)
{
	const struct beside *b = ctx;

	b->each(b->ctx, "admin namespace", "foreign", what);
}

int box_admin_rules_beside(const struct box_spaces *s, box_difference *each, void *ctx, struct err *e)
{
	struct beside b = { each, ctx };
	int r = netns_enter(s->admin, e);

	if (r < 0)
		return r;
	r = plain_table_others(NFPROTO_INET, beside, &b, e);
	back(s);
	return r;
}
