/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/records.h"

#include <string.h>

#include "appliance/wire/orders.h"

/* Where an order says who gives it, from where, and why; NULL = it does not. */
struct fields {
	uint8_t *by, *person, *family, *from;
	const char **text;
};

static struct fields fields_of(struct msg_body *b)
{
	if (b->type == MSG_HOLD)
		return (struct fields){ b->hold.by, b->hold.person, &b->hold.family, b->hold.from, &b->hold.reason };
	if (b->type == MSG_DEVICES)
		return (struct fields){ b->devices.by, b->devices.person, &b->devices.family, b->devices.from,
					&b->devices.reason };
	if (b->type == MSG_REVIEW)
		return (struct fields){ b->review.by, NULL, &b->review.family, b->review.from, &b->review.note };
	if (b->type == MSG_ATTACKS)
		return (struct fields){ .by = b->attacks.by, .person = b->attacks.person, .text = &b->attacks.reason };
	return (struct fields){ .by = b->preserve.by };
}

const char **records_text(struct msg_body *b)
{
	return fields_of(b).text;
}

bool records_of_web(const struct msg_records *m, struct msg_body *ret)
{
	static const struct {
		enum msg_type type;
		uint8_t order;
	} rows[RECORDS_ORDERS] = {
		[RECORDS_REVIEW] = { MSG_REVIEW, 0 },
		[RECORDS_HOLD] = { MSG_HOLD, HOLD_PLACE },
		[RECORDS_LIFT] = { MSG_HOLD, HOLD_LIFT },
		[RECORDS_ACCEPT] = { MSG_DEVICES, DEVICES_ACCEPT },
		[RECORDS_FORGET] = { MSG_DEVICES, DEVICES_FORGET },
		[RECORDS_ACKNOWLEDGE] = { MSG_ATTACKS, ATTACKS_ACKNOWLEDGE },
		[RECORDS_SILENCE] = { MSG_ATTACKS, ATTACKS_SILENCE },
	};
	uint8_t order = rows[m->order].order;
	struct fields f;

	*ret = (struct msg_body){ .type = rows[m->order].type };
	if (ret->type == MSG_REVIEW)
		ret->review = (struct msg_review){ .findings = m->findings, .since = m->since, .until = m->until };
	else if (ret->type == MSG_HOLD)
		ret->hold =
			(struct msg_hold){ .order = order, .number = m->number, .since = m->since, .until = m->until };
	else if (ret->type == MSG_DEVICES)
		ret->devices = (struct msg_devices){ .order = order, .all = m->all, .number = m->number };
	else
		ret->attacks = (struct msg_attacks){ .order = order, .number = m->number, .silent_s = m->silent_s };
	f = fields_of(ret);
	if (f.text == NULL)
		return false;
	*f.text = m->text;
	if (f.family != NULL) {
		*f.family = m->family;
		memcpy(f.from, m->from, sizeof(m->from));
	}
	return ret->type != MSG_REVIEW || strlen(m->text) <= REVIEW_NOTE;
}

static void put_name(uint8_t *out, size_t size, const char *name)
{
	memset(out, 0, size);
	memcpy(out, name, strnlen(name, size - 1));
}

bool records_sign(struct msg_body *b, bool web, const char *by, const char *account)
{
	bool root = account[0] == '\0', review = b->type == MSG_REVIEW;
	struct fields f = fields_of(b);

	put_name(f.by, USER_BY, web && review ? "" : by);
	if (f.person != NULL && !root)
		put_name(f.person, HOLD_PERSON, account);
	if (f.family != NULL && !web)
		*f.family = 0;
	if (web && review)
		put_name(b->review.name, LOGIN_NAME, account);
	/* Accounts judges whose name may sign; anybody but root signs in his own name. */
	return !review || root || strncmp((const char *)b->review.name, account, LOGIN_NAME) == 0;
}
