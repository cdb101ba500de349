/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/control/control.h"

#define ORDERS_MOST 8u
#define DONE_MOST 16u /* places for finished orders, of which only the last is kept (note_done) */
#define AGAIN_NS (60ull * 1000000000ull)
/* bytes of an answer: at most all alarms of attacks with people's comments */
#define SAID_MOST (1u << 18)

struct records_order_kept {
	bool used, judged;
	uint64_t serial; /* id of the question that waits for the order's result */
	struct asker asker;
	struct msg_records m; /* its text is `text`; its secret is not kept */
	char text[HOLD_REASON + 1], by[LOGIN_NAME + 1];
	uint8_t digest[32];
};

struct records {
	struct records_order_kept orders[ORDERS_MOST];
	struct {
		uint8_t digest[32];
		uint64_t at; /* monotonic ns; 0 = none */
	} done[DONE_MOST];
	unsigned next_done;
	uint64_t serial;
};

int records_open(struct control *s, struct err *e)
{
	s->records = calloc(1, sizeof(*s->records));
	return s->records != NULL ? 0 : err_set(e, -ENOMEM, "orders about records");
}

/* ---- orders that were done already ----------------------------------------------------------- */

static void digest_of(struct records_order_kept *o)
{
	char what[HOLD_REASON + LOGIN_NAME + 128];
	int n = snprintf(what, sizeof(what), "%s %u %u %llu %llu %u %u %u %s", o->by, o->m.order, o->m.number,
			 (unsigned long long)o->m.since, (unsigned long long)o->m.until, o->m.findings, o->m.all,
			 o->m.silent_s, o->text);

	sha256(what, (size_t)n, o->digest);
}

static bool is_done(const struct records *r, const struct records_order_kept *o, uint64_t now)
{
	for (unsigned i = 0; i < DONE_MOST; i++)
		if (r->done[i].at != 0 && now - r->done[i].at < AGAIN_NS &&
		    memcmp(r->done[i].digest, o->digest, sizeof(o->digest)) == 0)
			return true;
	/* If the same order is under way, only that one is carried out. */
	for (unsigned i = 0; i < ORDERS_MOST; i++)
		if (&r->orders[i] != o && r->orders[i].used && r->orders[i].judged &&
		    memcmp(r->orders[i].digest, o->digest, sizeof(o->digest)) == 0)
			return true;
	return false;
}

static void note_done(struct records *r, const struct records_order_kept *o, uint64_t now)
{
	unsigned i = r->next_done++ % DONE_MOST;

	/* A repetition is ignored only if no other order came in between. Another order may have
	 * undone the first, so the repetition is intended. */
	for (unsigned k = 0; k < DONE_MOST; k++)
		r->done[k].at = 0;
	memcpy(r->done[i].digest, o->digest, sizeof(o->digest));
	r->done[i].at = now;
}

/* ---- carrying it out ------------------------------------------------------------------------- */

static void refuse(struct control *s, struct asker a, enum message m)
{
	respond_json(s, a, ANSWER_CANNOT, json_pack("{s:b, s:o}", "done", 0, "error", json_sentence(m)));
}

static void order_end(struct records_order_kept *o)
{
	explicit_bzero(o, sizeof(*o));
}

static struct asker waits(struct control *s, struct records_order_kept *o)
{
	o->serial = ++s->records->serial;
	return (struct asker){ .kind = ASKER_RECORDS,
			       .client = (uint32_t)(o - s->records->orders),
			       .serial = o->serial };
}

static void sign(struct control *s, struct records_order_kept *o)
{
	struct msg_body b = { MSG_REVIEW, .review = { .findings = o->m.findings,
						      .since = o->m.since,
						      .until = o->m.until,
						      .family = o->m.family,
						      .note = o->text } };

	if (strlen(o->text) > REVIEW_NOTE) {
		struct asker a = o->asker;

		order_end(o);
		respond_json(s, a, ANSWER_INVALID,
			     json_pack("{s:b, s:o}", "done", 0, "error", json_sentence(M_REVIEW_NOTE, REVIEW_NOTE)));
		return;
	}
	memcpy(b.review.from, o->m.from, sizeof(b.review.from));
	memcpy(b.review.name, o->by, strnlen(o->by, sizeof(b.review.name)));
	collect_pass(s, SLOT_ACCOUNTS, &b, waits(s, o));
}

static void hold(struct control *s, struct records_order_kept *o)
{
	struct msg_body b = { MSG_HOLD, .hold = { .order = o->m.order == RECORDS_HOLD ? HOLD_PLACE : HOLD_LIFT,
						  .number = o->m.number,
						  .since = o->m.since,
						  .until = o->m.until,
						  .family = o->m.family,
						  .reason = o->text } };

	memcpy(b.hold.from, o->m.from, sizeof(b.hold.from));
	memcpy(b.hold.by, o->by, strlen(o->by));
	memcpy(b.hold.person, o->by, strlen(o->by));
	collect_pass(s, SLOT_JOURNAL, &b, waits(s, o));
}

static void devices(struct control *s, struct records_order_kept *o)
{
	struct msg_body b = { MSG_DEVICES,
			      .devices = { .order = o->m.order == RECORDS_ACCEPT ? DEVICES_ACCEPT : DEVICES_FORGET,
					   .all = o->m.all,
					   .number = o->m.number,
					   .family = o->m.family,
					   .reason = o->text } };

	memcpy(b.devices.from, o->m.from, sizeof(b.devices.from));
	memcpy(b.devices.by, o->by, strlen(o->by));
	memcpy(b.devices.person, o->by, strlen(o->by));
	collect_pass(s, SLOT_JOURNAL, &b, waits(s, o));
}

static void attacks(struct control *s, struct records_order_kept *o)
{
	struct msg_body b = { MSG_ATTACKS, .attacks = { .order = o->m.order == RECORDS_SILENCE ? ATTACKS_SILENCE
											       : ATTACKS_ACKNOWLEDGE,
							.number = o->m.number,
							.silent_s = o->m.silent_s,
							.reason = o->text } };

	memcpy(b.attacks.by, o->by, strlen(o->by));
	memcpy(b.attacks.person, o->by, strlen(o->by));
	collect_pass(s, SLOT_JOURNAL, &b, waits(s, o));
}

static void carry_out(struct control *s, struct records_order_kept *o)
{
	static void (*const deeds[RECORDS_ORDERS])(struct control *, struct records_order_kept *) = {
		[RECORDS_REVIEW] = sign,     [RECORDS_HOLD] = hold,	 [RECORDS_LIFT] = hold,
		[RECORDS_ACCEPT] = devices,  [RECORDS_FORGET] = devices, [RECORDS_ACKNOWLEDGE] = attacks,
		[RECORDS_SILENCE] = attacks,
	};
	struct asker a = o->asker;

	digest_of(o);
	if (is_done(s->records, o, now_ns())) {
		order_end(o);
		refuse(s, a, M_RECORDS_AGAIN);
		return;
	}
	o->judged = true;
	deeds[o->m.order](s, o);
}

/* ---- identification -------------------------------------------------------------------------- */

void records_ordered(struct control *s, struct asker a, const struct msg_records *m)
{
	struct records_order_kept *o = NULL;
	struct msg_body judge = { .type = MSG_JUDGE,
				  .judge = { .what = CREDENTIAL_SESSION,
					     .family = m->family,
					     .right = (uint8_t)records_right((enum records_order)m->order) } };

	for (size_t i = 0; i < ORDERS_MOST && o == NULL; i++)
		if (!s->records->orders[i].used)
			o = &s->records->orders[i];
	if (o == NULL) {
		refuse(s, a, M_CONTROL_MANY);
		return;
	}
	*o = (struct records_order_kept){ .used = true, .asker = a, .m = *m };
	snprintf(o->text, sizeof(o->text), "%s", m->text);
	o->m.text = NULL;
	explicit_bzero(o->m.secret, sizeof(o->m.secret));
	memcpy(judge.judge.from, m->from, sizeof(m->from));
	memcpy(judge.judge.secret, m->secret, sizeof(m->secret));
	memcpy(judge.judge.shown, m->shown, sizeof(m->shown));
	collect_pass(s, SLOT_ACCOUNTS, &judge, waits(s, o));
	explicit_bzero(&judge, sizeof(judge));
}

static json_t *said(int fd)
{
	json_t *j = json_of_memfd(fd, SAID_MOST);

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static void judged(struct control *s, struct records_order_kept *o, int status, int fd)
{
	json_t *who = status == ANSWER_YES ? said(fd) : NULL;
	const char *name = json_string_value(json_object_get(who, "name"));
	struct asker a = o->asker;

	if (name != NULL && *name != '\0' && strlen(name) < sizeof(o->by)) {
		snprintf(o->by, sizeof(o->by), "%s", name);
		carry_out(s, o);
	} else {
		order_end(o);
		respond_fd(s, a, status == ANSWER_YES ? ANSWER_CANNOT : status, status == ANSWER_YES ? -1 : fd);
	}
	json_decref(who);
}

void records_answered(struct control *s, struct asker a, int status, int fd)
{
	struct records_order_kept *o = a.client < ORDERS_MOST ? &s->records->orders[a.client] : NULL;
	struct asker asker;
	json_t *j;

	if (o == NULL || !o->used || o->serial != a.serial)
		return;
	if (!o->judged) {
		judged(s, o, status, fd);
		return;
	}
	j = said(fd);
	asker = o->asker;
	if (status == ANSWER_YES)
		note_done(s->records, o, now_ns());
	order_end(o);
	if (j != NULL)
		json_object_set_new(j, "done", json_boolean(status == ANSWER_YES));
	respond_json(s, asker, status, j);
}

void records_forget(struct control *s)
{
	for (size_t i = 0; s->records != NULL && i < ORDERS_MOST; i++)
		order_end(&s->records->orders[i]);
}
