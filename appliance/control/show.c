/* SPDX-License-Identifier: Apache-2.0 */
/* Generations that are kept: what their records say, and the texts that were applied. */
#include <errno.h>
#include <stdlib.h>

#include "appliance/base/memfd.h"
#include "appliance/control/control.h"
#include "appliance/store/past_json.h"

#define SHOW_BUDGET (512u << 20)

static json_t *sources_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_sources; i++)
		json_array_append_new(list, json_pack("{s:o,s:o}", "name", json_text(ir->sources[i].name), "text",
						      json_text(ir->sources[i].text)));
	return list;
}

/* The texts of a generation, out of its sealed bytes; NULL when it cannot be read. */
static json_t *texts_of(int fd, struct err *e)
{
	struct arena *a = arena_new(SHOW_BUDGET);
	json_t *list = NULL;
	uint8_t *sealed = NULL;
	struct ir ir;
	size_t n;

	if (a == NULL)
		err_set(e, -ENOMEM, "generation");
	else if (fd < 0)
		err_set(e, -ENOENT, "generation");
	else if (memfd_read(fd, GENERATION_MAX_BYTES, &sealed, &n, e) == 0 &&
		 ir_unseal(bytes_of(sealed, n), a, &ir, e) == 0)
		list = sources_json(&ir);
	free(sealed);
	arena_free(a);
	return list;
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

/* ---- one after the other: the generation, and the one before it ---------------------------------------------------- */

#define SHOWS_MOST 8u

struct show {
	bool used;
	bool sealed; /* the generation's bytes are wanted, and nothing of the one before */
	uint64_t serial, number;
	struct asker asker;
	json_t *texts; /* owned; NULL: they are still to come */
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

static void ask(struct control *s, struct show *x, uint64_t number)
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

void show_generation(struct control *s, struct asker a, uint64_t number, bool sealed)
{
	const struct generation_record *g;
	struct show *x = NULL;

	if (number == 0)
		number = s->now->number;
	g = generation_find(&s->store, number);
	if (g == NULL) {
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
	*x = (struct show){ .used = true, .sealed = sealed, .number = number, .asker = a };
	ask(s, x, number);
}

static void shown(struct control *s, struct show *x, json_t *before, uint64_t number)
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
		/* One that is not kept any more is no mistake: there is nothing to compare with. */
		shown(s, x, status == ANSWER_YES ? texts_of(fd, &e) : NULL, g != NULL ? g->before : 0);
		return;
	}
	x->texts = status == ANSWER_YES ? texts_of(fd, &e) : NULL;
	if (x->texts == NULL) {
		respond_json(s, x->asker, ANSWER_CANNOT,
			     failure(M_SHOW_UNREADABLE, (unsigned long long)x->number, e.text));
		show_end(x);
	} else if (g != NULL && g->before != 0) {
		ask(s, x, g->before);
	} else {
		shown(s, x, NULL, 0);
	}
}
