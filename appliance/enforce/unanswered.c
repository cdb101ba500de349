/* SPDX-License-Identifier: Apache-2.0 */
/* Reports what became of packets that left their queue without a verdict, and how many packets the
 * tap should receive. Only the kernel counts both. */
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/reason.h"

#define COUNTERS_BUDGET 65536u /* bytes */

#define RULES_BUDGET (1u << 20)

/*
 * Reasons that the kernel also logs to the tap. All such rules are in the skeleton and do not
 * depend on the policy; a further lane adds none. NULL while memory is out.
 */
static const bool *logged_reasons(void)
{
	static bool logged[REASON_COUNT], known;
	struct arena *a = known ? NULL : arena_new(RULES_BUDGET);
	struct ir_rule *rules = NULL;
	const struct ir_limits any = { .list = { 1 }, .n = 1 };
	size_t n = a != NULL ? ir_skeleton(0, IR_LAYERS, &any, a, &rules) : 0;

	for (uint32_t r = 0; r < REASON_COUNT && n > 0; r++)
		logged[r] = ir_logged(rules, n, r);
	known = known || n > 0;
	arena_free(a);
	return logged;
}

static uint64_t logged_packets(const struct image *have)
{
	const bool *logged = logged_reasons();
	uint64_t n = 0;

	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (logged[r])
			n += have->counters[r].packets;
	return n;
}

void enforce_unanswered(struct enforce *f)
{
	struct arena *a = arena_new(COUNTERS_BUDGET);
	struct msg_body m = { .type = MSG_UNANSWERED };
	struct msg_unanswered *u = &m.unanswered;
	static struct image have; /* static, because it is large */
	struct err e;

	/* A counter that could not be read is read the next time: the kernel goes on counting. */
	if (a != NULL && netlink_dump_counters(&f->net, a, &have, &e) == 0 && have.counters[R_DOWN_OPEN].present) {
		u->closed = have.counters[R_DOWN_CLOSED].packets;
		u->held = have.counters[R_DOWN_HELD].packets;
		u->hold_new = have.counters[R_DOWN_HOLD_NEW].packets;
		u->open = have.counters[R_DOWN_OPEN].packets;
		u->logged = logged_packets(&have);
		if (!f->unanswered_told || memcmp(u, &f->unanswered, sizeof(*u)) != 0)
			f->unanswered_told = msg_send(f->control, 0, &m, NULL, 0) == 0;
		f->unanswered = *u;
	}
	arena_free(a);
}
