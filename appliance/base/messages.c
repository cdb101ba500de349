/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/errno_text.h"

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
/* The formatted text, in Japanese with errno texts translated. malloc'd; NULL = no memory. */
static char *formatted(enum lang l, enum message m, va_list ap)
{
	char *text = NULL, *said;

	if (vasprintf(&text, message_format(m, l), ap) < 0)
		return NULL;
	if (l != LANG_JA || (said = errno_japanese(text)) == NULL)
		return text;
	free(text);
	return said;
}

int message_vtext(char *out, size_t size, enum lang l, enum message m, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(out, size, message_format(m, l), again);
	va_end(again);
	if (l != LANG_JA || strchr(message_format(m, l), '%') == NULL || (text = formatted(l, m, ap)) == NULL)
		return n;
	n = snprintf(out, size, "%s", text);
	free(text);
	return n;
}

int message_text(char *out, size_t size, enum lang l, enum message m, ...)
{
	va_list ap;
	int n;

	va_start(ap, m);
	n = message_vtext(out, size, l, m, ap);
	va_end(ap);
	return n;
}

void message_print(FILE *to, enum lang l, enum message m, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, m);
	if (l == LANG_JA)
		text = formatted(l, m, ap);
	va_end(ap);
	va_start(ap, m);
	if (text != NULL)
		fputs(text, to);
	else
		vfprintf(to, message_format(m, l), ap);
	va_end(ap);
	free(text);
}
#pragma GCC diagnostic pop
