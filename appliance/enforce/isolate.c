/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people isolated: said by the supervisor before the first generation and whenever it changes, and part of everything that is compared and
 * mended from then on. A change of it waits for nothing but the kernel, whatever the policy's size: what is to stand is put into the sets
 * of the moment, which hold as well; then into the sets themselves, and out of the first again. So nothing that stays isolated passes in
 * between, though an interval set changes over later than what leaves it. Sessions end at their next packet, by the rules (policy/ir/skeleton/apart.c).
 */
#include "appliance/enforce/isolate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/conntrack.h"
#include "policy/ir/evaluate.h"

#define PAIRS_MOST_BYTES (APART_MOST * APART_PAIR_BYTES)
#define APART_BUDGET (16u << 20)
#define TOLD_SESSIONS 100u
#define TRIES 5

static void put_sets(struct batch *b, const struct image *i, unsigned first)
{
	for (unsigned s = first; s < first + 2; s++) {
		batch_set_flush(b, s);
		for (size_t k = 0; k < i->elements[s].n; k++)
			batch_element_add(b, s, &i->elements[s].list[k], 0);
	}
}

/* One of the three steps. */
static int step(struct enforce *f, const struct image *i, bool here, bool next, struct err *e)
{
	struct batch *b = batch_new(0);
	uint32_t line;
	int r;

	if (b == NULL)
		return err_set(e, -ENOMEM, "isolation");
	if (here)
		put_sets(b, i, SET_APART4);
	if (next)
		put_sets(b, i, SET_APART4_NEXT);
	r = batch_commit(b, &f->net, e, &line);
	batch_free(b);
	return r;
}

static int to_kernel(struct enforce *f, struct err *e)
{
	struct arena *a = arena_new(APART_BUDGET);
	struct image full, nothing;
	int r = 0;

	if (a == NULL)
		return err_set(e, -ENOMEM, "isolation");
	image_init(&full, a);
	image_init(&nothing, a);
	if (!apart_image(&f->apart, false, &full) || !apart_image(&f->apart, true, &full))
		r = err_set(e, -ENOMEM, "isolation");
	if (r == 0)
		r = step(f, &full, false, true, e);
	if (r == 0)
		r = step(f, &full, true, false, e);
	if (r == 0)
		r = step(f, &nothing, false, true, e);
	arena_free(a);
	return r;
}

/* The table may be gone or another's at this moment: then nothing passes until it is what it should be, with this in it. */
static int make_true(struct enforce *f, struct err *e)
{
	struct sync_report s;
	int r = to_kernel(f, e);

	if (r < 0 && f->now != NULL)
		r = enforce_mend(f, &s, e);
	return f->now == NULL ? 0 : r;
}

/* ---- what it does to live sessions ---------------------------------------------------------------------------------- */

struct meant {
	const struct enforce *f;
	const struct apart *apart;
	json_t *list;
	uint64_t n;
};

static int meant_note(const struct session *s, void *ctx)
{
	struct meant *m = ctx;
	const struct generation_held *g = m->f->now;
	struct question q = { .source = s->client,
			      .destination = s->server,
			      .l4proto = s->l4proto,
			      .port = s->server_port,
			      .now = enforce_moment(m->f) };

	if (s->ending || mark_permit(s->mark) == 0 || !apart_holds(m->apart, &s->client, &s->server))
		return 0;
	m->n++;
	if (json_array_size(m->list) < TOLD_SESSIONS)
		(void)json_array_append_new(m->list, enforce_session_json(g, NULL, s, &q));
	return 0;
}

static void meant_again(void *ctx)
{
	struct meant *m = ctx;

	json_array_clear(m->list);
	m->n = 0;
}

static bool cell_meets(const struct ir_cell *c, const struct apart *apart)
{
	struct addr_range both;

	for (size_t i = 0; i < apart->n; i++)
		if (addr_range_meet(&c->src, &apart->list[i].source, &both) &&
		    addr_range_meet(&c->dst, &apart->list[i].destination, &both))
			return true;
	return false;
}

/* Conduits that grant something between these ends, whether a session is there or not. */
static json_t *conduits(const struct generation_held *g, const struct apart *apart)
{
	bool *permits = g != NULL ? calloc(g->ir.n_permits + 1u, sizeof(*permits)) : NULL,
	     *named = g != NULL ? calloc(g->ir.n_conduits + 1u, sizeof(*named)) : NULL;
	json_t *list = json_array();

	for (uint32_t i = 0; permits != NULL && named != NULL && i < g->ir.n_cells; i++) {
		const struct ir_cell *c = &g->ir.cells[i];
		const struct command_permit *p;

		if (permits[c->permit] || !cell_meets(c, apart))
			continue;
		permits[c->permit] = true;
		p = commands_permit(&g->ir.table, c->permit + 1);
		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++)
			named[g->ir.table.grants[p->first_grant + k].conduit] = true;
	}
	for (uint32_t i = 0; named != NULL && g != NULL && i < g->ir.n_conduits; i++)
		if (named[i])
			(void)json_array_append_new(list, json_text(g->ir.conduits[i].name));
	free(permits);
	free(named);
	return list;
}

static json_t *told(struct enforce *f, const struct apart *apart, struct err *e)
{
	struct meant m = { .f = f, .apart = apart, .list = json_array() };
	int r = conntrack_dump(&f->net, meant_note, meant_again, &m, e);

	if (r < 0 || m.list == NULL) {
		json_decref(m.list);
		return NULL;
	}
	return json_pack("{s:I, s:o, s:o}", "sessions", (json_int_t)m.n, "ends", m.list, "conduits",
			 conduits(f->now, apart));
}

/* ---- what is said --------------------------------------------------------------------------------------------------- */

static int read_pairs(int fd, struct apart *ret, struct err *e)
{
	struct msg_apart_pair p;
	uint8_t *bytes = NULL;
	size_t n = 0;
	int r = memfd_read(fd, PAIRS_MOST_BYTES, &bytes, &n, e);
	struct bytes b = bytes_of(bytes, r == 0 ? n : 0);

	*ret = (struct apart){ .n = 0 };
	while (r == 0 && b.left > 0) {
		struct apart_pair pair;

		if (!msg_take_apart_pair(&b, &p)) {
			r = err_set(e, -EBADMSG, "isolation");
			break;
		}
		pair = (struct apart_pair){ { { .family = p.family }, { .family = p.family } },
					    { { .family = p.family }, { .family = p.family } } };
		memcpy(pair.source.lo.b, p.source_lo, sizeof(p.source_lo));
		memcpy(pair.source.hi.b, p.source_hi, sizeof(p.source_hi));
		memcpy(pair.destination.lo.b, p.destination_lo, sizeof(p.destination_lo));
		memcpy(pair.destination.hi.b, p.destination_hi, sizeof(p.destination_hi));
		if (!apart_add(ret, &pair))
			r = err_set(e, -E2BIG, "isolation");
	}
	free(bytes);
	if (r < 0)
		apart_free(ret);
	return r;
}

json_t *enforce_isolate(struct enforce *f, bool rehearse, int fd, struct err *e)
{
	uint64_t began = clock_mono().ns;
	struct apart asked;
	json_t *j;

	if (read_pairs(fd, &asked, e) < 0)
		return NULL;
	/* Said with each apply: mostly it is what holds, which whoever compares and mends sees to. */
	if (!rehearse && f->apart_known && !f->mend_due && apart_same(&asked, &f->apart)) {
		apart_free(&asked);
		return json_object();
	}
	/* Before it is done: a session that is cut has no label any more by which it could be counted. */
	j = told(f, &asked, e);
	if (rehearse) {
		apart_free(&asked);
		return j;
	}
	apart_free(&f->apart);
	f->apart = asked;
	f->apart_known = true;
	if (make_true(f, e) < 0) {
		f->mend_due = true;
		json_decref(j);
		return NULL;
	}
	/* That nobody could count them is no reason to say that it was not done. */
	if (j == NULL)
		j = json_object();
	json_object_set_new(j, "took_us", json_integer((json_int_t)((clock_mono().ns - began) / 1000)));
	return j;
}
