/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/judged.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/json.h"
#include "appliance/base/json_each.h"
#include "appliance/wire/orders.h"

bool order_is_signed(const struct msg_body *b)
{
	return (b->type == MSG_HOLD && b->hold.order != HOLD_LIST) ||
	       (b->type == MSG_DEVICES && b->devices.order != DEVICES_LIST && b->devices.order != DEVICES_COPY) ||
	       (b->type == MSG_ATTACKS && b->attacks.order != ATTACKS_LIST) || b->type == MSG_REVIEW ||
	       b->type == MSG_PRESERVE;
}

enum right order_signed_right(const struct msg_body *b)
{
	if (b->type == MSG_ATTACKS && b->attacks.order == ATTACKS_ACKNOWLEDGE)
		return RIGHT_ALARMS;
	if ((b->type == MSG_DEVICES && (b->devices.order == DEVICES_ACCEPT || b->devices.order == DEVICES_FORGET)) ||
	    (b->type == MSG_ATTACKS && b->attacks.order < ATTACKS_ORDERS))
		return RIGHT_MACHINE;
	if (b->type == MSG_HOLD && b->hold.order < HOLD_ORDERS)
		return RIGHT_LOG;
	return b->type == MSG_REVIEW || b->type == MSG_PRESERVE ? RIGHT_REVIEW : RIGHT_COUNT;
}

bool order_is_boxs(const struct msg_body *b)
{
	if (b->type == MSG_CTL_USER)
		return !user_order_looks((enum user_order)b->ctl_user.order);
	if (b->type == MSG_CHANGE)
		return change_is_boxs(b->change.order);
	return b->type == MSG_CTL_CHANGE || b->type == MSG_CTL_RELEASE || b->type == MSG_CTL_CLOCK ||
	       order_is_signed(b);
}

struct msg_body judged_at_machine(enum right right, const char *login, uint32_t uid)
{
	struct msg_body q = { .type = MSG_AT_MACHINE, .at_machine = { .uid = uid, .right = (uint8_t)right } };

	memcpy(q.at_machine.login, login, strnlen(login, LOGIN_NAME - 1));
	return q;
}

struct msg_body judged_question(const struct msg_change *c, const char *login, uint32_t uid)
{
	enum right right = change_right((enum change_order)c->order);
	struct msg_body q = { .type = MSG_JUDGE,
			      .judge = { .what = CREDENTIAL_SESSION, .family = c->family, .right = (uint8_t)right } };

	if (login != NULL)
		return judged_at_machine(right, login, uid);
	memcpy(q.judge.from, c->from, sizeof(c->from));
	memcpy(q.judge.secret, c->secret, sizeof(c->secret));
	memcpy(q.judge.shown, c->shown, sizeof(c->shown));
	return q;
}

bool judged_name(int fd, char ret_name[LOGIN_NAME], uint32_t *ret_duties)
{
	json_t *j = json_of_memfd(fd, WHO_MOST);
	const char *name = json_string_value(json_object_get(j, "name"));
	bool ok = name != NULL && *name != '\0' && strlen(name) < LOGIN_NAME;

	if (ok)
		snprintf(ret_name, LOGIN_NAME, "%s", name);
	json_each(role, json_object_get(j, "roles")) {
		unsigned d = json_is_string(role) ? duty_by_word(json_string_value(role)) : DUTY_COUNT;

		if (ret_duties != NULL && d < DUTY_COUNT)
			*ret_duties |= 1u << d;
	}
	json_decref(j);
	return ok;
}
