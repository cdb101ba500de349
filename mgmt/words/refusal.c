/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/refusal.h"

#include <stdbool.h>
#include <string.h>

/* The first match is used, so texts that match much come last. */
static const enum message said[] = {
	M_OP_COMPILE_DIED,
	M_OP_COMPILE_KILLED,
	M_OP_COMPILE_ABSENT,
	M_OP_COMPILE_LATE,
	M_OP_COMPILE_BAD,
	M_COMPILE_NO_MEMORY,
	M_COMPILE_BUNDLE,
	M_OP_TABLE_REFUSED,
	M_OP_TABLE_LATE,
	M_OP_KERNEL_REFUSED,
	M_OP_KERNEL_REFUSED_NO_LINE,
	M_OP_ENFORCE_GONE,
	M_OP_ENFORCE_GONE_BEFORE,
	M_OP_ENFORCE_LATE,
	M_CA_ABSENT,
	M_CA_LINK,
	M_CA_CLOSED,
	M_CA_FOLDER,
	M_CA_NONE,
	M_CA_UNREAD,
	M_OP_TAKES_SESSIONS,
	M_OP_TAKES_UNREAD,
	M_OP_DEVICE_MISSING,
	M_OP_DEVICE_MISSING_TRIAL,
	M_OP_BOX_FAILED,
	M_OP_BOX_NOT_BACK,
	M_OP_PREPARE_FAILED,
	M_MEANS_PACKETS_COME,
	M_MEANS_PACKETS_GONE,
	M_MEANS_COMMANDS_COME,
	M_MEANS_COMMANDS_GONE,
	M_MEANS_TREATED,
	M_MEANS_SAME,
};

#define PLACES 6u

struct filled {
	const char *p[PLACES];
	size_t n[PLACES];
};

/* The argument of a conversion: `next`, unless it gives a number itself (%2$s). */
static const char *conversion(const char *f, unsigned next, unsigned *ret)
{
	size_t digits = strspn(++f, "0123456789");

	*ret = next;
	if (digits == 1 && f[digits] == '$') {
		*ret = (unsigned)(*f - '1');
		f += 2;
	}
	while (*f == 'l')
		f++;
	return f + (*f != '\0');
}

/* Whether `text` was made by the format, and which texts are at its places. A place ends where the
 * following words first occur, the last one at the end. */
static bool fits(const char *text, const char *f, struct filled *ret)
{
	const char *end = text + strlen(text);
	unsigned next = 0;

	while (*f != '\0') {
		const char *behind;
		unsigned place;
		size_t words;

		if (*f != '%') {
			if (*f++ != *text++)
				return false;
			continue;
		}
		f = conversion(f, next++, &place);
		words = strcspn(f, "%");
		if (place >= PLACES || (size_t)(end - text) < words || (words == 0 && *f != '\0'))
			return false;
		behind = f[words] == '\0' ? end - words : memmem(text, (size_t)(end - text), f, words);
		if (behind == NULL || memcmp(behind, f, words) != 0)
			return false;
		ret->p[place] = text;
		ret->n[place] = (size_t)(behind - text);
		text = behind;
	}
	return text == end;
}

static void fill(FILE *to, const char *f, const struct filled *with)
{
	unsigned next = 0, place;

	while (*f != '\0') {
		if (*f != '%') {
			fputc(*f++, to);
			continue;
		}
		f = conversion(f, next++, &place);
		if (place < PLACES && with->p[place] != NULL)
			fprintf(to, "%.*s", (int)with->n[place], with->p[place]);
	}
}

void refusal_print(FILE *to, enum lang l, const char *text)
{
	for (size_t i = 0; l != LANG_EN && i < sizeof(said) / sizeof(said[0]); i++) {
		struct filled f = { 0 };

		if (!fits(text, message_format(said[i], LANG_EN), &f))
			continue;
		fill(to, message_format(said[i], l), &f);
		return;
	}
	fputs(text, to);
}
