/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/isolation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/change.h"

#define NAME "isolations"
#define HEAD "sekisho isolations 1\n"
#define FILE_MOST (4u << 20)
#define PAIRS_MOST 8192u
#define MOST 64u /* isolations at once */
#define SECOND 1000000000ull
#define LIMIT_NS (10 * SECOND)
#define AGAIN_NS (5 * SECOND)
#define JSON_MOST (16u << 20)
#define EVERYTHING "everything"

/* ---- which addresses ------------------------------------------------------------------------------------------------ */

/* Pairs, as they go to enforce; beyond PAIRS_MOST nothing is taken, and it says so. */
struct pairs {
	struct outbuf out; /* its memory is owned */
	json_t *texts;	   /* the same as people and the file have them, or NULL; owned */
	size_t n;
	bool beyond;
};

static const struct addr_range all[2] = {
	{ { .family = 4 }, { .family = 4, .b = { 255, 255, 255, 255 } } },
	{ { .family = 6 },
	  { .family = 6, .b = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } } },
};

static bool pairs_begin(struct pairs *p, bool texts)
{
	uint8_t *room = malloc((size_t)PAIRS_MOST * APART_PAIR_BYTES);

	*p = (struct pairs){ .out = outbuf_of(room, room != NULL ? (size_t)PAIRS_MOST * APART_PAIR_BYTES : 0),
			     .texts = texts ? json_array() : NULL };
	return room != NULL;
}

static void pairs_end(struct pairs *p)
{
	free(p->out.p);
	json_decref(p->texts);
}

static void one_way(struct pairs *p, const struct addr_range *from, const struct addr_range *to)
{
	struct msg_apart_pair m = { .family = from->lo.family };
	char texts[2][2 * ADDR_TEXT];

	if (p->n == PAIRS_MOST) {
		p->beyond = true;
		return;
	}
	p->n++;
	memcpy(m.source_lo, from->lo.b, sizeof(m.source_lo));
	memcpy(m.source_hi, from->hi.b, sizeof(m.source_hi));
	memcpy(m.destination_lo, to->lo.b, sizeof(m.destination_lo));
	memcpy(m.destination_hi, to->hi.b, sizeof(m.destination_hi));
	msg_put_apart_pair(&p->out, &m);
	if (p->texts == NULL)
		return;
	addr_range_text(from, texts[0], sizeof(texts[0]));
	addr_range_text(to, texts[1], sizeof(texts[1]));
	(void)json_array_append_new(p->texts, json_pack("[s, s]", texts[0], texts[1]));
}

static void both_ways(struct pairs *p, const struct addr_range *a, const struct addr_range *b)
{
	if (a->lo.family != b->lo.family)
		return;
	one_way(p, a, b);
	one_way(p, b, a);
}

static void from_all(struct pairs *p, const struct addr_range *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		both_ways(p, &list[i], &all[list[i].lo.family == 6]);
}

static const struct ir_zone *zone_of(const struct ir *ir, const char *name, size_t n)
{
	for (uint32_t i = 0; i < ir->n_zones; i++)
		if (strlen(ir->zones[i].name) == n && memcmp(ir->zones[i].name, name, n) == 0)
			return &ir->zones[i];
	return NULL;
}

static const struct ir_asset *asset_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_assets; i++)
		if (strcmp(ir->assets[i].name, name) == 0)
			return &ir->assets[i];
	return NULL;
}

/* "asset NAME", "zone NAME", "zones NAME NAME" by this policy. False: it has none of that name. */
static bool pairs_of(struct pairs *p, const struct ir *ir, const char *what)
{
	const char *name = strchr(what, ' '), *second = name != NULL ? strchr(name + 1, ' ') : NULL;

	if (strcmp(what, EVERYTHING) == 0) {
		from_all(p, all, 2);
		return true;
	}
	if (name != NULL && strncmp(what, "asset ", 6) == 0) {
		const struct ir_asset *a = asset_of(ir, name + 1);

		if (a != NULL)
			from_all(p, a->ranges, a->n_ranges);
		return a != NULL;
	}
	if (name != NULL && strncmp(what, "zone ", 5) == 0) {
		const struct ir_zone *z = zone_of(ir, name + 1, strlen(name + 1));

		if (z != NULL)
			from_all(p, z->ranges, z->n_ranges);
		return z != NULL;
	}
	if (second != NULL && strncmp(what, "zones ", 6) == 0) {
		const struct ir_zone *a = zone_of(ir, name + 1, (size_t)(second - name - 1)),
				     *b = zone_of(ir, second + 1, strlen(second + 1));

		for (uint32_t i = 0; a != NULL && b != NULL && i < a->n_ranges; i++)
			for (uint32_t k = 0; k < b->n_ranges; k++)
				both_ways(p, &a->ranges[i], &b->ranges[k]);
		return a != NULL && b != NULL;
	}
	return false;
}

/* Those that it had at the moment of the order. False: that is no pair of ranges. */
static bool pairs_kept(struct pairs *p, const json_t *list)
{
	const json_t *pair;
	size_t i;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, pair)
	{
		const char *from = json_string_value(json_array_get(pair, 0)),
			   *to = json_string_value(json_array_get(pair, 1));
		struct addr_range a, b;

		if (from == NULL || to == NULL || !addr_range_parse(from, &a) || !addr_range_parse(to, &b) ||
		    a.lo.family != b.lo.family)
			return false;
		one_way(p, &a, &b);
	}
	return true;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t != NULL ? t : "";
}

/* All that is isolated, also by the policy that comes; owned by the caller, negative errno. */
static int pairs_memfd(const struct supervisor *s, const json_t *list, const struct policy *next)
{
	struct pairs p;
	const json_t *o;
	size_t i;
	int fd;

	if (!pairs_begin(&p, false))
		return -ENOMEM;
	json_array_foreach(list, i, o)
	{
		const char *what = text_of(o, "what");

		(void)pairs_kept(&p, json_object_get(o, "pairs"));
		(void)pairs_of(&p, s->now->ir, what);
		if (next != NULL && next != s->now)
			(void)pairs_of(&p, next->ir, what);
	}
	/* More than can be told apart: then all of it is too little, and everything is not. */
	if (p.beyond) {
		p.out.len = p.n = 0;
		from_all(&p, all, 2);
	}
	fd = memfd_sealed("sekisho-isolation", p.out.p, p.out.len);
	pairs_end(&p);
	return fd;
}

/* ---- on the disk ---------------------------------------------------------------------------------------------------- */

static void save(struct supervisor *s)
{
	struct isolations *x = &s->isolations;
	char *json = json_dumps(x->list, JSON_INDENT(1)), hex[65], *text = NULL;
	uint8_t digest[32];
	struct err e;
	int n = -1;

	if (json != NULL) {
		sha256(json, strlen(json), digest);
		hex_text(digest, sizeof(digest), hex);
		n = asprintf(&text, HEAD "%s\n%s\n", hex, json);
	}
	x->unsaved = n < 0 || atomic_write(s->state_fd, NAME, text, (size_t)n, &e) < 0;
	x->again = mono_ns() + AGAIN_NS;
	if (n >= 0)
		free(text);
	free(json);
}

/* NULL: that is not what was written. */
static json_t *read_text(const char *text, size_t n)
{
	char hex[65];
	uint8_t digest[32];
	size_t head = strlen(HEAD);
	json_t *j;

	if (n < head + 66 || memcmp(text, HEAD, head) != 0 || text[n - 1] != '\n')
		return NULL;
	sha256(text + head + 65, n - head - 66, digest);
	hex_text(digest, sizeof(digest), hex);
	if (memcmp(hex, text + head, 64) != 0)
		return NULL;
	j = json_loadb(text + head + 65, n - head - 66, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_array(j) && json_array_size(j) <= MOST)
		return j;
	json_decref(j);
	return NULL;
}

static json_t *entry(const char *what, const char *by, const char *reason, json_t *pairs)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "what", json_text(what), "by", json_text(by), "reason",
			 json_text(reason), "since", json_time(clock_wall_ns()), "pairs", pairs);
}

void isolation_open(struct supervisor *s)
{
	struct isolations *x = &s->isolations;
	uint8_t *p = NULL;
	size_t n = 0;
	struct err e;
	int r = file_read(s->state_fd, NAME, FILE_MOST, &p, &n, &e);

	x->list = r == 0 ? read_text((const char *)p, n) : r == -ENOENT ? json_array() : NULL;
	free(p);
	if (x->list != NULL)
		return;
	x->list = json_array();
	(void)json_array_append_new(x->list, entry(EVERYTHING, "sekishod", "", json_array()));
	say(s, M_ISOLATE_DAMAGED);
	policy_event_of(s, POLICY_ISOLATED, s->now != NULL ? s->now->number : 0, NULL, EVERYTHING);
}

json_t *json_isolations(const struct supervisor *s)
{
	json_t *list = json_array();
	const json_t *o;
	size_t i;

	json_array_foreach(s->isolations.list, i, o)(void)
		json_array_append_new(list, json_pack("{s:O, s:O, s:O, s:O}", "what", json_object_get(o, "what"), "by",
						      json_object_get(o, "by"), "reason", json_object_get(o, "reason"),
						      "since", json_object_get(o, "since")));
	return list;
}

/* ---- an order ------------------------------------------------------------------------------------------------------- */

static void refuse(struct supervisor *s, struct asker a, int status, enum message m, ...)
{
	struct sentence why = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	answer_json(s, a, status, json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(&why)));
}

static size_t place_of(const json_t *list, const char *what)
{
	size_t i = 0;

	while (i < json_array_size(list) && strcmp(text_of(json_array_get(list, i), "what"), what) != 0)
		i++;
	return i;
}

static bool send(struct supervisor *s, const json_t *list, const struct policy *next, uint32_t id, bool rehearse)
{
	const struct msg_body m = { MSG_APART, .apart = { .rehearse = rehearse } };
	int fd = s->slots[SLOT_ENFORCE].state == SLOT_RUNNING ? pairs_memfd(s, list, next) : -1;
	bool sent = fd >= 0 && role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, 1);

	if (fd >= 0)
		close(fd);
	return sent;
}

/* The list as the order makes it, or NULL after saying why not. */
static json_t *changed(struct supervisor *s, struct asker a, const struct isolation_order *o)
{
	json_t *list = json_copy(s->isolations.list);
	size_t at = place_of(list, o->object);
	struct pairs p;

	if (o->order == CHANGE_REJOIN) {
		if (at < json_array_size(list)) {
			(void)json_array_remove(list, at);
			return list;
		}
		refuse(s, a, ANSWER_CANNOT, M_ISOLATE_NOT, o->object);
	} else if (at < json_array_size(list)) {
		return list; /* said once more: it stands as it was said first */
	} else if (at == MOST) {
		refuse(s, a, ANSWER_CANNOT, M_ISOLATE_MANY, MOST);
	} else if (!pairs_begin(&p, true)) {
		refuse(s, a, ANSWER_CANNOT, M_CONTROL_MANY);
	} else {
		bool known = pairs_of(&p, s->now->ir, o->object);

		if (known)
			(void)json_array_append_new(list, entry(o->object, o->by, o->comment, json_incref(p.texts)));
		pairs_end(&p);
		if (known)
			return list;
		refuse(s, a, ANSWER_CANNOT, M_ISOLATE_UNKNOWN, o->object);
	}
	json_decref(list);
	return NULL;
}

/* What a rehearsal asks after: of an isolation that thing alone. */
static json_t *asked_after(const json_t *list, const struct isolation_order *o)
{
	json_t *one = json_array();
	size_t at = place_of(list, o->object);

	if (at < json_array_size(list))
		(void)json_array_append(one, json_array_get(list, at));
	return one;
}

void isolation_ordered(struct supervisor *s, struct asker a, const struct isolation_order *o)
{
	struct isolations *x = &s->isolations;
	json_t *list;

	if (o->object[0] == '\0') {
		answer_json(s, a, ANSWER_YES, json_pack("{s:o}", "isolations", json_isolations(s)));
		return;
	}
	if (x->waits) {
		refuse(s, a, ANSWER_CANNOT, M_ISOLATE_BUSY);
		return;
	}
	list = changed(s, a, o);
	if (list == NULL)
		return;
	x->waits = true;
	x->id = ++s->next_id;
	x->deadline = mono_ns() + LIMIT_NS;
	x->asker = a;
	x->order = *o;
	if (o->rehearse) {
		json_t *one = asked_after(o->order == CHANGE_REJOIN ? x->list : list, o);

		if (!send(s, one, NULL, x->id, true))
			x->deadline = 0;
		json_decref(one);
		json_decref(list);
		return;
	}
	json_decref(x->list);
	x->list = list;
	/* The kernel first; it is on the disk when anybody hears that it is done. An enforce that starts just now gets it before anything else. */
	(void)send(s, x->list, NULL, x->id, false);
	save(s);
}

static void told(struct supervisor *s, const struct isolation_order *o, const json_t *answer)
{
	json_int_t sessions = json_integer_value(json_object_get(answer, "sessions"));
	enum policy_event what = o->rehearse		      ? POLICY_REHEARSED
				 : o->order == CHANGE_ISOLATE ? POLICY_ISOLATED
							      : POLICY_REJOINED;
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	char text[ISOLATE_OBJECT + COMMENT_BYTES + 4];

	snprintf(text, sizeof(text), "%s%s%s%s", o->object, o->comment[0] != '\0' ? " (" : "", o->comment,
		 o->comment[0] != '\0' ? ")" : "");
	e.code = (uint8_t)what;
	e.value = s->now->number;
	event_say(&e, EVENT_BY, o->by);
	event_say(&e, EVENT_OBJECT, text);
	if (what != POLICY_REJOINED) {
		snprintf(text, sizeof(text), "%lld", (long long)sessions);
		event_say(&e, EVENT_AFTER, text);
	}
	event_send(&s->events, &e);
}

void isolation_done(struct supervisor *s, struct msg *m)
{
	struct isolations *x = &s->isolations;
	json_t *j;

	if (!x->waits || m->id != x->id)
		return;
	x->waits = false;
	j = m->n_fds > 0 ? json_of_memfd(m->fds[0], JSON_MOST) : NULL;
	if (m->body.answer.status != ANSWER_YES || !json_is_object(j)) {
		refuse(s, x->asker, ANSWER_CANNOT, M_ISOLATE_KERNEL, text_of(j, "error"));
		json_decref(j);
		return;
	}
	told(s, &x->order, j);
	json_object_set_new(j, "done", json_true());
	json_object_set_new(j, "what", json_text(x->order.object));
	json_object_set_new(j, "rehearsed", json_boolean(x->order.rehearse));
	json_object_set_new(j, "saved", json_boolean(!x->unsaved));
	json_object_set_new(j, "isolations", json_isolations(s));
	answer_json(s, x->asker, ANSWER_YES, j);
}

void isolation_before(struct supervisor *s, const struct policy *p)
{
	const struct isolations *x = &s->isolations;

	(void)send(s, x->list, p, x->waits && !x->order.rehearse ? x->id : 0, false);
}

void isolation_due(struct supervisor *s, uint64_t now)
{
	struct isolations *x = &s->isolations;

	if (x->waits && now >= x->deadline) {
		x->waits = false;
		refuse(s, x->asker, ANSWER_CANNOT, x->order.rehearse ? M_ISOLATE_SILENT : M_ISOLATE_LATE);
	}
	if (x->unsaved && now >= x->again)
		save(s);
}

uint64_t isolation_next(const struct supervisor *s)
{
	const struct isolations *x = &s->isolations;
	uint64_t next = x->waits ? x->deadline : UINT64_MAX;

	return x->unsaved && x->again < next ? x->again : next;
}
