/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the sessions that an apply ends: they pass now, their permit leaves the policy, and no
 * other permit will allow them. If another permit allows a session, the session continues under
 * that permit, whose command table the workers have.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/memfd.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/cut.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct cutting {
	const struct generation_held *now, *next;
	const struct image *have;
	struct told *told;
	uint64_t now_s;
	bool failed;
};

/* Whether the session passes now. A session that was cut earlier may stay in the kernel's session
 * table for minutes; it does not count as ended once more. */
static bool passes_now(const struct cutting *c, uint32_t permit, const struct question *q)
{
	uint8_t key[IMAGE_KEY] = { 0 };

	memcpy(key, &permit, 4);
	memcpy(key + 4, &permit, 4);
	return image_find(c->have, SET_AGREE, key, key) != NULL ||
	       (c->now != NULL && evaluate_ir(&c->now->ir, q) != NULL);
}

static bool note_session(struct cutting *c, struct told_sessions *list, const struct session *s,
			 const struct question *q, uint32_t permit, const char *reason)
{
	const struct msg_told_session record = { { s->client, s->server, s->client_port, s->server_port, s->l4proto },
						 permit,
						 mark_lane(s->mark) == LANE_NONE };
	json_t *entry;
	size_t bytes;

	if (list->n == TOLD_MOST || list->more > 0) {
		list->more++;
		return true;
	}
	entry = enforce_session_json(c->now, c->next, s, q);
	if (entry == NULL || (reason != NULL && json_object_set_new(entry, "reason", json_string(reason)) < 0)) {
		json_decref(entry);
		return false;
	}
	/* An entry contains labels of any length, and the reader of the list refuses an entry that
	 * is too long. */
	bytes = json_dumpb(entry, NULL, 0, JSON_COMPACT);
	if (bytes > TOLD_JSON_NAMED - list->bytes) {
		json_decref(entry);
		list->more++;
		return true;
	}
	if (json_array_append_new(list->json, entry) < 0)
		return false;
	list->bytes += bytes;
	msg_put_told_session(&list->records, &record);
	list->n++;
	return !list->records.failed;
}

static int cut_note(const struct session *s, void *ctx)
{
	struct cutting *c = ctx;
	uint32_t id = mark_permit(s->mark);
	const struct ir_cell *cell;
	const struct question q = session_question(s, c->now_s);

	if (s->ending || !passes_now(c, id, &q))
		return 0;
	c->told->live++;
	if (generation_permit(c->next, id) != UINT32_MAX || generation_lingers(c->next, id))
		return 0;
	cell = evaluate_ir(&c->next->ir, &q);
	if (!(cell == NULL ? note_session(c, &c->told->cut, s, &q, 0, reason_word(R_ENDED))
			   : note_session(c, &c->told->changed, s, &q, c->next->ids[cell->permit], NULL)))
		c->failed = true;
	return 0;
}

static void told_forget(struct told_sessions *l)
{
	json_array_clear(l->json);
	l->records.len = 0;
	l->n = l->more = 0;
	l->bytes = 0;
}

static void cut_restart(void *ctx)
{
	struct cutting *c = ctx;

	told_forget(&c->told->cut);
	told_forget(&c->told->changed);
	c->told->live = 0;
}

static bool told_begin(struct told_sessions *l)
{
	size_t size = (size_t)TOLD_MOST * TOLD_SESSION_BYTES;
	uint8_t *p = malloc(size);

	*l = (struct told_sessions){ .json = json_array(), .records = outbuf_of(p, p != NULL ? size : 0) };
	return l->json != NULL && p != NULL;
}

int told_cuts(const struct told *t)
{
	struct cut_session *list = calloc(t->cut.n + 1, sizeof(*list));
	struct bytes b = bytes_of(t->cut.records.p, t->cut.records.len);
	struct msg_told_session s;
	size_t kept = 0;
	int fd;

	/* If the list is full, the remaining sessions end at their next packet. */
	while (list != NULL && kept < CUTS_MAX_BYTES / sizeof(*list) && msg_take_told_session(&b, &s))
		if (s.ends.l4proto == IPPROTO_TCP)
			list[kept++] = (struct cut_session){ s.ends.client, s.ends.server, s.ends.client_port,
							     s.ends.server_port, 0 };
	fd = list != NULL ? memfd_sealed("sekisho-cuts", list, kept * sizeof(*list)) : -ENOMEM;
	free(list);
	return fd;
}

void told_free(struct told *t)
{
	json_decref(t->cut.json);
	json_decref(t->changed.json);
	free(t->cut.records.p);
	free(t->changed.records.p);
	*t = (struct told){ .live = 0 };
}

int enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct told *ret,
		struct err *e)
{
	struct cutting c = {
		.now = f->now,
		.next = next,
		.have = have,
		.told = ret,
		.now_s = enforce_moment(f),
	};
	bool cut = told_begin(&ret->cut), changed = told_begin(&ret->changed);
	int r = cut && changed ? conntrack_dump(&f->kernel.net, cut_note, cut_restart, &c, e) : -ENOMEM;

	if (r == 0 && c.failed)
		r = -ENOMEM;
	return r == -ENOMEM ? err_set(e, r, "sessions that it cuts") : r;
}
