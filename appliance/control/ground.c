/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that every file of this folder uses. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/role/roles.h"

uint64_t now_ns(void)
{
	return clock_mono().ns;
}

void say_line(const struct control *s, enum message m, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), s->lang, m, ap);
	va_end(ap);
	fprintf(stderr, "sekishod: %s\n", text);
}

void policy_record(struct control *s, enum policy_event what, uint64_t number, const char *by, const char *object)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());

	if (by != NULL)
		event_say(&e, EVENT_BY, by);
	if (object != NULL)
		event_say(&e, EVENT_OBJECT, object);
	e.code = (uint8_t)what;
	e.value = number;
	event_send(&s->events, &e);
}

bool ask_slot(struct control *s, unsigned slot, uint32_t number, const struct msg_body *question, const int *fds,
	      size_t n)
{
	int to = slot == SLOT_MGMT ? s->web : ROLE_FD_CONTROL;

	return to >= 0 && msg_send(to, relayed_id(slot, number), question, fds, n) == 0;
}

bool slot_is_wanted(const struct control *s, unsigned slot)
{
	if (slot == SLOT_MGMT)
		return s->web >= 0 || (s->wanted >> slot & 1u) != 0;
	return slot == SLOT_BOX || slot == SLOT_COMPILE || (s->wanted >> slot & 1u) != 0;
}

enum role slot_role(unsigned slot)
{
	static const enum role single[] = {
		[SLOT_JOURNAL] = ROLE_JOURNAL, [SLOT_ENFORCE] = ROLE_ENFORCE, [SLOT_TAP] = ROLE_TAP,
		[SLOT_MGMT] = ROLE_MGMT,       [SLOT_COMPILE] = ROLE_COMPILE, [SLOT_ACCOUNTS] = ROLE_ACCOUNTS,
		[SLOT_CONTROL] = ROLE_CONTROL,
	};

	if (slot < SLOT_GATE)
		return single[slot];
	return slot == SLOT_BOX ? ROLE_SUPERVISOR : slot < SLOT_DPI ? ROLE_GATE : ROLE_DPI;
}

uint32_t slot_index(unsigned slot)
{
	if (slot < SLOT_GATE || slot == SLOT_BOX)
		return 0;
	return slot - (slot < SLOT_DPI ? SLOT_GATE : SLOT_DPI);
}
