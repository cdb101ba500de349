/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that several roles answer. Each is asked at once, everybody has the same short deadline, and who does not
 * answer is named as silent: a hung role never makes the whole box mute. What roles say is bounded in size and only ever
 * copied into the answer.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/supervise.h"

#define STATUS_LIMIT 500000000ull
#define LONG_LIMIT 8000000000ull
#define IMPACT_LIMIT 1000000000ull
#define WORKER_JSON_MAX (256u << 10)
#define JSON_MAX (64u << 20)

/* ---- asking ------------------------------------------------------------------------------------------------------- */

static struct collect *collect_new(struct supervisor *s, enum collect_kind k, struct asker a, uint64_t limit)
{
	for (size_t i = 0; i < COLLECTS; i++) {
		struct collect *c = &s->collects[i];

		if (c->kind != COLLECT_NONE)
			continue;
		*c = (struct collect){ .kind = k, .asker = a, .id = ++s->next_id, .deadline = mono_ns() + limit };
		return c;
	}
	return NULL;
}

/* The sentence in every language, {"en": ..., "ja": ...}: who asks chooses. */
static json_t *json_sentence(enum message m, ...)
{
	struct sentence said;
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&said, m, ap);
	va_end(ap);
	return sentence_json(&said);
}

static void too_many(struct supervisor *s, struct asker a)
{
	answer_json(s, a, 3, json_pack("{s:o}", "error", json_sentence(M_CONTROL_MANY)));
}

static void ask(struct supervisor *s, struct collect *c, unsigned slot, const struct outbuf *query)
{
	struct slot *sl = &s->slots[slot];

	if (sl->state == SLOT_OFF)
		return;
	c->waiting[slot] = role_send(s, sl, MSG_QUERY, c->id, query, NULL, 0);
	c->silent[slot] = !c->waiting[slot];
}

static void ask_word(struct supervisor *s, struct collect *c, unsigned slot, enum query q)
{
	uint8_t space[1];
	struct outbuf b = outbuf_of(space, sizeof(space));

	out_u8(&b, (uint8_t)q);
	ask(s, c, slot, &b);
}

static void finish_if_done(struct supervisor *s, struct collect *c);

void collect_start(struct supervisor *s, enum collect_kind k, struct asker a)
{
	struct collect *c = collect_new(s, k, a, k == COLLECT_STATUS ? STATUS_LIMIT : LONG_LIMIT);

	if (c == NULL) {
		too_many(s, a);
		return;
	}
	ask_word(s, c, SLOT_ENFORCE,
		 k == COLLECT_STATUS   ? QUERY_STATUS
		 : k == COLLECT_VERIFY ? QUERY_VERIFY
				       : QUERY_EFFECTIVE);
	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		ask_word(s, c, SLOT_DPI + w, QUERY_STATUS);
		if (k == COLLECT_STATUS)
			ask_word(s, c, SLOT_GATE + w, QUERY_STATUS);
	}
	if (k == COLLECT_STATUS) {
		ask_word(s, c, SLOT_JOURNAL, QUERY_STATUS);
		ask_word(s, c, SLOT_TAP, QUERY_STATUS);
		ask_word(s, c, SLOT_MGMT, QUERY_STATUS);
	}
	finish_if_done(s, c);
}

void collect_pass(struct supervisor *s, unsigned slot, const struct outbuf *query, struct asker a)
{
	struct collect *c = collect_new(s, COLLECT_PASS, a, LONG_LIMIT);

	if (c == NULL) {
		too_many(s, a);
		return;
	}
	ask(s, c, slot, query);
	finish_if_done(s, c);
}

void collect_impact(struct supervisor *s, const struct outbuf *body, int fd)
{
	struct collect *c = collect_new(s, COLLECT_IMPACT, (struct asker){ .kind = ASKER_NONE }, IMPACT_LIMIT);

	if (c == NULL) {
		impact_answered(s, NULL);
		return;
	}
	s->op.foretold.question = c->id;
	for (unsigned w = SLOT_DPI; w < SLOT_DPI + WORKER_MAX; w++) {
		if (s->slots[w].state == SLOT_OFF)
			continue;
		c->waiting[w] = role_send(s, &s->slots[w], MSG_IMPACT, c->id, body, &fd, 1);
		c->silent[w] = !c->waiting[w];
	}
	finish_if_done(s, c);
}

/* ---- putting together --------------------------------------------------------------------------------------------- */

json_t *json_generation(const struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	bool waiting = s->trial != 0 && s->trial == s->now->number;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)s->now->number, "digest",
			 json_hex(s->now->ir->digest, 32), "state",
			 s->now->number == 0 ? "none"
			 : waiting	     ? "waiting"
					     : "confirmed",
			 "applied", g != NULL ? json_time(g->applied_ns) : json_null(), "confirm_by",
			 waiting ? json_time(s->trial_until_wall) : json_null(), "by",
			 g != NULL ? json_text(g->by) : json_null());
}

json_t *json_history(const struct supervisor *s)
{
	json_t *list = json_array();

	for (size_t i = s->store.n; i > 0; i--)
		json_array_append_new(list, json_record(s, &s->store.list[i - 1]));
	return json_pack("{s:o}", "history", list);
}

static json_t *json_roles(const struct supervisor *s)
{
	static const char *const states[] = {
		[SLOT_OFF] = "off",
		[SLOT_DEAD] = "dead",
		[SLOT_STARTING] = "starting",
		[SLOT_RUNNING] = "running",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		if (sl->state != SLOT_OFF)
			json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s, s:i, s:o}", "role",
							      role_name(sl->role), "index", (int)sl->index, "pid",
							      (int)sl->pid, "state", states[sl->state], "restarts",
							      (int)sl->restarts, "since", json_time(sl->since_wall)));
	}
	return list;
}

static json_t *json_silent(const struct supervisor *s, const struct collect *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++)
		if (c->silent[i])
			json_array_append_new(list, json_pack("{s:s, s:i}", "role", role_name(s->slots[i].role),
							      "index", (int)s->slots[i].index));
	return list;
}

/* The answers of one kind of role in order, each with the index that we know, not the one that it says. */
static json_t *json_each(const struct collect *c, unsigned first)
{
	json_t *list = json_array();

	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		json_t *j = c->answer[first + w];

		if (!json_is_object(j))
			continue;
		json_object_set_new(j, "index", json_integer(w));
		json_array_append(list, j);
	}
	return list;
}

/* Takes "queues" out of the gates' answers into one list. */
static json_t *json_queues(const struct collect *c)
{
	json_t *list = json_array(), *q;
	size_t i;

	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		json_t *j = c->answer[SLOT_GATE + w];

		if (!json_is_object(j))
			continue;
		json_array_foreach(json_object_get(j, "queues"), i, q) if (json_is_object(q))
		{
			json_object_set_new(q, "worker", json_integer(w));
			json_array_append(list, q);
		}
		json_object_del(j, "queues");
	}
	return list;
}

/* The same object whether the role put it under its own name or not. */
static void set_part(json_t *j, const char *key, json_t *answer)
{
	json_t *inner = json_object_get(answer, key);

	if (json_is_object(answer))
		json_object_set(j, key, json_is_object(inner) ? inner : answer);
	else
		json_object_set_new(j, key, json_null());
}

/* Enforce tells of rules and settings; addresses, links and routes are our own business. */
static void add_network_drift(const struct supervisor *s, json_t *drift)
{
	const char *last = json_string_value(json_object_get(drift, "last"));
	json_t *own;

	if (!json_is_object(drift) || s->network_drifts == 0)
		return;
	own = json_time(s->network_drift_wall_ns);
	json_object_set_new(
		drift, "seen",
		json_integer(json_integer_value(json_object_get(drift, "seen")) + (json_int_t)s->network_drifts));
	if (last == NULL || strcmp(last, json_string_value(own)) < 0)
		json_object_set(drift, "last", own);
	json_decref(own);
}

static json_t *json_notice(const struct supervisor *s)
{
	if (sentence_said(&s->store_error))
		return sentence_json(&s->store_error);
	if (sentence_said(&s->boot_error))
		return sentence_json(&s->boot_error);
	return s->store.unsaved || s->ids.unsaved ? json_sentence(M_STORE_UNSAVED) : json_null();
}

static json_t *status_json(struct supervisor *s, struct collect *c)
{
	json_t *j = json_object();

	json_object_set_new(j, "site",
			    json_pack("{s:o, s:o}", "name", json_text(s->now->ir->site_name), "label",
				      json_text(s->now->ir->site_label)));
	json_object_set_new(j, "generation", json_generation(s));
	if (json_is_object(c->answer[SLOT_ENFORCE]))
		json_object_update_missing(j, c->answer[SLOT_ENFORCE]);
	add_network_drift(s, json_object_get(j, "drift"));
	json_object_set_new(j, "roles", json_roles(s));
	json_object_set_new(j, "queues", json_queues(c));
	json_object_set_new(j, "gates", json_each(c, SLOT_GATE));
	json_object_set_new(j, "workers", json_each(c, SLOT_DPI));
	set_part(j, "journal", c->answer[SLOT_JOURNAL]);
	set_part(j, "tap", c->answer[SLOT_TAP]);
	set_part(j, "mgmt", c->answer[SLOT_MGMT]);
	json_object_set_new(j, "silent", json_silent(s, c));
	json_object_set_new(j, "busy", json_boolean(s->op.kind != OP_NONE));
	json_object_set_new(j, "interfaces", json_interfaces(s));
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "cores", json_integer(s->cores));
	json_object_set_new(j, "workers_asked", json_integer(s->workers_asked));
	json_object_set_new(j, "notice", json_notice(s));
	return j;
}

/* Digest that a worker says it judges by, against the one that it should have. */
static json_t *json_tables(const struct supervisor *s, const struct collect *c, bool *equal)
{
	json_t *list = json_array();
	char want[65];

	*equal = true;
	for (size_t i = 0; i < 32; i++)
		snprintf(want + 2 * i, 3, "%02x", s->table_digest[i]);
	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		const char *has = json_string_value(json_object_get(c->answer[SLOT_DPI + w], "table"));
		bool same = has != NULL && strcmp(has, want) == 0;

		if (!s->pairs[w].wanted)
			continue;
		*equal &= same;
		json_array_append_new(list, json_pack("{s:i, s:o, s:b}", "index", (int)w, "digest",
						      has != NULL ? json_text(has) : json_null(), "equal", same));
	}
	return list;
}

static json_t *silent_error(enum role r)
{
	return json_pack("{s:o}", "error", json_sentence(M_CONTROL_SILENT, role_name(r)));
}

/* Of which box, site and moment this is true. The digest is the one that was read back from the kernel. */
static void date(const struct supervisor *s, json_t *j)
{
	json_t *generation = json_object_get(j, "generation"), *all = json_generation(s);
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(generation, "digest"), json_object_get(all, "digest")))
		json_object_update_missing(generation, all);
	json_decref(all);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site",
			    json_pack("{s:o, s:o}", "name", json_text(s->now->ir->site_name), "label",
				      json_text(s->now->ir->site_label)));
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

static json_t *effective_json(struct supervisor *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *tables;
	bool equal;

	if (!json_is_object(j)) {
		*status = 3;
		return silent_error(ROLE_ENFORCE);
	}
	tables = json_tables(s, c, &equal);
	json_object_set_new(j, "tables_digest", equal ? json_hex(s->table_digest, 32) : json_null());
	json_object_set_new(j, "tables", tables);
	date(s, j);
	return json_incref(j);
}

static void difference(void *ctx, const char *where, const char *what, const char *detail)
{
	json_array_append_new(ctx, json_pack("{s:o, s:s, s:o, s:i}", "where", json_text(where), "what", what, "detail",
					     json_text(detail), "line", 0));
}

static json_t *verify_json(struct supervisor *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *list, *tables, *around, *t;
	bool equal;
	size_t i;

	if (!json_is_object(j) || !json_is_boolean(json_object_get(j, "equal"))) {
		*status = 3;
		return json_is_object(j) ? json_incref(j) : silent_error(ROLE_ENFORCE);
	}
	list = json_object_get(j, "differences");
	around = json_surroundings(s);
	json_array_extend(list, around);
	json_decref(around);
	tables = json_tables(s, c, &equal);
	json_array_foreach(tables, i, t) if (!json_is_true(json_object_get(t, "equal")))
	{
		char where[32];

		snprintf(where, sizeof(where), "worker %lld",
			 (long long)json_integer_value(json_object_get(t, "index")));
		difference(list, where, json_is_string(json_object_get(t, "digest")) ? "table" : "silent", "");
	}
	json_object_set_new(j, "workers", tables);
	if (!equal || json_array_size(list) > 0)
		json_object_set_new(j, "equal", json_false());
	json_object_set_new(j, "generation", json_integer((json_int_t)s->now->number));
	*status = json_is_true(json_object_get(j, "equal")) && s->now->number != 0 ? 0 : 1;
	return json_incref(j);
}

/* ---- ending ------------------------------------------------------------------------------------------------------- */

static void collect_free(struct collect *c)
{
	for (unsigned i = 0; i < SLOTS; i++)
		json_decref(c->answer[i]);
	*c = (struct collect){ .kind = COLLECT_NONE };
}

/* Its place is free again before the operation goes on: it may ask the next question. */
static void impact_finish(struct supervisor *s, struct collect *c)
{
	struct collect mine = *c;

	*c = (struct collect){ .kind = COLLECT_NONE };
	impact_answered(s, &mine);
	collect_free(&mine);
}

static void finish(struct supervisor *s, struct collect *c)
{
	int status = 0;
	json_t *j = NULL;

	switch (c->kind) {
	case COLLECT_STATUS:
		j = status_json(s, c);
		break;
	case COLLECT_EFFECTIVE:
		j = effective_json(s, c, &status);
		break;
	case COLLECT_VERIFY:
		j = verify_json(s, c, &status);
		break;
	case COLLECT_PASS:
		status = 3;
		j = silent_error(ROLE_JOURNAL);
		break;
	case COLLECT_IMPACT:
		impact_finish(s, c);
		return;
	case COLLECT_NONE:
		return;
	}
	answer_json(s, c->asker, status, j);
	collect_free(c);
}

static void finish_if_done(struct supervisor *s, struct collect *c)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (c->waiting[i])
			return;
	finish(s, c);
}

void collect_answer(struct supervisor *s, struct slot *sl, struct msg *m)
{
	unsigned slot = (unsigned)(sl - s->slots);
	struct collect *c = NULL;
	uint8_t *text, status;
	struct err e;
	size_t n;

	for (size_t i = 0; i < COLLECTS; i++)
		if (s->collects[i].kind != COLLECT_NONE && s->collects[i].id == m->id && s->collects[i].waiting[slot])
			c = &s->collects[i];
	if (c == NULL)
		return; /* late: its question was answered without it */
	bytes_u8(&m->body, &status);
	if (c->kind == COLLECT_PASS) {
		answer_fd(s, c->asker, status, m->n_fds > 0 ? m->fds[0] : -1);
		*c = (struct collect){ .kind = COLLECT_NONE };
		return;
	}
	c->waiting[slot] = false;
	if (m->n_fds > 0 &&
	    memfd_read(m->fds[0], sl->role == ROLE_DPI ? WORKER_JSON_MAX : JSON_MAX, &text, &n, &e) == 0) {
		c->answer[slot] = json_loadb((const char *)text, n, 0, NULL);
		free(text);
	}
	finish_if_done(s, c);
}

void collect_gone(struct supervisor *s, struct slot *sl)
{
	unsigned slot = (unsigned)(sl - s->slots);

	for (size_t i = 0; i < COLLECTS; i++)
		if (s->collects[i].kind != COLLECT_NONE && s->collects[i].waiting[slot]) {
			s->collects[i].waiting[slot] = false;
			s->collects[i].silent[slot] = true;
			finish_if_done(s, &s->collects[i]);
		}
}

void collect_due(struct supervisor *s, uint64_t now)
{
	for (size_t i = 0; i < COLLECTS; i++) {
		struct collect *c = &s->collects[i];

		if (c->kind == COLLECT_NONE || now < c->deadline)
			continue;
		for (unsigned k = 0; k < SLOTS; k++)
			c->silent[k] |= c->waiting[k];
		finish(s, c);
	}
}

uint64_t collect_next(const struct supervisor *s)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < COLLECTS; i++)
		if (s->collects[i].kind != COLLECT_NONE && s->collects[i].deadline < due)
			due = s->collects[i].deadline;
	return due;
}
