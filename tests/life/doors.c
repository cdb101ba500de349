/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the role enforce that are about doors, isolations and the clock: its own files, over
 * a kernel that is the machine.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/door_book.h"
#include "appliance/enforce/doors.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/isolate.h"
#include "appliance/enforce/isolations.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/trust.h"
#include "appliance/kernel/isolation_pairs.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/policies.h"
#include "tests/life/processes.h"
#include "tests/life/processes_private.h"

static struct enforce enforce = { .roles.events = { .fd = -1 } };
static struct generation_held held;

static void drop(struct generation_held *g)
{
	free(g->ids);
	arena_free(g->arena);
	*g = (struct generation_held){ .arena = NULL };
}

/* The machine has no neighbours. */
int neighbours_read(int fd, struct neighbour *ret, size_t most)
{
	(void)fd;
	(void)ret;
	(void)most;
	return 0;
}

void doors_begin(int events)
{
	doors_end();
	enforce = (struct enforce){ .roles.events = { .fd = events }, .timing = { .waits = true } };
	trust_open(&enforce.timing.trust);
}

void doors_end(void)
{
	json_decref(enforce.doors.list);
	json_decref(enforce.isolated.list);
	drop(&held);
	if (enforce.roles.events.fd >= 0)
		close(enforce.roles.events.fd);
	enforce = (struct enforce){ .roles.events = { .fd = -1 } };
}

/* The machine has one door. */
void enforce_waits_due(struct enforce *f)
{
	if (!f->timing.waits_due || f->now == NULL)
		return;
	f->timing.waits_due = false;
	machine.gate_open = 0;
	for (uint32_t i = 0; i < f->now->ir.n_doors && !f->timing.waits; i++)
		if (door_until(f->doors.list, &f->now->ir.doors[i]) > machine.gate_open)
			machine.gate_open = door_until(f->doors.list, &f->now->ir.doors[i]);
}

void enforce_waits(struct enforce *f, bool waits)
{
	machine.ends_wait = f->timing.waits = waits;
	f->timing.waits_due = true;
	enforce_waits_due(f);
}

/* Something is isolated if the list names any pairs. */
json_t *enforce_isolate(struct enforce *f, bool rehearse, const json_t *list, const struct generation_held *next,
			struct err *e)
{
	const struct generation_held *now = f->now != NULL ? f->now : next;
	const struct isolated_policy of_now = { &now->ir, now->ids },
				     of_next = { next != NULL ? &next->ir : NULL, next != NULL ? next->ids : NULL };
	struct apart cut = { .n = 0 }, kept = { .n = 0 };

	(void)e;
	LIFE(isolation_pairs(list, &of_now, next != NULL && next != now ? &of_next : NULL, &cut, &kept));
	if (!rehearse) {
		machine.isolated = cut.n > 0;
		processes.apart = (unsigned)cut.n;
		processes.apart_kept = (unsigned)kept.n;
	}
	apart_free(&cut);
	apart_free(&kept);
	return json_pack("{s:i}", "sessions", 0);
}

/* The generation of this message, which the caller owns. False: it is malformed. */
static bool hold(struct bytes all, size_t n_sealed, struct generation_held *ret)
{
	struct generation_held next = { .arena = arena_new(GENERATION_BYTES_MOST) };
	struct bytes sealed;
	struct err e;

	if (next.arena == NULL || !bytes_take(&all, n_sealed, &sealed) ||
	    ir_unseal(sealed, next.arena, &next.ir, &e) < 0 ||
	    (next.ids = calloc(next.ir.n_permits + 1u, sizeof(*next.ids))) == NULL) {
		drop(&next);
		return false;
	}
	for (uint32_t i = 0; i < next.ir.n_permits; i++)
		LIFE(bytes_be32(&all, &next.ids[i]));
	*ret = next;
	return true;
}

enum clock_wait doors_try(struct process *p, struct bytes all, const struct msg_apply *m)
{
	bool tried = enforce.now != NULL && ir_time_sources(&enforce.now->ir) && (m->flags & APPLY_TRIAL) != 0;
	struct generation_held next;
	enum clock_wait waits;

	enforce.roles.control = p->chan;
	if (!hold(all, m->n_sealed, &next))
		return CLOCK_TRUSTED;
	enforce_trust_before(&enforce, &next);
	waits = enforce_trust_waits(&enforce, &next, tried);
	drop(&next);
	return waits;
}

/* The rules of this generation are loaded. */
void doors_apply(struct bytes all, size_t n_sealed)
{
	bool had_sources = enforce.now != NULL && ir_time_sources(&enforce.now->ir);
	struct generation_held next;

	if (!hold(all, n_sealed, &next))
		return;
	enforce_isolations_before(&enforce, &next);
	drop(&held);
	held = next;
	enforce.now = &held;
	enforce_isolations_before(&enforce, &held);
	machine.ends_wait = enforce.timing.waits;
	enforce.timing.waits_due = true;
	enforce_waits_due(&enforce);
	enforce_trust_after(&enforce, had_sources);
}

/* Instead of the list that an order has changed. */
static bool too_long(struct process *p, uint32_t id)
{
	static const uint8_t list[(1u << 20) + 1];
	int fd = memfd_sealed("doors", list, sizeof(list));
	bool sent = fd >= 0 && msg_send(p->chan, id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	return sent;
}

bool doors_hear(struct process *p, struct msg *m)
{
	enforce.roles.control = p->chan;
	switch ((unsigned)m->body.type) {
	case MSG_IN_FORCE:
		enforce.roles.events.now = m->body.in_force.now;
		enforce.timing.trust.sources = m->body.in_force.sources != 0;
		enforce.timing.trust.policy = m->body.in_force.since;
		enforce_isolations_in_force(&enforce);
		return true;
	case MSG_ISOLATE:
		return enforce_isolation(&enforce, m);
	case MSG_ISOLATIONS:
		enforce_isolations(&enforce, m->fds[0]);
		return true;
	case MSG_CLOCK:
		return enforce_trust(&enforce, m);
	case MSG_DOOR:
		return processes.doors_too_long ? too_long(p, m->id) : enforce_door(&enforce, m);
	default:
		return enforce_doors(&enforce, m->id, m->fds[0]);
	}
}

void doors_turn(struct process *p)
{
	enforce.roles.control = p->chan;
	enforce_doors_due(&enforce);
	enforce_trust_due(&enforce);
}
