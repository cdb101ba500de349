/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/messages.h"

#include <stdlib.h>
#include <string.h>

#define MSG(id, en, ja) [id] = { en, ja },
static const char *const texts[MESSAGE_COUNT][2] = {
#include "appliance/base/messages/appliance.def"
#include "appliance/base/messages/cli.def"
#include "appliance/base/messages/people.def"
#include "appliance/base/messages/policy.def"
#include "appliance/base/messages/report.def"
};
#undef MSG

enum lang lang_choose(const char *wish)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; wish == NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		wish = getenv(names[i]);
		if (wish != NULL && *wish == '\0')
			wish = NULL;
	}
	return wish != NULL && strncmp(wish, "ja", 2) == 0 ? LANG_JA : LANG_EN;
}

const char *lang_name(enum lang l)
{
	return l == LANG_JA ? "ja" : "en";
}

const char *message_format(enum message m, enum lang l)
{
	return (unsigned)m < MESSAGE_COUNT ? texts[m][l == LANG_JA] : "";
}

/* The formats are the catalogue's own, checked by tests/unit/base/test_messages.c. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
int message_vtext(char *out, size_t size, enum lang l, enum message m, va_list ap)
{
	return vsnprintf(out, size, message_format(m, l), ap);
}

int message_text(char *out, size_t size, enum lang l, enum message m, ...)
{
	va_list ap;
	int n;

	va_start(ap, m);
	n = vsnprintf(out, size, message_format(m, l), ap);
	va_end(ap);
	return n;
}

void message_print(FILE *to, enum lang l, enum message m, ...)
{
	va_list ap;

	va_start(ap, m);
	vfprintf(to, message_format(m, l), ap);
	va_end(ap);
}
#pragma GCC diagnostic pop
