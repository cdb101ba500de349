/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps for how long observing conduits have refused nothing (clean.h): what they would have
 * refused comes from the workers' events; times during which a worker did not watch are noted as
 * gaps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/journal/role_clean.h"
#include "appliance/journal/role_private.h"

#define NAME "clean"
#define SECOND 1000000000ull
/* ns to wait after a generation: at a start several come in a row, and the last one counts */
#define RULE_NS (2 * SECOND)
#define SAVE_NS (10 * SECOND) /* ns within which a change is saved */
/* ns within which the file notes that the conduits are still watched */
#define ALIVE_NS (300 * SECOND)

void role_clean_open(struct journal_role *j)
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct err e;
	int r = file_read(j->chain.dirfd, NAME, CLEAN_BYTES, &p, &n, &e);

	if (r == 0 && !clean_take(p, n, &j->clean))
		fprintf(stderr, "sekishod journal: what observing conduits would have refused is damaged; it is "
				"watched anew\n");
	free(p);
	if (j->clean.alive_ns != 0)
		spans_add(&j->clean.gaps, j->clean.alive_ns, clock_wall_ns());
}

/* Notes a time without a watch. It begins at the last event of a worker, if there was one. */
static void unseen(struct journal_role *j, uint64_t until_ns)
{
	uint64_t from = j->clean_heard_ns != 0 && j->clean_heard_ns < until_ns ? j->clean_heard_ns : until_ns;

	spans_add(&j->clean.gaps, from, until_ns);
	j->clean.changed = true;
}

/* A session and its first request are reported one after the other, but they are one refusal. */
static bool told_before(struct journal_role *j, const struct event *e)
{
	const struct event was = j->clean_last;

	j->clean_last = *e;
	return was.kind != e->kind && was.kind != 0 && was.reason == e->reason && was.count == 1 && e->count == 1 &&
	       was.client_port == e->client_port && was.server_port == e->server_port &&
	       addr_cmp(&was.client, &e->client) == 0 && addr_cmp(&was.server, &e->server) == 0;
}

void role_clean_heard(struct journal_role *j, const struct event *e, enum role from)
{
	struct named named;

	if (e->kind == EVENT_DECIDED || (e->kind == EVENT_LOST && from == ROLE_DPI) ||
	    (e->kind == EVENT_MACHINE && e->code == MACHINE_UNINSPECTED))
		unseen(j, e->wall_ns);
	if (from != ROLE_DPI)
		return;
	if ((e->kind == EVENT_PDU || e->kind == EVENT_FLOW) && e->verdict == EV_OBSERVE) {
		names_of_event(&j->names, e, &named);
		/* A sum names only the conduit of its first record. */
		if (named.conduit == NULL || e->count > 1)
			unseen(j, e->wall_ns);
		if (!told_before(j, e) && named.conduit != NULL)
			clean_see(&j->clean, named.conduit, e->reason, e->count, e->wall_ns);
	}
	j->clean_heard_ns = e->wall_ns;
}

void role_clean_rule(struct journal_role *j)
{
	j->clean_rule_at = clock_mono().ns + RULE_NS;
}

static void rule(struct journal_role *j)
{
	struct clean_conduit *list = NULL;
	size_t n = 0;

	j->clean_rule_at = 0;
	if (names_observing(&j->names, &list, &n))
		clean_rule(&j->clean, list, n, clock_wall_ns());
}

uint64_t role_clean_due(const struct journal_role *j)
{
	uint64_t save = j->clean.changed ? j->clean_at : j->clean.n > 0 ? j->clean_alive_at : UINT64_MAX;

	return j->clean_rule_at != 0 && j->clean_rule_at < save ? j->clean_rule_at : save;
}

void role_clean_write(struct journal_role *j, uint64_t now, bool all)
{
	uint8_t *p;
	struct err e = { 0 };
	size_t n;
	int r;

	if (j->clean_rule_at != 0 && now >= j->clean_rule_at)
		rule(j);
	if (j->clean.n == 0 && !j->clean.changed)
		return;
	if (!all && now < (j->clean.changed ? j->clean_at : j->clean_alive_at))
		return;
	j->clean.alive_ns = clock_wall_ns();
	p = clean_put(&j->clean, &n);
	r = p != NULL ? atomic_write(j->chain.dirfd, NAME, p, n, &e) : -ENOMEM;
	free(p);
	/* If the disk is full, the time since the last save counts as unwatched at the next
	 * start. */
	j->clean.changed = r < 0;
	j->clean_at = now + SAVE_NS;
	j->clean_alive_at = now + (r < 0 ? SAVE_NS : ALIVE_NS);
}

json_t *role_clean_json(struct journal_role *j)
{
	if (j->clean_rule_at != 0 && clock_mono().ns >= j->clean_rule_at)
		rule(j);
	/* The generation's observing conduits are not read yet. */
	return j->clean_rule_at != 0 ? json_object() : clean_json(&j->clean, clock_wall_ns());
}
