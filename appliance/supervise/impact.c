/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effect of an operation on live sessions. Enforce reports which sessions are cut and which go
 * on under another permit. For the latter, each worker is asked how the new rows judge what the
 * session has done so far. A worker's answer consists of numbers, and a wrong answer can only
 * change a list that people read. A session that no worker follows will be picked up half-way.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/table_merge.h"
#include "appliance/wire/vocabulary.h"

#define ANSWER_NS 1000000000ull /* ns: a worker's time for one answer */
#define FORETOLD_MOST (IMPACT_SESSIONS * (FORETOLD_SESSION_BYTES + IMPACT_COMMANDS * FORETOLD_COMMAND_BYTES))

static const struct msg_told_session *told_of(const struct operation *op, size_t i)
{
	return &op->told.sessions[op->told.n_cut + i];
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Builds the question about the next sessions; the first one begins with the table. A memfd, or
 * negative errno; -ENODATA: no sessions are left. */
static int question(struct supervisor *s, struct msg_impact *ret)
{
	struct operation *op = &s->op;
	struct foretelling *f = op->foretelling;
	bool first = f->at == 0;
	size_t n_image = 0, size;
	/* The table that workers will have to load afterwards: the permits of both policies. */
	uint8_t *image =
		first ? table_merge(op->next->image, op->next->n_image, s->table, s->n_table, NULL, NULL, &n_image)
		      : NULL;
	uint8_t *buf;
	struct outbuf o;
	int fd;

	size = n_image + IMPACT_SESSIONS * IMPACT_SESSION_BYTES;
	buf = first && image == NULL ? NULL : malloc(size);
	o = outbuf_of(buf, buf != NULL ? size : 0);
	if (buf == NULL) {
		free(image);
		return -ENOMEM;
	}
	out_bytes(&o, image, n_image);
	free(image);
	*ret = (struct msg_impact){ .n_image = (uint32_t)n_image };
	f->asked = f->at;
	for (; f->at < f->n && ret->n_sessions < IMPACT_SESSIONS; f->at++, ret->n_sessions++) {
		const struct msg_told_session *t = told_of(op, f->at);
		/* Permit 0 stands for an invalid index, so that the positions stay. No worker knows
		 * it. */
		struct msg_impact_session one = { .ends = t->ends,
						  .permit = t->permit < op->next->ir->n_permits
								    ? op->next->ids[t->permit]
								    : 0,
						  .unseen = t->unseen };

		msg_put_impact_session(&o, &one);
	}
	fd = n_image == 0 && ret->n_sessions == 0 ? -ENODATA
	     : o.failed				  ? -EOVERFLOW
						  : memfd_sealed("sekisho-impact", buf, o.len);
	free(buf);
	return fd;
}

/* Asks each living worker about the next sessions. A worker that cannot be asked, dies, or takes
 * too long counts as silent. */
static void ask_next(struct supervisor *s)
{
	struct foretelling *f = s->op.foretelling;
	struct msg_body m = { .type = MSG_IMPACT };
	int fd = question(s, &m.impact);

	f->question = ++s->next_id;
	f->deadline = mono_ns() + ANSWER_NS;
	f->waiting = 0;
	f->silent = fd < 0;
	for (uint32_t w = 0; fd >= 0 && w < PAIR_MAX; w++) {
		struct slot *sl = &s->slots[SLOT_DPI + w];

		if (sl->state == SLOT_OFF)
			continue;
		if (role_send(s, sl, f->question, &m, &fd, 1))
			f->waiting |= (uint64_t)1 << w;
		else
			f->silent = true;
	}
	if (fd >= 0)
		close(fd);
}

/* ---- the answers ----------------------------------------------------------------------------- */

/* One kind of command that will be refused, as JSON. */
static json_t *command_json(const struct msg_foretold_command *x, enum protocol p)
{
	const struct vocabulary *v = vocabulary_of(p);
	const struct function_info *known = v != NULL ? function_by_code(v, x->service) : NULL;
	const uint32_t targets[TARGET_MAX] = { x->target_0, x->target_1, x->target_2, x->target_3 };
	json_t *c = json_pack("{s:s,s:I,s:I,s:s?}", "protocol", protocol_info(p)->name, "function",
			      (json_int_t)x->service, "count", (json_int_t)x->count, "reason",
			      x->reason != R_NONE ? reason_word((enum reason)x->reason) : NULL);

	targets_json(c, targets, v);
	if (known != NULL)
		json_object_set_new(c, "function_name", json_string(known->name));
	if (space_key(v, x->space) != NULL) {
		json_object_set_new(c, "space", json_string(space_key(v, x->space)));
		json_object_set_new(c, "address", json_integer((json_int_t)x->address));
		json_object_set_new(c, "quantity", json_integer((json_int_t)x->quantity));
		json_object_set_new(c, "place", place_json(v, x->space, x->address, x->quantity));
	}
	if (x->writes) {
		json_object_set_new(c, "low", json_integer((json_int_t)x->low));
		json_object_set_new(c, "high", json_integer((json_int_t)x->high));
	}
	return c;
}

/* The session as enforce describes it; a copy. */
static json_t *session_json(const struct operation *op, size_t i)
{
	return json_copy(json_array_get(op->told.changed, i));
}

static json_t *narrowed_json(const struct operation *op, size_t i)
{
	const struct foretold *x = &op->foretelling->of[i];
	json_t *j = session_json(op, i);

	json_object_set_new(j, "commands", x->commands != NULL ? json_incref(x->commands) : json_array());
	json_object_set_new(j, "forgotten", json_integer((json_int_t)(x->what.forgotten & INT64_MAX)));
	json_object_set_new(j, "partly", json_boolean(x->what.partly));
	return j;
}

/* A session that ends at its next packet, for the list of cut sessions. */
static json_t *ended_json(const struct operation *op, size_t i, enum reason reason)
{
	json_t *j = session_json(op, i);

	json_object_set_new(j, "reason", json_string(reason_word(reason)));
	return j;
}

/* Whether a session of this permit can be picked up half-way. That needs a protocol whose commands
 * are judged, because a protocol that is only recognised shows at the beginning of a session. */
static bool picks_up(const struct ir_permit *permit, const struct lane *lane)
{
	enum protocol p = protocols_next(&permit->protocols, PROTO_NONE);

	while (p != PROTO_NONE && protocol_info(p)->depth != DEPTH_COMMANDS)
		p = protocols_next(&permit->protocols, p);
	return lane->kind == LANE_COMMANDS && p != PROTO_NONE;
}

/* What happens to a session that no worker follows: what its lane does with a session that is
 * picked up half-way. R_NONE: it goes on. */
static enum reason half_way(const struct policy *p, const struct msg_told_session *t)
{
	const struct ir_permit *permit = t->permit < p->ir->n_permits ? &p->ir->permits[t->permit] : NULL;
	struct lane lane;

	if (permit == NULL || !lane_of(permit->lane, &lane) || permit->observe ||
	    (permit->midstream == MID_PICK_UP && picks_up(permit, &lane)) ||
	    protocols_have(&permit->protocols, PROTO_TCP) || t->ends.l4proto != IPPROTO_TCP)
		return R_NONE;
	return permit->midstream == MID_DROP ? R_MIDSTREAM_DROP : R_MIDSTREAM_RESET;
}

/* All answers that will come are there: makes the lists for people. */
static void conclude(struct operation *op)
{
	struct foretelling *f = op->foretelling;

	f->narrowed = json_array();
	f->ended = json_array();
	for (size_t i = 0; i < f->n; i++) {
		const struct foretold *x = &f->of[i];
		enum reason reason = x->state == FORETOLD_BY_WORKER ? (enum reason)x->what.reason
								    : half_way(op->next, told_of(op, i));

		if (i >= f->at || x->state == FORETOLD_UNKNOWN)
			f->unknown++;
		else if (reason != R_NONE)
			json_array_append_new(f->ended, ended_json(op, i, reason));
		else if (x->what.n_commands > 0 || x->what.forgotten > 0)
			json_array_append_new(f->narrowed, narrowed_json(op, i));
	}
}

/* Reads one session of a worker's answer, and its commands. */
static bool take_one(struct foretelling *f, struct bytes *b)
{
	struct msg_foretold_session what;
	struct msg_foretold_command command;
	json_t *commands = json_array();
	struct foretold *x;

	if (!msg_take_foretold_session(b, &what) || what.at >= f->at - f->asked) {
		json_decref(commands);
		return false;
	}
	for (uint32_t i = 0; i < what.n_commands; i++) {
		if (!msg_take_foretold_command(b, &command)) {
			json_decref(commands);
			return false;
		}
		json_array_append_new(commands, command_json(&command, (enum protocol)what.protocol));
	}
	x = &f->of[f->asked + what.at];
	json_decref(x->commands);
	*x = (struct foretold){ FORETOLD_BY_WORKER, what, commands };
	return true;
}

bool impact_told(struct supervisor *s, uint32_t worker, struct msg *m)
{
	const struct msg_foretold *a = &m->body.foretold;
	struct foretelling *f = s->op.foretelling;
	struct err e;
	struct bytes b;
	uint8_t *p;
	uint32_t i = 0;
	size_t n;

	if (f == NULL || s->op.step != STEP_IMPACT || m->id != f->question || (f->waiting >> worker & 1u) == 0)
		return true; /* for an earlier operation */
	f->waiting &= ~((uint64_t)1 << worker);
	if (memfd_read(m->fds[0], FORETOLD_MOST, &p, &n, &e) < 0)
		return false;
	b = bytes_of(p, n);
	while (i < a->n_sessions && take_one(f, &b))
		i++;
	free(p);
	f->takes |= a->table != 0;
	f->refuses |= a->table == 0;
	return i == a->n_sessions && bytes_done(&b);
}

/* All answers to a question that will come are there. True: that was the last question. */
static bool answered(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct foretelling *f = op->foretelling;

	/* A worker that refuses a later question started meanwhile, has no table of this operation,
	 * and follows none of these sessions. */
	if (f->refuses && f->asked == 0) {
		if (!f->takes) {
			op_explain(s, 3, M_OP_TABLE_REFUSED);
			op_give_up(s);
			return false;
		}
		/* A worker that refuses what another accepts does not prevent the change
		 * (op_tables). The sessions that it follows stay unknown. */
		f->silent = true;
	}
	/* If a worker is silent, it may follow the sessions that no other worker knows: these are
	 * unknown. */
	for (size_t i = f->asked; f->silent && i < f->at; i++)
		if (f->of[i].state == FORETOLD_NOTHING)
			f->of[i].state = FORETOLD_UNKNOWN;
	/* After a silent worker no further question is asked, because it would be waited for each
	 * time. The remaining sessions are unknown. */
	if (!f->silent && f->at < f->n) {
		ask_next(s);
		return false;
	}
	conclude(op);
	return true;
}

static bool asks(const struct supervisor *s)
{
	return s->op.kind != OP_NONE && s->op.step == STEP_IMPACT && s->op.foretelling != NULL;
}

void impact_gone(struct supervisor *s, uint32_t worker)
{
	struct foretelling *f = s->op.foretelling;

	if (!asks(s) || (f->waiting >> worker & 1u) == 0)
		return;
	f->waiting &= ~((uint64_t)1 << worker);
	f->silent = true;
}

void impact_late(struct supervisor *s)
{
	if (asks(s))
		s->op.foretelling->deadline = 0;
}

bool impact_due(struct supervisor *s, uint64_t now)
{
	struct foretelling *f = s->op.foretelling;

	if (!asks(s) || (f->waiting != 0 && now < f->deadline))
		return false;
	f->silent |= f->waiting != 0;
	f->waiting = 0;
	return answered(s);
}

uint64_t impact_next(const struct supervisor *s)
{
	if (!asks(s))
		return UINT64_MAX;
	return s->op.foretelling->waiting == 0 ? 0 : s->op.foretelling->deadline;
}

void impact_begin(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct foretelling *f = calloc(1, sizeof(*f));

	foretold_free(op->foretelling);
	op->foretelling = f;
	if (f != NULL)
		f->of = calloc(op->told.n_changed + 1, sizeof(*f->of));
	if (f == NULL || f->of == NULL) {
		op_explain(s, 3, M_OP_PREPARE_FAILED, strerror(ENOMEM));
		op_give_up(s);
		return;
	}
	f->n = op->told.n_changed;
	op->step = STEP_IMPACT;
	op->deadline = mono_ns() + IMPACT_STEP_NS;
	progress_stage(s, &op->asker, PROGRESS_IMPACT);
	ask_next(s);
}

/* Tells the workers which sessions the policy in force has ended, from enforce's list of tracked
 * sessions. */

void cuts_hand_on(struct supervisor *s, int fd)
{
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (slot_alive(&s->slots[SLOT_DPI + w]))
			role_send(s, &s->slots[SLOT_DPI + w], 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
}

void cuts_tell(struct supervisor *s, const struct told *t)
{
	/* Sessions that find no place in the list end at their next packet. */
	size_t n = t->n_cut < CUTS_MAX_BYTES / sizeof(struct cut_session) ? t->n_cut
									  : CUTS_MAX_BYTES / sizeof(struct cut_session);
	struct cut_session *list = calloc(n + 1, sizeof(*list));
	size_t kept = 0;
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++) {
		const struct ends *e = &t->sessions[i].ends;

		if (e->l4proto == IPPROTO_TCP)
			list[kept++] = (struct cut_session){ e->client, e->server, e->client_port, e->server_port, 0 };
	}
	fd = kept > 0 ? memfd_sealed("sekisho-cuts", list, kept * sizeof(*list)) : -1;
	if (fd >= 0) {
		cuts_hand_on(s, fd);
		close(fd);
	}
	free(list);
}
