/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/operation.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "appliance/supervise/supervise.h"

#define JSON_MAX (16u << 20)

static const char *line_of(const struct meant *m, size_t i, enum lang l)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(json_array_get(m->all, i), "text"), lang_name(l)));

	return text != NULL ? text : "";
}

static size_t others(const struct meant *m)
{
	size_t n = json_array_size(m->all);

	return (size_t)m->more + (n > MEANT_LINES ? n - MEANT_LINES : 0);
}

/* Writes the first sentences. They quote the policy's text, so control characters are removed. A
 * sentence for which there is no room is only counted. */
static void say_brief(struct meant *m, enum lang l)
{
	char *out = m->brief.text[l];
	const size_t size = sizeof(m->brief.text[l]) - 40; /* for the count */
	size_t n = 0, said = 0, all = json_array_size(m->all);

	for (; said < all && said < MEANT_LINES && n + strlen(line_of(m, said, l)) + 2 < size; said++) {
		if (n > 0)
			out[n++] = '\n';
		utf8_plain(line_of(m, said, l), out + n, size - n);
		n += strlen(out + n);
	}
	if (all == 0)
		(void)message_text(out, size, l, M_MEANS_SAME);
	else if (all - said + m->more > 0) {
		if (n > 0)
			out[n++] = '\n';
		(void)message_text(out + n, size + 40 - n, l, M_MEANS_OTHERS, (size_t)(all - said + m->more));
	}
}

void meant_take(struct meant *m, int fd, uint32_t more)
{
	m->all = json_of_memfd(fd, JSON_MAX);
	m->more = more;
	if (!json_is_array(m->all)) {
		json_decref(m->all);
		m->all = NULL;
		return;
	}
	for (int l = 0; l < LANGUAGES; l++)
		say_brief(m, (enum lang)l);
}

void meant_json(const struct meant *m, json_t *answer)
{
	json_object_set_new(answer, "meaning", m->all != NULL ? json_incref(m->all) : json_null());
	json_object_set_new(answer, "more_meaning", json_integer((json_int_t)m->more));
}

void meant_record(struct supervisor *s, uint64_t number, const struct meant *m)
{
	static const enum event_text places[MEANT_LINES] = { EVENT_OBJECT, EVENT_BEFORE, EVENT_AFTER };
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	char by[USER_BY];

	policy_by(s, by);
	if (s->op.asker.id != 0)
		event_say(&e, EVENT_BY, by);
	e.code = POLICY_APPLIED;
	e.value = number;
	for (size_t i = 0; i < MEANT_LINES && i < json_array_size(m->all); i++)
		event_say(&e, places[i], line_of(m, i, LANG_EN));
	if (m->all != NULL && json_array_size(m->all) == 0)
		event_say(&e, EVENT_OBJECT, message_format(M_MEANS_SAME, LANG_EN));
	e.quantity = (uint32_t)others(m);
	event_send(&s->events, &e);
}
