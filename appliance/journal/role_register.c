/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/role_register.h"

#include <stdio.h>

#include "appliance/journal/reserve.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"

#define SECOND 1000000000ull
#define SAVE_NS SECOND		     /* ns within which a change is saved */
#define SAVE_STALE_NS (300 * SECOND) /* counts and times in the file may be this old, in ns */
#define SAVE_AGAIN_NS (10 * SECOND)

uint64_t role_turn_due(const struct role_turn *t, bool changed, bool stale)
{
	return changed ? t->at : stale ? t->stale_at : UINT64_MAX;
}

int role_register_save(struct journal_role *j, const struct columns_file *f, const void *row, struct err *e)
{
	int r;

	do
		r = columns_save(f, j->chain.dirfd, row, e);
	while (role_no_room(r) && reserve_release(&j->reserve));
	if (role_no_room(r))
		role_press(j, e);
	return r;
}

void role_register_write(struct journal_role *j, const struct columns_file *f, const void *row, struct role_turn *t,
			 bool *changed, bool *stale, uint64_t now, bool all)
{
	struct err e = { 0 };
	int r;

	if ((!*changed && !*stale) || (!all && now < role_turn_due(t, *changed, *stale)))
		return;
	r = role_register_save(j, f, row, &e);
	if (r < 0)
		fprintf(stderr, "sekishod journal: %s\n", e.text);
	else
		*changed = *stale = false;
	t->at = now + (r < 0 ? SAVE_AGAIN_NS : SAVE_NS);
	t->stale_at = now + (r < 0 ? SAVE_AGAIN_NS : SAVE_STALE_NS);
}
