/* SPDX-License-Identifier: Apache-2.0 */
/* Stored generations: their records, the texts that were applied, and what they allowed while in
 * force. */
#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/control/answers.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/show.h"
#include "appliance/store/in_force.h"
#include "policy/ir/json.h"
#include "policy/ir/seal.h"

#define SHOW_BUDGET (512u << 20)
#define SECOND 1000000000ull

static json_t *sources_json(const struct ir *ir, uint64_t unused)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_sources; i++)
		json_array_append_new(list, json_pack("{s:o,s:o}", "name", json_text(ir->sources[i].name), "text",
						      json_text(ir->sources[i].text)));
	return list;
}

static json_t *standing_json(const struct ir *ir, uint64_t at_s)
{
	json_t *j = json_object();

	ir_effective_json(j, ir, at_s);
	return j;
}

/* What `make` reads out of a generation's sealed bytes; NULL when they are unreadable. */
static json_t *read_out(int fd, json_t *(*make)(const struct ir *, uint64_t), uint64_t at_s, struct err *e)
{
	struct arena *a = arena_new(SHOW_BUDGET);
	json_t *ret = NULL;
	uint8_t *sealed = NULL;
	struct ir *ir = a != NULL ? arena_array(a, 1, sizeof(*ir)) : NULL;
	size_t n;

	if (ir == NULL)
		err_set(e, -ENOMEM, "generation");
	else if (fd < 0)
		err_set(e, -ENOENT, "generation");
	else if (memfd_read(fd, GENERATION_MAX_BYTES, &sealed, &n, e) == 0 &&
		 ir_unseal(bytes_of(sealed, n), a, ir, e) == 0)
		ret = make(ir, at_s);
	free(sealed);
	arena_free(a);
	return ret;
}

static json_t *texts_of(int fd, struct err *e)
{
	return read_out(fd, sources_json, 0, e);
}

static json_t *failure(enum message m, ...)
{
	struct sentence why;
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	return json_pack("{s:o}", "error", sentence_json(&why));
}

json_t *json_kept(const struct control *s, const struct generation_record *g, int fd, struct err *e)
{
	json_t *texts = texts_of(fd, e);

	return texts != NULL ? json_pack("{s:o,s:o}", "generation", json_record(g, s->now->number), "sources", texts)
			     : NULL;
}

/* ---- the generation, then the one before it -------------------------------------------------- */

#define SHOWS_MOST 8u

struct show {
	bool used;
	bool sealed; /* the asker wants only the generation's sealed bytes */
	/* the asker wants what the generation allowed at that time; 0 = the asker wants
	 * its texts */
	uint64_t at_s;
	uint64_t serial, number;
	struct asker asker;
	json_t *texts; /* owned; NULL: not read yet */
};

struct shows {
	struct show list[SHOWS_MOST];
	uint64_t serial;
};

int show_open(struct control *s, struct err *e)
{
	s->shows = calloc(1, sizeof(*s->shows));
	return s->shows != NULL ? 0 : err_set(e, -ENOMEM, "texts");
}

static void show_end(struct show *x)
{
	json_decref(x->texts);
	*x = (struct show){ .used = false };
}

static void ask_for_generation(struct control *s, struct show *x, uint64_t number)
{
	const struct msg_body q = { MSG_SHOW, .show = { .number = number } };

	x->serial = ++s->shows->serial;
	collect_pass(s, SLOT_BOX, &q,
		     (struct asker){ .kind = ASKER_SHOW,
				     .client = (uint32_t)(x - s->shows->list),
				     .serial = x->serial,
				     .login = x->asker.login,
				     .web = x->asker.kind == ASKER_MGMT });
}

/* Starts to read the generation `number`; `what` says what is wanted of it. */
static void show_begin(struct control *s, struct asker a, uint64_t number, struct show what)
{
	struct show *x = NULL;

	if (generation_find(&s->store, number) == NULL) {
		if (number == 0)
			respond_json(s, a, ANSWER_CANNOT, failure(M_SHOW_NONE));
		else
			respond_json(s, a, ANSWER_INVALID, failure(M_OP_NO_SUCH, (unsigned long long)number));
		return;
	}
	for (size_t i = 0; i < SHOWS_MOST && x == NULL; i++)
		if (!s->shows->list[i].used)
			x = &s->shows->list[i];
	if (x == NULL) {
		respond_json(s, a, ANSWER_CANNOT, failure(M_CONTROL_MANY));
		return;
	}
	*x = what;
	x->used = true;
	x->number = number;
	x->asker = a;
	ask_for_generation(s, x, number);
}

static void unknown_then(struct control *s, struct asker a)
{
	json_t *first = json_time(s->store.n_turns > 0 ? s->store.turns[0].ns : clock_wall_ns());

	respond_json(s, a, ANSWER_INVALID, failure(M_SHOW_UNKNOWN_THEN, json_string_value(first)));
	json_decref(first);
}

/* The generation that was in force at the beginning of second `at_s`; 0 = now. False: it is not
 * known, and the asker was told so. */
static bool in_force(struct control *s, struct asker a, uint64_t at_s, uint64_t *ret)
{
	uint64_t since, until;

	*ret = s->now->number;
	if (at_s == 0 || at_s >= clock_wall_s())
		return true;
	*ret = generation_then(&s->store, at_s * SECOND, &since, &until);
	if (generation_find(&s->store, *ret) == NULL)
		*ret = 0;
	if (*ret == 0)
		unknown_then(s, a);
	return *ret != 0;
}

void show_generation(struct control *s, struct asker a, const struct msg_show *q)
{
	uint64_t number = q->number;

	if (number != 0 || in_force(s, a, q->at, &number))
		show_begin(s, a, number, (struct show){ .sealed = q->sealed != 0 });
}

void show_asked(struct control *s, struct asker a, const struct msg_body *question)
{
	struct msg_body q = *question;
	int fd;

	if (!in_force(s, a, q.ask.at, &q.ask.number))
		return;
	if (q.ask.at == 0)
		q.ask.at = clock_wall_s();
	fd = json_memfd(json_doors(s));
	collect_pass_fd(s, SLOT_ERRAND, &q, fd, a);
	if (fd >= 0)
		close(fd);
}

void show_standing(struct control *s, struct asker a, uint64_t at_s)
{
	uint64_t now = clock_wall_ns(), since, until;
	uint64_t number = at_s <= now / SECOND ? generation_then(&s->store, at_s * SECOND, &since, &until) : 0;

	if (number == 0)
		unknown_then(s, a);
	else
		show_begin(s, a, number, (struct show){ .at_s = at_s });
}

/* Sends the answer of `effective`, with the time during which it was true. */
static void answer_effective(struct control *s, struct show *x, json_t *j)
{
	const struct generation_record *g = generation_find(&s->store, x->number);
	uint64_t since = 0, until = 0;
	struct utsname host = { 0 };

	(void)generation_then(&s->store, x->at_s * SECOND, &since, &until);
	(void)uname(&host);
	json_object_set_new(j, "generation", g != NULL ? json_record(g, s->now->number) : json_null());
	json_object_set_new(j, "as_it_was",
			    json_pack("{s:o, s:o}", "since", json_time(since), "until",
				      until != 0 ? json_time(until) : json_null()));
	json_object_set_new(j, "host", json_text(host.nodename));
	json_object_set_new(j, "time", json_time(x->at_s * SECOND));
	respond_json(s, x->asker, ANSWER_YES, j);
	show_end(x);
}

static void show_change(struct control *s, struct show *x, json_t *before, uint64_t number)
{
	const struct generation_record *g = generation_find(&s->store, x->number);

	if (g == NULL) {
		json_decref(before);
		respond_json(s, x->asker, ANSWER_INVALID, failure(M_OP_NO_SUCH, (unsigned long long)x->number));
	} else {
		respond_json(s, x->asker, ANSWER_YES,
			     json_pack("{s:o,s:O,s:o}", "generation", json_record(g, s->now->number), "sources",
				       x->texts, "before",
				       before != NULL
					       ? json_pack("{s:I,s:o}", "number", (json_int_t)number, "sources", before)
					       : json_null()));
	}
	show_end(x);
}

void show_told(struct control *s, struct asker a, int status, int fd)
{
	struct show *x = a.client < SHOWS_MOST ? &s->shows->list[a.client] : NULL;
	const struct generation_record *g;
	struct err e = { 0 };

	if (x == NULL || !x->used || x->serial != a.serial)
		return;
	if (x->sealed && status == ANSWER_YES) {
		respond_fd(s, x->asker, status, fd);
		show_end(x);
		return;
	}
	g = generation_find(&s->store, x->number);
	if (x->texts != NULL) {
		/* It is no error if the generation before is no longer stored: then there is
		 * nothing to compare with. */
		show_change(s, x, status == ANSWER_YES ? texts_of(fd, &e) : NULL, g != NULL ? g->before : 0);
		return;
	}
	x->texts = status != ANSWER_YES ? NULL
		   : x->at_s != 0	? read_out(fd, standing_json, x->at_s, &e)
					: texts_of(fd, &e);
	if (x->texts == NULL) {
		respond_json(s, x->asker, ANSWER_CANNOT,
			     failure(M_SHOW_UNREADABLE, (unsigned long long)x->number, e.text));
		show_end(x);
	} else if (x->at_s != 0) {
		answer_effective(s, x, json_incref(x->texts));
	} else if (g != NULL && g->before != 0) {
		ask_for_generation(s, x, g->before);
	} else {
		show_change(s, x, NULL, 0);
	}
}
