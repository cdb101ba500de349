/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation in memory: its permits and their ids, what the workers judge by, and the messages
 * that carry it to enforce, which puts it into force, to the journal, which takes names from it,
 * and to the other roles.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/store/in_force.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/tap/tap.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"
#include "policy/ir/seal.h"

#define UNSEAL_BUDGET (512u << 20)

static struct event_generation generation_of(const struct policy *p)
{
	return event_generation(p->number, p->ir->digest);
}

#define IDS_BUDGET (256u << 20)

/* What each permit is, and the id of the permit in force that it continues. */
static struct permit_wanted *wanted_of(const struct supervisor *s, const struct policy *p, struct arena *a)
{
	struct permit_wanted *wanted = arena_array(a, p->ir->n_permits + 1u, sizeof(*wanted));
	uint32_t *from = arena_array(a, p->ir->n_permits + 1u, sizeof(*from));
	const struct ir_place *places;
	/* As long as the kernel does not have the policy in force, it is not known which ids its
	 * sessions have. */
	bool carry = s->gens.loading.booted && s->gens.now != NULL;

	if (wanted == NULL || from == NULL || !ir_places_keep(p->ir, p->arena) || !ir_places(p->ir, a, &places) ||
	    (carry && !ir_carry_on(s->gens.now->ir, p->ir, a, from)))
		return NULL;
	for (uint32_t i = 0; i < p->ir->n_permits; i++)
		wanted[i] = (struct permit_wanted){ p->ir->permits[i].identity, places[i].digest,
						    carry && from[i] != UINT32_MAX ? s->gens.now->ids[from[i]] : 0 };
	return wanted;
}

static int give_ids(struct supervisor *s, struct policy *p, struct err *e)
{
	struct arena *a = arena_new(IDS_BUDGET);
	struct permit_wanted *wanted = a != NULL ? wanted_of(s, p, a) : NULL;
	int r;

	p->ids = calloc((size_t)p->ir->n_permits + 1, sizeof(*p->ids));
	if (p->ids == NULL || wanted == NULL) {
		r = err_set(e, -ENOMEM, "permit ids");
	} else if (s->op.kind == OP_DRY_RUN) {
		r = permit_ids_try(&s->gens.ids, p->ir->n_permits, wanted, p->ids, e);
	} else {
		r = permit_ids_assign(&s->gens.ids, p->ir->n_permits, wanted, p->ids, e);
		/* The ids are on the disk before anybody else learns them: an id that is given
		 * twice would give one session the rights of another. */
		if (r == 0)
			r = permit_ids_save(s->ground.state_fd, &s->gens.ids, e);
		/* A full disk must not keep a confirmed policy from coming into force at a start,
		 * at the end of a trial, or in a rollback. The few ids that are given out then are
		 * written as soon as there is room. If the box starts before that, these ids are
		 * not given out again. */
		if ((r == -ENOSPC || r == -EDQUOT || r == -EROFS) && s->op.kind != OP_APPLY &&
		    s->gens.ids.given <= PERMIT_IDS_SPARE)
			r = 0;
	}
	arena_free(a);
	return r;
}

bool is_unsaved(const struct supervisor *s)
{
	return s->gens.store.unsaved || s->gens.ids.unsaved || s->kept.unsaved;
}

struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		free(sealed);
		err_set(e, -ENOMEM, "generation");
		return NULL;
	}
	*p = (struct policy){ .sealed = sealed, .n_sealed = n, .number = number, .arena = arena_new(UNSEAL_BUDGET) };
	p->ir = p->arena != NULL ? arena_alloc(p->arena, sizeof(*p->ir)) : NULL;
	if (p->ir == NULL) {
		err_set(e, -ENOMEM, "generation");
	} else if (ir_unseal(bytes_of(sealed, n), p->arena, p->ir, e) >= 0 && give_ids(s, p, e) >= 0) {
		p->image = ir_table_image(p->ir, p->ids, &p->n_image);
		if (p->image != NULL)
			return p;
		err_set(e, -ENOMEM, "command tables");
	}
	policy_free(p);
	return NULL;
}

struct policy *policy_empty(struct supervisor *s, struct err *e)
{
	struct ir nothing = {
		.site_name = "", .site_label = "", .site_contact = "", .records_purpose = "", .records_responsible = ""
	};
	uint8_t *sealed;
	size_t n;

	if (ir_seal(&nothing, &sealed, &n, e) < 0)
		return NULL;
	return policy_new(s, sealed, n, 0, e);
}

struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e)
{
	struct policy *p;
	uint8_t *sealed;
	size_t n;

	if (number == 0)
		return policy_empty(s, e);
	if (generation_load(&s->gens.store, number, &sealed, &n, e) < 0)
		return NULL;
	p = policy_new(s, sealed, n, number, e);
	if (p == NULL || generation_is(&s->gens.store, number, p->ir->digest))
		return p;
	policy_free(p);
	err_set(e, -EBADMSG, "gen-%llu.sealed is another generation than its history says", (unsigned long long)number);
	return NULL;
}

int policy_sealed(const struct generations *gens, uint64_t number)
{
	uint8_t *p = NULL;
	struct err e;
	size_t n;
	int fd = -1;

	if (number == gens->now->number)
		return memfd_sealed("sekisho-generation", gens->now->sealed, gens->now->n_sealed);
	if (generation_load(&gens->store, number, &p, &n, &e) == 0)
		fd = memfd_sealed("sekisho-generation", p, n);
	free(p);
	return fd;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	free(p->sealed);
	free(p->ids);
	free(p->image);
	arena_free(p->arena);
	free(p);
}

/* Whether live sessions of the permit may go on after the permit has ended, so that its table must
 * stay. */
static bool lingers(const void *ctx, uint32_t permit)
{
	const struct policy *old = ctx;

	for (uint32_t i = 0; old != NULL && i < old->ir->n_permits; i++)
		if (old->ids[i] == permit)
			return old->ir->permits[i].tighten_new_flows;
	return true; /* a permit of an earlier policy, whose sessions may still go on */
}

struct table_part policy_part(const struct policy *p)
{
	return (struct table_part){ .image = p->image, .n = p->n_image, .of = generation_of(p) };
}

struct table_part table_part(const struct table *t)
{
	return (struct table_part){ .image = t->image, .n = t->n, .permits = t->permits };
}

bool policy_table(const struct policy *p, const struct policy *old, struct table_part table, struct table *ret)
{
	const struct table_part own = policy_part(p);

	return table_merge(&own, &table, lingers, old, ret);
}

int policy_memfd(const struct policy *p, const struct table *table, bool journal)
{
	size_t others = table != NULL ? table->n_permits : 0,
	       n = p->n_sealed + (size_t)p->ir->n_permits * 4 + others * (journal ? 12 : 4);
	uint8_t *buf = malloc(n + 1);
	struct outbuf o = outbuf_of(buf, buf != NULL ? n : 0);
	int fd;

	if (buf == NULL)
		return -ENOMEM;
	out_bytes(&o, p->sealed, p->n_sealed);
	for (uint32_t i = 0; i < p->ir->n_permits; i++)
		out_be32(&o, p->ids[i]);
	for (size_t i = 0; i < others && journal; i++)
		event_generation_put(&o, table->permits[i].of);
	for (size_t i = 0; i < others && !journal; i++)
		out_be32(&o, table->permits[i].permit);
	fd = o.failed ? -EOVERFLOW : memfd_sealed("sekisho-generation", buf, n);
	free(buf);
	return fd;
}

int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e)
{
	const struct msg_body m = { MSG_APPLY,
				    .apply = { .flags = (uint8_t)(flags | (s->gens.loading.adopted ? 0 : APPLY_BOOT)),
					       .n_sealed = (uint32_t)p->n_sealed,
					       .n_ids = p->ir->n_permits * 4 } };
	int fd = policy_memfd(p, &s->workforce.table, false);
	bool sent;

	if (fd < 0)
		return err_set(e, fd, "generation for the enforce role");
	sent = role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, 1);
	close(fd);
	return sent ? 0 : err_set(e, -EPIPE, "generation for the enforce role");
}

/* ---- names for the journal ------------------------------------------------------------------- */

/* The kernel's numbers of all interfaces. Records name an interface by its number. */
static void number_interfaces(struct ground *ground, const struct policy *p, struct msg_numbers *ret)
{
	uint32_t n = p->ir->n_interfaces;

	if (n > MSG_NUMBERS || box_indexes(&ground->spaces, p->ir, ret->list, NULL) < 0)
		return;
	ret->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (p->ir->interfaces[i].admin)
			ret->list[i] = 0;
}

/* Tells the journal what its records need. Takes over `fd`, which may be negative: nothing is
 * told. */
static void tell_journal(struct supervisor *s, const struct msg_body *m, int fd)
{
	if (fd < 0)
		return;
	/* While there is no journal, what has waited longest makes room. */
	while (msg_send(s->sockets.told_in, 0, m, &fd, 1) == -EAGAIN &&
	       recv(s->sockets.told_out, &(char){ 0 }, 1, MSG_DONTWAIT) > 0)
		;
	close(fd);
}

void journal_generation(struct supervisor *s, const struct policy *p)
{
	struct msg_body m = { MSG_GENERATION, .generation = { .which = generation_of(p),
							      .n_sealed = (uint32_t)p->n_sealed,
							      .n_ids = p->ir->n_permits * 4 } };
	int fd = policy_memfd(p, &s->workforce.table, true);

	if (fd < 0)
		return;
	number_interfaces(&s->ground, p, &m.generation.interfaces);
	tell_journal(s, &m, fd);
}

void journal_doors(struct supervisor *s)
{
	tell_journal(s, &(struct msg_body){ .type = MSG_DOORS }, paper_memfd(&s->reported, PAPER_DOORS));
	journal_generation(s, s->gens.now);
}

void journal_retention(struct supervisor *s)
{
	const struct msg_body m = { MSG_RETENTION,
				    .retention = retention_now(s->gens.now->ir, s->gens.trial.number,
							       s->reported.clock.wait == CLOCK_TRUSTED) };

	role_send(s, &s->slots[SLOT_JOURNAL], 0, &m, NULL, 0);
}

void role_told(struct supervisor *s, struct slot *sl)
{
	const struct generation_record *g = generation_find(&s->gens.store, s->gens.store.confirmed);
	struct msg_body now = { .type = MSG_IN_FORCE };
	struct err e = { 0 };

	if (!slot_alive(sl) || s->gens.now == NULL)
		return;
	/* Whether passed sessions are recorded is a setting of the kernel's socket that reports
	 * them (appliance/tap/tap.h). If the tap has never started, there is nothing to set. */
	if (sl->role == ROLE_TAP && s->sockets.passed >= 0 &&
	    tap_sessions_hear(s->sockets.passed, s->gens.now->ir->record_passed, &e) < 0)
		supervisor_say(s, M_PASSED_NOT_HEARD, e.text);
	/* Without this list a gate answers no segment that belongs to no session, and those
	 * sessions time out. */
	if (sl->role == ROLE_GATE && s->sockets.pairs >= 0)
		role_send(s, sl, 0, &(struct msg_body){ .type = MSG_PAIRS }, &s->sockets.pairs, 1);
	now.in_force.now = generation_of(s->gens.now);
	now.in_force.since = g != NULL ? g->applied_ns / SECOND : 0;
	/* A new enforce does not know the policy in force yet, and may get one on trial first. */
	now.in_force.sources = s->gens.trial.number != 0
				       ? s->gens.trial.sources
				       : sl->state == SLOT_STARTING && ir_time_sources(s->gens.now->ir);
	if (sl->role == ROLE_TAP || sl->role == ROLE_ENFORCE || sl->role == ROLE_GATE)
		role_send(s, sl, 0, &now, NULL, 0);
}

void in_force_tell(struct supervisor *s)
{
	s->ground.events.now = generation_of(s->gens.now);
	if (s->gens.trial.number == 0)
		s->gens.trial.sources = ir_time_sources(s->gens.now->ir);
	if (s->gens.now->number != 0)
		generation_turn(&s->gens.store, s->gens.now->number);
	for (unsigned i = 0; i < SLOTS; i++)
		role_told(s, &s->slots[i]);
}

void pairs_told(struct supervisor *s, struct msg *m)
{
	if (s->sockets.pairs >= 0)
		close(s->sockets.pairs);
	s->sockets.pairs = msg_take_fd(m, 0);
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		role_told(s, &s->slots[SLOT_GATE + w]);
}
