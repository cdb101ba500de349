/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that every file of this folder uses. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/errands.h"
#include "appliance/control/ground.h"
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
	message_vtext(text, sizeof(text), (enum lang)s->facts.lang, m, ap);
	va_end(ap);
	fprintf(stderr, "sekishod: %s\n", text);
}

void machine_record(struct control *s, uint8_t what, struct said x)
{
	event_record(&s->events, EVENT_MACHINE, what, 0, x);
}

void policy_record_of(struct control *s, enum policy_event what, uint64_t number, struct said x)
{
	event_record(&s->events, EVENT_POLICY, (uint8_t)what, number, x);
}

void policy_record(struct control *s, enum policy_event what, uint64_t number, const char *by, const char *object)
{
	policy_record_of(s, what, number, (struct said){ .by = by, .object = object });
}

bool ask_slot(struct control *s, unsigned slot, uint32_t number, const struct msg_body *question, const int *fds,
	      size_t n)
{
	int to = slot == SLOT_MGMT ? s->web : ROLE_FD_CONTROL;

	if (slot == SLOT_ERRAND && question->type != MSG_STOP)
		return work_put(s, relayed_id(slot, number), question, fds, n);
	if (slot == SLOT_ERRAND) {
		work_stop(s, relayed_id(slot, number));
		return true;
	}
	return to >= 0 && msg_send(to, relayed_id(slot, number), question, fds, n) == 0;
}

bool slot_is_wanted(const struct control *s, unsigned slot)
{
	if (slot == SLOT_MGMT)
		return s->web >= 0 || s->facts.state[slot] != SLOT_OFF;
	return slot == SLOT_BOX || slot == SLOT_ERRAND || s->facts.state[slot] != SLOT_OFF;
}
