/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded object as one sentence, put together from the message catalogue. */
#include <string.h>

#include "appliance/base/reason.h"
#include "appliance/journal_json.h"

struct sentence {
	char *out;
	size_t size, len;
	enum lang lang;
};

static void add(struct sentence *s, enum message m, ...)
{
	va_list ap;
	int n;

	if (s->len >= s->size)
		return;
	va_start(ap, m);
	n = message_vtext(s->out + s->len, s->size - s->len, s->lang, m, ap);
	va_end(ap);
	if (n > 0)
		s->len += (size_t)n;
}

static const char *text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s != NULL ? s : "";
}

static long long integer(const json_t *j, const char *key)
{
	return (long long)json_integer_value(json_object_get(j, key));
}

static bool has(const json_t *j, const char *key)
{
	return json_object_get(j, key) != NULL;
}

static void add_flow(struct sentence *s, const json_t *j)
{
	const char *verdict = text(j, "verdict");
	enum message m = strcmp(verdict, "allow") == 0	? M_RECORD_PASSED
			 : strcmp(verdict, "deny") == 0 ? M_RECORD_REFUSED
							: M_RECORD_ONLY;

	add(s, m, text(j, "client"), has(j, "server") ? text(j, "server") : "-",
	    has(j, "transport") ? text(j, "transport") : "-");
}

void event_explain(const json_t *j, enum lang l, char *out, size_t size)
{
	struct sentence s = { .out = out, .size = size, .lang = l };
	const char *reason = text(j, "reason");

	if (size > 0)
		out[0] = 0;
	add(&s, M_RECORD_TIME, text(j, "time"));
	if (has(j, "client"))
		add_flow(&s, j);
	else
		add(&s, M_RECORD_BOX, text(j, "kind"), text(j, "role"), text(j, "code"));
	if (reason_by_word(reason) < REASON_COUNT)
		add(&s, M_RECORD_REASON, reason_text(reason_by_word(reason), lang_name(l)));
	if (has(j, "function"))
		add(&s, M_RECORD_COMMAND, text(j, "protocol"), integer(j, "function"), text(j, "function_name"),
		    integer(j, "unit"));
	if (has(j, "space"))
		add(&s, M_RECORD_ADDRESS, text(j, "space"), integer(j, "address"), integer(j, "quantity"));
	if (has(j, "conduit"))
		add(&s, M_RECORD_CONDUIT, text(j, "conduit"));
	if (has(j, "line"))
		add(&s, M_RECORD_LINE, text(j, "file"), integer(j, "line"));
	if (integer(j, "count") > 1)
		add(&s, M_RECORD_COUNT, integer(j, "count"));
}
