/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a probe: a verdict, and a sentence with a few names. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/report/probe.h"

#define NAMED 5u /* names of a list; the rest is counted */

static const struct {
	const char *word, *mark;
	enum message text;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_MET] = { "met", "met", M_VERDICT_MET },
	[VERDICT_PARTLY] = { "partly", "partly", M_VERDICT_PARTLY },
	[VERDICT_NOT] = { "not_covered", "not", M_VERDICT_NOT },
	[VERDICT_ASK] = { "ask", "ask", M_VERDICT_ASK },
	[VERDICT_UNREAD] = { "unread", "ask", M_VERDICT_UNREAD },
};

const char *verdict_word(enum verdict v)
{
	return verdicts[v].word;
}

const char *verdict_mark(enum verdict v)
{
	return verdicts[v].mark;
}

enum message verdict_text(enum verdict v)
{
	return verdicts[v].text;
}

void finding_say(struct finding *f, enum verdict v, enum message m, ...)
{
	f->verdict = v;
	for (unsigned l = 0; l < LANGUAGES; l++) {
		va_list ap;

		va_start(ap, m);
		(void)message_vtext(f->text[l], FINDING_TEXT, (enum lang)l, m, ap);
		va_end(ap);
	}
}

void finding_name(struct names *n, const char *name)
{
	size_t at = strlen(n->text);

	if (n->n++ < NAMED)
		snprintf(n->text + at, sizeof(n->text) - at, "%s%s", at > 0 ? ", " : "", name);
	else if (n->n == NAMED + 1 && at + 5 < sizeof(n->text))
		snprintf(n->text + at, sizeof(n->text) - at, ", ...");
}
