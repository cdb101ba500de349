/* SPDX-License-Identifier: Apache-2.0 */
/* Reports the kernel's counters of permits. The supervisor gets the record of uses, and keeps it
 * when this process ends; the journal is told how many sessions began. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/expect.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/used.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/commands.h"

/* ---- sessions that began, and what they carried ---------------------------------------------- */

/*
 * Once a minute and before an apply, the journal is told how many sessions of each conduit began.
 * The rules look up a TCP session twice (with its SYN, and with the segment that ends the client's
 * handshake) and all others once, so halves are counted. A session of a permit that several
 * conduits grant counts for each of them. So do the packets of sessions, which would count once if
 * they stay open for a month.
 */

#define EVERY_NS 60000000000ull

void begun_free(struct begun *b)
{
	free(b->told);
	*b = (struct begun){ 0 };
}

/* In halves of sessions. */
static uint64_t halves(unsigned set, const struct image_element *el)
{
	return cell_read(set, el).l4proto == IPPROTO_TCP ? el->packets : 2 * el->packets;
}

/*
 * The increase since the last report. A permit that is new began with zero; but before this
 * process's first report it is unknown since when a count has grown, so there is no increase. If
 * the count is lower than before, somebody replaced the element.
 */
static uint64_t since_told(const struct begun *b, const struct msg_used_permit *now)
{
	const struct msg_used_permit *was = matched_permit(b->told, b->n, now->permit);

	if (was == NULL)
		return b->told != NULL ? now->packets : 0;
	return now->packets > was->packets ? now->packets - was->packets : 0;
}

/* `by_permit`: by its index in the generation in force. */
static void tell_conduits(struct enforce *f, enum counts_code code, const uint64_t *by_permit)
{
	const struct ir *ir = &f->now->ir;
	uint64_t *of = calloc((size_t)ir->n_conduits + 1, sizeof(*of));

	for (uint32_t i = 0; of != NULL && i < ir->n_permits; i++) {
		const struct command_permit *p = by_permit[i] > 0 ? commands_permit(&ir->table, i + 1) : NULL;

		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++)
			if (ir->table.grants[p->first_grant + k].conduit < ir->n_conduits)
				of[ir->table.grants[p->first_grant + k].conduit] += by_permit[i];
	}
	for (uint32_t i = 0; of != NULL && i < ir->n_conduits; i++)
		if (of[i] > 0) {
			struct event e = event_new(EVENT_COUNTS, clock_wall_ns());

			e.code = code;
			e.conduit = i;
			e.count = of[i];
			event_send(&f->roles.events, &e);
		}
	free(of);
}

static void tell_begun(struct enforce *f, struct msg_used_permit *list, size_t n)
{
	uint64_t *by_permit = calloc((size_t)f->now->ir.n_permits + 1, sizeof(*by_permit));

	for (size_t i = 0; by_permit != NULL && i < n; i++) {
		uint64_t new = since_told(&f->uses.begun, &list[i]);
		uint32_t index = new > 1 ? generation_permit(f->now, list[i].permit) : UINT32_MAX;

		/* If half a session is left over, it is kept for the next report, because its other
		 * half will be counted by then. */
		list[i].packets -= new % 2;
		if (index < f->now->ir.n_permits)
			by_permit[index] += new / 2;
	}
	if (by_permit != NULL)
		tell_conduits(f, COUNTS_BEGUN, by_permit);
	free(by_permit);
}

void begun_looked(struct enforce *f, const struct image *have, bool at_once)
{
	struct begun *b = &f->uses.begun;
	uint64_t now = clock_mono().ns;
	struct msg_used_permit *list = NULL;
	size_t n = 0;

	if (f->now != NULL && (at_once || now >= b->due_ns))
		list = matched_counts(have, halves, 0, &n);
	if (list == NULL)
		return;
	tell_begun(f, list, n);
	free(b->told);
	*b = (struct begun){ .told = list, .n = n, .due_ns = now + EVERY_NS, .carried_due_ns = b->carried_due_ns };
}

void carried_looked(struct enforce *f)
{
	uint64_t now = clock_mono().ns;

	if (now < f->uses.begun.carried_due_ns)
		return;
	tell_conduits(f, COUNTS_CARRIED, f->uses.heard.untold);
	memset(f->uses.heard.untold, 0, f->now->ir.n_permits * sizeof(uint64_t));
	f->uses.begun.carried_due_ns = now + EVERY_NS;
}

/* ---- the record of uses ---------------------------------------------------------------------- */

/* The record (matched.h) is sent to the supervisor after each look, and the next process receives
 * it from there before the first apply. */

int enforce_used_heard(struct uses *uses, int fd, struct err *e)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int r = uses->matched.looked_ns != 0 ? 0 : memfd_read(fd, USED_BYTES, &p, &n, e);

	if (p != NULL)
		r = matched_take(p, n, &uses->matched, e);
	free(p);
	return r;
}

void enforce_used_tell(struct enforce *f)
{
	struct msg_body m = { MSG_USED, .used = { .at_once = f->uses.matched.at_once } };
	uint8_t *p;
	size_t n;
	int fd;

	if (!f->uses.matched.untold || f->now == NULL)
		return;
	f->uses.matched.untold = f->uses.matched.at_once = false;
	p = matched_put(&f->uses.matched, &n);
	fd = p != NULL ? memfd_sealed("sekisho-used", p, n) : -1;
	free(p);
	if (fd < 0)
		return; /* the next look tries again */
	(void)msg_send(f->roles.control, 0, &m, &fd, 1);
	close(fd);
}

void enforce_used_look(struct enforce *f)
{
	struct arena *a = f->now != NULL ? arena_new(DUMP_BUDGET) : NULL;
	struct image have;
	struct err e;

	if (a != NULL && netlink_dump(&f->kernel.net, a, &have, &e) == 0) {
		matched_note(&f->uses.matched, &have, f->now, clock_wall_ns());
		begun_looked(f, &have, true);
	}
	arena_free(a);
}
