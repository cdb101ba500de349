/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/deny_base.h"

#include <errno.h>

#include "appliance/kernel/batch.h"
#include "appliance/kernel/dump.h"

#define ATTEMPTS 5
#define BASE_BUDGET (4u << 20)

static bool base_stands(const struct image *i)
{
	bool right = i->table && i->table_plain;

	for (uint32_t c = 0; c < BASE_CHAINS; c++)
		right = right && i->chains[c] && i->policy_drop[c];
	return right;
}

/* Finds out, once for each socket, whether it can own the table. A table that was made without an
 * owner cannot get one. */
static void ask_owns(struct netlink *n, const struct image *have)
{
	if (n->owns == OWNS_UNASKED)
		n->owns = (have->table ? have->table_persists : batch_owns(n)) ? OWNS_TABLE : OWNS_NOT;
}

static bool mine(const struct netlink *n, const struct image *have)
{
	return n->owns != OWNS_TABLE || have->table_owner == n->portid;
}

static int read_base(struct netlink *n, struct image *i, struct arena **a, struct err *e)
{
	int r;

	*a = arena_new(BASE_BUDGET);
	if (*a == NULL)
		return err_set(e, -ENOMEM, "read back the base chains");
	r = netlink_dump_base(n, *a, i, e);
	if (r < 0) {
		arena_free(*a);
		*a = NULL;
	}
	return r;
}

int deny_base_stands(struct netlink *n, bool *ret, struct err *e)
{
	struct image i = { 0 };
	struct arena *a;
	int r = read_base(n, &i, &a, e);

	*ret = r == 0 && base_stands(&i);
	arena_free(r == 0 ? a : NULL);
	return r;
}

static int complete_base(struct netlink *n, const struct image *have, struct err *e)
{
	struct batch *b = batch_new(have->generation_id);
	bool wrong = have->table && !have->table_plain;
	uint32_t line;
	int r;

	if (b == NULL)
		return err_set(e, -ENOMEM, "base rules");
	for (uint32_t c = 0; c < BASE_CHAINS; c++)
		wrong = wrong || have->chain_wrong[c];
	if (wrong)
		batch_table_delete(b);
	if (wrong || !have->table || !mine(n, have))
		batch_table(b, n->owns == OWNS_TABLE);
	for (uint32_t c = 0; c < BASE_CHAINS; c++)
		if (wrong || !have->chains[c] || !have->policy_drop[c])
			batch_chain(b, c);
	r = batch_commit(b, n, e, &line);
	batch_free(b);
	return r;
}

int deny_base_load(struct netlink *n, bool *ret_adopted, struct err *e)
{
	int r = -EAGAIN;

	*ret_adopted = false;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct image have = { 0 };
		struct arena *a;

		r = read_base(n, &have, &a, e);
		if (r < 0)
			return r;
		if (attempt == 0)
			*ret_adopted = base_stands(&have);
		ask_owns(n, &have);
		if (base_stands(&have) && mine(n, &have)) {
			arena_free(a);
			return 0;
		}
		r = complete_base(n, &have, e);
		arena_free(a);
		/* A table that was just made is read again: the loop ends only when it is right. */
		if (r < 0 && r != -ERESTART)
			return r;
	}
	return r < 0 ? r : err_set(e, -EAGAIN, "the base rules do not stay");
}

int deny_base_load_by(int fd, bool *ret_adopted, struct err *e)
{
	struct netlink n;
	int r = netlink_open(&n, fd, e);

	if (r == 0)
		r = deny_base_load(&n, ret_adopted, e);
	netlink_close(&n);
	return r;
}

int deny_base_load_here(bool *ret_adopted, struct err *e)
{
	struct netlink n;
	int r = netlink_open_here(&n, e);

	if (r < 0)
		return r;
	r = deny_base_stands(&n, ret_adopted, e);
	if (r == 0 && !*ret_adopted)
		r = deny_base_load(&n, ret_adopted, e);
	netlink_close_here(&n);
	return r;
}
