/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/said.h"

#include "appliance/base/clock.h"

void event_record(struct event_port *p, enum event_kind kind, uint8_t code, uint64_t value, struct said x)
{
	const char *const texts[] = {
		[EVENT_BY] = x.by, [EVENT_OBJECT] = x.object, [EVENT_BEFORE] = x.before, [EVENT_AFTER] = x.after
	};
	struct event e = event_new(kind, clock_wall_ns());

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] != NULL)
			event_say(&e, (enum event_text)i, texts[i]);
	e.code = code;
	e.value = value;
	e.quantity = x.quantity;
	event_send(p, &e);
}
