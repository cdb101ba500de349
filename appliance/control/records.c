/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/control/answers.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/records.h"

#define ORDERS_MOST 8u
#define AGAIN_NS (60ull * 1000000000ull)
/* bytes of an answer: at most all alarms of attacks with people's comments */
#define SAID_MOST (1u << 18)

struct records_order_kept {
	bool used;
	uint64_t serial; /* id of the question that waits for the order's result */
	struct asker asker;
	uint8_t digest[32];
};

struct records {
	struct records_order_kept orders[ORDERS_MOST];
	struct {
		uint8_t digest[32];
		uint64_t at; /* monotonic ns; 0 = none */
	} done;		     /* the last one that was carried out */
	uint64_t serial;
};

int records_open(struct control *s, struct err *e)
{
	s->records = calloc(1, sizeof(*s->records));
	return s->records != NULL ? 0 : err_set(e, -ENOMEM, "orders about records");
}

/* The whole order of this session. */
static void digest_of(const struct msg_records *m, uint8_t ret[32])
{
	uint8_t what[offsetof(struct msg_records, text) + HOLD_REASON];
	size_t n = strlen(m->text);

	memcpy(what, m, offsetof(struct msg_records, text));
	memcpy(what + offsetof(struct msg_records, text), m->text, n);
	sha256(what, offsetof(struct msg_records, text) + n, ret);
	explicit_bzero(what, sizeof(what));
}

/* Whether the last order that was carried out was the same, less than a minute ago, or the same one
 * is under way. If another order came in between, it may have undone the first, so the repetition
 * is intended. */
static bool is_again(const struct records *r, const uint8_t digest[32])
{
	bool again = r->done.at != 0 && now_ns() - r->done.at < AGAIN_NS && memcmp(r->done.digest, digest, 32) == 0;

	for (unsigned i = 0; i < ORDERS_MOST; i++)
		again |= r->orders[i].used && memcmp(r->orders[i].digest, digest, 32) == 0;
	return again;
}

static void records_refuse(struct control *s, struct asker a, int status, json_t *why)
{
	respond_json(s, a, status, json_pack("{s:b, s:o}", "done", 0, "error", why));
}

void records_ordered(struct control *s, struct asker a, const struct msg_body *order)
{
	const struct msg_records *m = &order->records;
	struct records *r = s->records;
	struct records_order_kept *o = NULL;
	uint8_t digest[32];

	digest_of(m, digest);
	for (size_t i = 0; i < ORDERS_MOST && o == NULL; i++)
		if (!r->orders[i].used)
			o = &r->orders[i];
	if (o == NULL) {
		records_refuse(s, a, ANSWER_CANNOT, json_sentence(M_CONTROL_MANY));
	} else if (is_again(r, digest)) {
		records_refuse(s, a, ANSWER_CANNOT, json_sentence(M_RECORDS_AGAIN));
	} else if (m->order == RECORDS_REVIEW && strlen(m->text) > REVIEW_NOTE) {
		records_refuse(s, a, ANSWER_INVALID, json_sentence(M_REVIEW_NOTE, REVIEW_NOTE));
	} else {
		*o = (struct records_order_kept){ .used = true, .serial = ++r->serial, .asker = a };
		memcpy(o->digest, digest, sizeof(digest));
		collect_pass(s, SLOT_BOX, order,
			     (struct asker){
				     .kind = ASKER_RECORDS, .client = (uint32_t)(o - r->orders), .serial = o->serial });
	}
}

void records_answered(struct control *s, struct asker a, int status, int fd)
{
	struct records_order_kept *o = a.client < ORDERS_MOST ? &s->records->orders[a.client] : NULL;
	json_t *j;

	if (o == NULL || !o->used || o->serial != a.serial)
		return;
	j = json_of_memfd(fd, SAID_MOST);
	if (status == ANSWER_YES) {
		memcpy(s->records->done.digest, o->digest, sizeof(o->digest));
		s->records->done.at = now_ns();
	}
	a = o->asker;
	*o = (struct records_order_kept){ .used = false };
	if (json_is_object(j)) {
		json_object_set_new(j, "done", json_boolean(status == ANSWER_YES));
	} else {
		json_decref(j);
		j = NULL;
		/* without an object: accounts refused the person, and nothing was tried */
		if (status == ANSWER_NO || status == ANSWER_INVALID)
			j = json_pack("{s:o}", "error",
				      json_sentence(status == ANSWER_NO ? M_LOGIN_NEEDED : M_LOGIN_NO_RIGHT));
	}
	respond_json(s, a, status, j);
}

void records_forget(struct control *s)
{
	for (size_t i = 0; s->records != NULL && i < ORDERS_MOST; i++)
		s->records->orders[i].used = false;
}
