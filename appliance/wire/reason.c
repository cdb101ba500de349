/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/reason.h"

#include <string.h>

struct row {
	const char *word;
	enum reason_kind kind;
	const char *en;
	const char *ja;
};

#define REASON(id, word, kind, en, ja) [id] = { word, kind, en, ja },
static const struct row rows[REASON_COUNT] = {
#include "appliance/wire/reason.def"
};
#undef REASON

const char *reason_word(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? rows[r].word : "unknown";
}

enum reason_kind reason_kind(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? rows[r].kind : REASON_BAD;
}

const char *reason_text(enum reason r, const char *lang)
{
	if ((unsigned)r >= REASON_COUNT)
		r = R_NONE;
	return strcmp(lang, "ja") == 0 ? rows[r].ja : rows[r].en;
}

enum reason reason_by_word(const char *word)
{
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (strcmp(rows[i].word, word) == 0)
			return (enum reason)i;
	return REASON_COUNT;
}
