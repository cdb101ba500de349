/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of one protocol. Its client tries to get a forbidden request through the inspector. The
 * server behind it reads what arrives, once taking the first copy of each byte and once the last.
 * The result is then judged as one piece from the session's beginning: all of it must be allowed.
 * To be included in one file of a program.
 */
#ifndef SEKISHO_TESTS_UNIT_EVASION_DESK_H
#define SEKISHO_TESTS_UNIT_EVASION_DESK_H

#include "tests/unit/dpi/inspect_desk.h"
#include "tests/unit/dpi/speeches.h"

#define ROOM 8192u
#define SENT_MAX 160u
#define PERMIT P_TOY /* a permit on a lane for commands */

struct blob {
	uint8_t b[352];
	size_t n;
};

static struct blob blob_of(const char *hex)
{
	struct blob m = { .n = 0 };

	for (; hex != NULL && *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		assert_true(m.n < sizeof(m.b));
		m.b[m.n++] = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
	return m;
}

static struct {
	const struct speech *s;
	struct blob greeting[2][2], read, answer, writes[WRITES];
	/* the policy, and the reader that gets everything in one piece */
	struct desk d;
	uint8_t greeted[ENFORCER_STATE_MAX]; /* the state of that reader after the greeting */
	/* further allowed requests belong to the greeting (lent.h) */
	bool speaks;
} now;

static struct {
	struct conn k;
	uint32_t base; /* the client's sequence number after the greeting */
	uint8_t first[ROOM], last[ROOM];
	bool have[ROOM];
	uint32_t next, answered, n_sent;
	bool ended; /* a reset was sent */
	bool fresh; /* nothing was said before */
	bool mute;  /* the server answers nothing */
	struct sent {
		uint32_t id, at, n;
		const uint8_t *p; /* not freed before the trial is over */
		bool lost, done;
	} sent[SENT_MAX];
} trial;

/* ---- a protocol ------------------------------------------------------------------------------ */

static void use_speech(const struct speech *s)
{
	struct command_table *t = &now.d.table;
	struct command_row *row;
	uint8_t digest[32], *image;
	struct outbuf o;
	size_t n;

	desk_enforcer = s->enforcer;
	desk_directed = true; /* as on a box */
	now.s = s;
	now.read = blob_of(s->read);
	now.answer = blob_of(s->answer);
	for (unsigned i = 0; i < WRITES; i++)
		now.writes[i] = blob_of(s->writes[i]);
	desk_clear_policy(&now.d);
	row = desk_grant(&now.d, 0, 100, false);
	s->policy(&now.d, row);
	t->n_spaces = row->n_spaces;
	now.d.permit.permit = PERMIT;
	now.d.permit.lane = lane_number(desk_lane(PERMIT));
	now.d.permit.midstream = MID_RESET;
	now.d.permit.ports = desk_range(&now.d, s->port, s->port);
	for (unsigned i = 0; i < 4; i++) {
		now.greeting[i / 2][i % 2] = blob_of(s->greeting[i / 2][i % 2]);
		if (now.greeting[i / 2][i % 2].n > 0)
			assert_true(desk_judge(&now.d, i % 2 ? DIR_S2C : DIR_C2S, now.greeting[i / 2][i % 2].b,
					       now.greeting[i / 2][i % 2].n)
					    ->allowed);
	}
	memcpy(now.greeted, now.d.state, sizeof(now.greeted));
	now.speaks = desk_front.speak != NULL && desk_judge(&now.d, DIR_C2S, now.read.b, now.read.n)->allowed;
	if (now.speaks) {
		assert_true(desk_judge(&now.d, DIR_S2C, now.answer.b, now.answer.n)->allowed);
		memcpy(now.greeted, now.d.state, sizeof(now.greeted));
	}
	desk_open((struct inspector_limits){ .flows = 256, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
	n = commands_size(t);
	image = malloc(n);
	assert_non_null(image);
	o = outbuf_of(image, n);
	assert_true(commands_encode(t, &o));
	assert_true(inspector_table(desk_i, bytes_of(image, o.len), digest));
	free(image);
}

/* How many requests these bytes are, from the end of the greeting on; -1: one of them is forbidden,
 * or the bytes are no request. */
static int read_uncut(const uint8_t *p, size_t n)
{
	int whole = 0;

	if (trial.fresh)
		desk_reset(&now.d);
	else
		memcpy(now.d.state, now.greeted, sizeof(now.greeted));
	while (n > 0) {
		size_t len = 0;
		enum frame_result r = now.s->enforcer->frame(now.d.state, DIR_C2S, bytes_of(p, n), &len);

		if (r == FRAME_NEED_MORE)
			break;
		if (r == FRAME_BAD || !desk_judge(&now.d, DIR_C2S, p, len)->allowed)
			return -1;
		desk_judge(&now.d, DIR_S2C, now.answer.b, now.answer.n);
		p += len;
		n -= len;
		whole++;
	}
	return whole;
}

/* ---- a trial --------------------------------------------------------------------------------- */

/* The session is open, and no end has sent anything. */
static void begin_silent(void)
{
	if (desk_front.begin != NULL)
		desk_front.begin();
	trial.k = desk_conn(PERMIT);
	trial.k.server_port = now.s->port;
	trial.next = trial.answered = trial.n_sent = 0;
	trial.ended = trial.mute = false;
	trial.fresh = true;
	memset(trial.have, 0, sizeof(trial.have));
	desk_clear();
	desk_handshake(&trial.k);
	trial.base = trial.k.c;
}

static void begin_trial(void)
{
	begin_silent();
	trial.fresh = false;
	for (unsigned i = 0; i < 2 && now.greeting[i][0].n > 0; i++) {
		assert_int_equal(desk_send(&trial.k, DIR_C2S, now.greeting[i][0].b, now.greeting[i][0].n),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&trial.k, DIR_S2C, now.greeting[i][1].b, now.greeting[i][1].n),
				 OUTCOME_ACCEPT);
	}
	if (now.speaks)
		desk_front.speak();
	trial.base = trial.k.c;
}

static void receive(const struct sent *s)
{
	for (uint32_t i = 0; i < s->n && s->at + i < ROOM; i++) {
		if (s->at + i < trial.next)
			continue;
		trial.last[s->at + i] = s->p[i];
		if (!trial.have[s->at + i])
			trial.first[s->at + i] = s->p[i];
		trial.have[s->at + i] = true;
	}
	while (trial.next < ROOM && trial.have[trial.next])
		trial.next++;
}

/* Takes the packets decided since the last call, in the order of their bytes; false when there is
 * none. */
static bool leaves(void)
{
	bool any = false;

	for (;;) {
		struct sent *next = NULL;

		for (uint32_t i = 0; i < trial.n_sent; i++)
			if (!trial.sent[i].done && desk.outcome[trial.sent[i].id % DESK_IDS] != 0 &&
			    (next == NULL || trial.sent[i].at < next->at))
				next = &trial.sent[i];
		if (next == NULL)
			return any;
		any = next->done = true;
		if (desk.outcome[next->id % DESK_IDS] >= OUTCOME_ACCEPT && !next->lost)
			receive(next);
	}
}

/* Whether the last reset is one of this session; the reset of an earlier session may have been
 * repeated. */
static bool is_reset(void)
{
	for (size_t i = 0; i < desk.n_resets; i++)
		if (desk.resets[i].client_port == trial.k.client_port)
			return true;
	return false;
}

/* The server acknowledges what came, and answers each whole request once. */
static void hand_over(void)
{
	while (leaves() && trial.next > 0) {
		const struct blob *a = &now.answer;
		bool answers = !trial.mute && trial.next / now.read.n > trial.answered;

		do {
			unsigned o = desk_segment(&trial.k, DIR_S2C, trial.k.s, trial.base + trial.next,
						  DESK_ACK | DESK_PSH, a->b, answers ? a->n : 0);

			trial.answered += answers;
			if (answers && o >= OUTCOME_ACCEPT)
				trial.k.s += (uint32_t)a->n;
			answers = !trial.mute && trial.next / now.read.n > trial.answered;
		} while (answers);
	}
	trial.ended |= is_reset();
}

/* Sends `n` bytes at this offset behind the greeting; lost: they are lost behind the box. */
static void say_at(uint32_t at, const uint8_t *p, size_t n, bool lost)
{
	struct sent *s = &trial.sent[trial.n_sent++];

	assert_true(trial.n_sent < SENT_MAX);
	*s = (struct sent){ .id = desk_id + 1, .at = at, .n = (uint32_t)n, .p = p, .lost = lost };
	desk_segment(&trial.k, DIR_C2S, trial.base + at, trial.k.s, DESK_ACK | DESK_PSH, p, n);
	assert_int_equal(s->id, desk_id);
	hand_over();
}

/* Ends the trial: the number of whole requests that the server has read, if all of them are
 * allowed; -1 if one is not. */
DESK_MAY_IDLE static int end_trial(void)
{
	int whole = read_uncut(trial.first, trial.next);

	if (whole >= 0 && memcmp(trial.first, trial.last, trial.next) != 0 && read_uncut(trial.last, trial.next) < 0)
		whole = -1;
	return whole;
}

#endif
