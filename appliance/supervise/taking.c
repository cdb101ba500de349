/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices an operation would take out of the first namespace, and who would lose a session by it. A person who did not
 * name such a device is asked first: the one who asks may be sitting on it.
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/box/riders.h"
#include "appliance/box/vlans.h"
#include "appliance/supervise/supervise.h"

#define AGREED_MAX 4096u

json_t *taking_agreed(int fd)
{
	struct err e;
	uint8_t *text = NULL;
	size_t n = 0;
	json_t *list = json_array();

	if (fd < 0 || memfd_read(fd, AGREED_MAX, &text, &n, &e) < 0)
		n = 0;
	/* Names, each with its NUL. */
	for (size_t at = 0; at < n && memchr(text + at, '\0', n - at) != NULL;) {
		json_array_append_new(list, json_text((const char *)text + at));
		at += strlen((const char *)text + at) + 1;
	}
	free(text);
	return list;
}

static bool agreed(const json_t *list, const struct ir_interface *i)
{
	for (size_t n = 0; n < json_array_size(list); n++) {
		const char *name = json_string_value(json_array_get(list, n));

		if (strcmp(name, ir_card(i)) == 0 || strcmp(name, i->device) == 0 || strcmp(name, i->name) == 0)
			return true;
	}
	return false;
}

/* Whoever names one interface of a card names the card. */
static bool card_agreed(const json_t *list, const struct ir *ir, const char *card)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), card) == 0 && agreed(list, &ir->interfaces[i]))
			return true;
	return false;
}

/* Names of devices with sessions, "eth0, eth1". */
static void refuse(struct supervisor *s, const json_t *taking)
{
	char names[200] = "", options[400] = "";
	uint64_t sessions = 0;
	size_t i;
	json_t *t;

	json_array_foreach(taking, i, t)
	{
		const char *device = json_string_value(json_object_get(t, "device"));
		size_t at = strlen(names), opt = strlen(options);

		if (json_array_size(json_object_get(t, "sessions")) == 0 || json_is_true(json_object_get(t, "agreed")))
			continue;
		sessions += json_array_size(json_object_get(t, "sessions")) +
			    (uint64_t)json_integer_value(json_object_get(t, "more"));
		snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", device);
		snprintf(options + opt, sizeof(options) - opt, "%s--take-interface %s", opt > 0 ? " " : "", device);
	}
	op_explain(s, 3, M_OP_TAKES_SESSIONS, names, (unsigned long long)sessions, options);
}

bool taking_allowed(struct supervisor *s)
{
	struct operation *op = &s->op;
	const struct ir *ir = op->next->ir;
	bool allowed = true;

	/* What the box does by itself, and an end of a trial, asks nobody. */
	if (op->kind != OP_APPLY && op->kind != OP_DRY_RUN && op->kind != OP_ROLLBACK)
		return true;
	op->taking = json_array();
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		uint64_t more = 0;
		json_t *sessions;
		bool yes = card_agreed(op->agreed, ir, ir_card(x));
		struct err e = { 0 };

		if (!vlans_first(ir, i) || !riders_at_home(&s->spaces, ir_card(x)))
			continue;
		sessions = riders_read(&s->spaces, ir_card(x), &more, &e);
		if (sessions == NULL && !yes) {
			op_explain(s, 3, M_OP_TAKES_UNREAD, ir_card(x), e.text, ir_card(x));
			return false;
		}
		if (sessions == NULL)
			sessions = json_array();
		allowed = allowed && (yes || json_array_size(sessions) == 0);
		json_array_append_new(op->taking,
				      json_pack("{s:o, s:o, s:s, s:o, s:I, s:b}", "interface", json_text(x->name),
						"device", json_text(ir_card(x)), "space", x->admin ? "admin" : "data",
						"sessions", sessions, "more", (json_int_t)more, "agreed", (int)yes));
	}
	if (!allowed)
		refuse(s, op->taking);
	return allowed;
}
