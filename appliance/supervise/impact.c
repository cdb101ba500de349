/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation will do to live sessions. Enforce says which are cut and which go on under another permit; of these each
 * worker is asked what the new rows make of what they did so far. Workers answer in numbers, and whatever they say can
 * only shorten or lengthen a list that people read. A session that no worker follows is met half-way.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"
#include "appliance/supervise/table_merge.h"
#include "appliance/wire/impact.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/vocabulary.h"

void impact_clear(struct foretelling *f)
{
	json_decref(f->changed);
	json_decref(f->answers);
	json_decref(f->narrowed);
	json_decref(f->ended);
	*f = (struct foretelling){ .done = false };
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static bool session_take(const struct policy *p, const json_t *j, struct impact_session *ret)
{
	const json_t *ends = json_object_get(j, "ends");
	const char *client = json_string_value(json_array_get(ends, 0)),
		   *server = json_string_value(json_array_get(ends, 2));
	json_int_t permit = json_integer_value(json_object_get(j, "permit"));

	if (client == NULL || server == NULL || !addr_parse(client, &ret->client) ||
	    !addr_parse(server, &ret->server) || permit < 0 || permit >= p->ir->n_permits)
		return false;
	ret->client_port = (uint16_t)json_integer_value(json_array_get(ends, 1));
	ret->server_port = (uint16_t)json_integer_value(json_array_get(ends, 3));
	ret->l4proto = (uint8_t)json_integer_value(json_array_get(ends, 4));
	ret->permit = p->ids[permit];
	return true;
}

/* The next sessions, behind the table when it is the first question. Negative errno; -ENODATA when there are none left. */
static int question(struct supervisor *s, uint32_t *ret_image, uint32_t *ret_sessions)
{
	struct operation *op = &s->op;
	bool first = op->foretold.at == 0;
	size_t n = json_array_size(op->foretold.changed), n_image = 0, size;
	/* What they will have to load when it is done: the permits of both policies. */
	uint8_t *image =
		first ? table_merge(op->next->image, op->next->n_image, s->table, s->n_table, NULL, NULL, &n_image)
		      : NULL;
	uint8_t *buf;
	struct outbuf o;
	int fd;

	size = n_image + IMPACT_SESSIONS * IMPACT_BYTES;
	buf = first && image == NULL ? NULL : malloc(size);
	o = outbuf_of(buf, buf != NULL ? size : 0);
	if (buf == NULL) {
		free(image);
		return -ENOMEM;
	}
	out_bytes(&o, image, n_image);
	free(image);
	*ret_sessions = 0;
	op->foretold.asked = op->foretold.at;
	for (; op->foretold.at < n && *ret_sessions < IMPACT_SESSIONS; op->foretold.at++) {
		struct impact_session one = { .permit = 0 };

		/* One that cannot be read keeps its place, with permit 0, which nobody knows. */
		if (!session_take(op->next, json_array_get(op->foretold.changed, op->foretold.at), &one))
			one = (struct impact_session){ .client.family = 4 };
		impact_put(&o, &one);
		++*ret_sessions;
	}
	*ret_image = (uint32_t)n_image;
	fd = n_image == 0 && *ret_sessions == 0 ? -ENODATA
	     : o.failed				? -EOVERFLOW
						: memfd_sealed("sekisho-impact", buf, o.len);
	free(buf);
	return fd;
}

static void ask_next(struct supervisor *s)
{
	uint32_t image, sessions;
	int fd = question(s, &image, &sessions);

	if (fd < 0) {
		impact_answered(s, NULL);
		return;
	}
	collect_impact(s, image, sessions, fd);
	close(fd);
}

/* ---- the answers ------------------------------------------------------------------------------------------------- */

static json_int_t number_of(const json_t *j, const char *key, json_int_t max)
{
	json_int_t v = json_integer_value(json_object_get(j, key));

	return v < 0 ? 0 : v > max ? max : v;
}

static const char *known_reason(const json_t *j)
{
	const char *word = json_string_value(json_object_get(j, "reason"));

	return word != NULL && reason_by_word(word) != REASON_COUNT ? word : NULL;
}

/* One kind of command that will be refused, from a worker's numbers. */
static json_t *command_json(const json_t *j, enum protocol p)
{
	const struct vocabulary *v = vocabulary_of(p);
	json_int_t function = number_of(j, "function", 255), space = number_of(j, "space", 255);
	const struct function_info *known = v != NULL ? function_by_code(v, (uint8_t)function) : NULL;
	json_t *c = json_pack("{s:I,s:I,s:I,s:s?}", "unit", number_of(j, "unit", 255), "function", function, "count",
			      number_of(j, "count", INT64_MAX), "reason", known_reason(j));

	if (known != NULL)
		json_object_set_new(c, "function_name", json_string(known->name));
	if (v != NULL && space < SPACE_MAX && v->spaces[space] != NULL) {
		json_object_set_new(c, "space", json_string(v->spaces[space]));
		json_object_set_new(c, "address", json_integer(number_of(j, "address", UINT32_MAX)));
		json_object_set_new(c, "quantity", json_integer(number_of(j, "quantity", UINT32_MAX)));
	}
	if (json_is_true(json_object_get(j, "writes"))) {
		json_object_set_new(c, "low", json_integer(number_of(j, "low", 65535)));
		json_object_set_new(c, "high", json_integer(number_of(j, "high", 65535)));
	}
	return c;
}

/* The session in enforce's words, without what only we need of it. */
static json_t *session_json(const json_t *session)
{
	json_t *j = json_copy((json_t *)(uintptr_t)session);

	json_object_del(j, "ends");
	json_object_del(j, "permit");
	return j;
}

static json_t *narrowed_json(const json_t *session, const json_t *said)
{
	enum protocol p = (enum protocol)number_of(said, "protocol", PROTO_COUNT - 1);
	const json_t *commands = json_object_get(said, "commands");
	json_t *list = json_array(), *j = session_json(session);

	for (size_t i = 0; i < json_array_size(commands); i++)
		json_array_append_new(list, command_json(json_array_get(commands, i), p));
	json_object_set_new(j, "commands", list);
	json_object_set_new(j, "forgotten", json_integer(number_of(said, "forgotten", INT64_MAX)));
	json_object_set_new(j, "partly", json_boolean(json_is_true(json_object_get(said, "partly"))));
	return j;
}

/* Ends at its next packet, like one whose address is not allowed any more. */
static json_t *ended_json(const json_t *session, const char *reason)
{
	json_t *j = session_json(session);

	json_object_set_new(j, "reason", json_string(reason));
	return j;
}

/* No worker follows it: what its lane does with a session that is met half-way. NULL when it goes on. */
static const char *half_way(const struct policy *p, const json_t *session)
{
	json_int_t index = number_of(session, "permit", UINT32_MAX);
	const struct ir_permit *permit = index < p->ir->n_permits ? &p->ir->permits[index] : NULL;
	struct lane lane;

	if (permit == NULL || !lane_of(permit->lane, &lane) || permit->observe || permit->midstream == MID_PICK_UP ||
	    (permit->protocols & 1u << PROTO_TCP) != 0 ||
	    json_integer_value(json_array_get(json_object_get(session, "ends"), 4)) != IPPROTO_TCP)
		return NULL;
	return reason_word(permit->midstream == MID_RESET ? R_MIDSTREAM_RESET : R_MIDSTREAM_DROP);
}

/* Everybody has answered who will: the list for people. */
static void conclude(struct operation *op)
{
	struct foretelling *f = &op->foretold;
	json_t *session;
	size_t i;

	json_array_foreach(f->changed, i, session)
	{
		const json_t *said = json_array_get(f->answers, i);
		const char *reason = json_is_null(said) ? half_way(op->next, session) : known_reason(said);

		if (i >= f->at || json_is_false(said))
			f->unknown++;
		else if (reason != NULL)
			json_array_append_new(f->ended, ended_json(session, reason));
		else if (json_array_size(json_object_get(said, "commands")) > 0 ||
			 number_of(said, "forgotten", INT64_MAX) > 0)
			json_array_append_new(f->narrowed, narrowed_json(session, said));
	}
}

/* True when some worker did not answer: then what the others do not know is unknown. Without `c` none could be asked. */
static bool note_silence(struct foretelling *f, const struct collect *c)
{
	bool silent = c == NULL;

	for (uint32_t w = 0; c != NULL && w < WORKER_MAX; w++)
		silent |= c->silent[SLOT_DPI + w];
	for (size_t i = f->asked; silent && i < f->at; i++)
		if (json_is_null(json_array_get(f->answers, i)))
			json_array_set_new(f->answers, i, json_false());
	return silent;
}

/* False: a worker cannot load the table. */
static bool take_answers(struct foretelling *f, const struct collect *c, size_t first)
{
	bool fits = true;

	for (uint32_t w = 0; w < WORKER_MAX; w++) {
		json_t *answer = c->answer[SLOT_DPI + w], *each;
		size_t i;

		if (!json_is_object(answer))
			continue;
		fits &= json_is_true(json_object_get(answer, "table"));
		json_array_foreach(json_object_get(answer, "known"), i, each)
		{
			json_int_t at = json_integer_value(each);

			if (at >= 0 && at < IMPACT_SESSIONS &&
			    json_is_null(json_array_get(f->answers, first + (size_t)at)))
				json_array_set_new(f->answers, first + (size_t)at, json_true());
		}
		json_array_foreach(json_object_get(answer, "sessions"), i, each)
		{
			json_int_t at = json_integer_value(json_object_get(each, "at"));

			if (at >= 0 && at < IMPACT_SESSIONS)
				json_array_set(f->answers, first + (size_t)at, each);
		}
	}
	return fits;
}

void impact_answered(struct supervisor *s, const struct collect *c)
{
	struct operation *op = &s->op;
	struct foretelling *f = &op->foretold;
	size_t n = json_array_size(f->changed);

	if (op->step != STEP_IMPACT || (op->kind != OP_DRY_RUN && op->kind != OP_APPLY && op->kind != OP_ROLLBACK))
		return; /* given up meanwhile */
	if (c != NULL && c->id != f->question)
		return; /* of an operation before this one */
	/* Later a worker without the table is one that started meanwhile; it follows none of these sessions. */
	if (c != NULL && !take_answers(f, c, f->asked) && f->asked == 0) {
		op_explain(s, 3, M_OP_TABLE_REFUSED);
		op_give_up(s);
		return;
	}
	/* Who did not answer once would be waited for each time: the rest is unknown. */
	if (!note_silence(f, c) && f->at < n) {
		ask_next(s);
		return;
	}
	conclude(op);
	op_foretold(s);
}

void impact_begin(struct supervisor *s, json_t *told)
{
	struct foretelling *f = &s->op.foretold;
	size_t n;

	f->live = number_of(told, "live", INT64_MAX);
	f->unknown = number_of(told, "changed_more", INT64_MAX);
	f->cut_more = number_of(told, "cut_more", INT64_MAX);
	f->changed = json_incref(json_object_get(told, "changed"));
	f->answers = json_array();
	f->narrowed = json_array();
	f->ended = json_array();
	n = json_array_size(f->changed);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(f->answers, json_null());
	s->op.step = STEP_IMPACT;
	ask_next(s);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

void impact_json(const struct operation *op, json_t *answer)
{
	const struct foretelling *f = &op->foretold;
	json_t *cut;
	json_int_t on;

	if (f->narrowed == NULL)
		return;
	cut = json_copy(op->cut);
	json_array_extend(cut, f->ended);
	on = f->live - (json_int_t)(json_array_size(cut) + json_array_size(f->narrowed)) - f->unknown - f->cut_more;
	json_object_set_new(answer, "cut", cut);
	json_object_set_new(answer, "cut_more", json_integer(f->cut_more));
	json_object_set(answer, "narrowed", f->narrowed);
	json_object_set_new(answer, "go_on", json_integer(on > 0 ? on : 0));
	json_object_set_new(answer, "unknown", json_integer(f->unknown));
}
