/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/cli/report/facts.h"
#include "mgmt/cli/report/probes.h"
#include "mgmt/state/read.h"

const struct probe probes[] = {
#define PROBE(name, from) { #name, from, probe_##name },
#include "mgmt/cli/report/probe.def"
};

const size_t n_probes = sizeof(probes) / sizeof(probes[0]);

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

const struct probe *probe_by_word(const char *word)
{
	for (size_t i = 0; i < n_probes; i++)
		if (strcmp(probes[i].word, word) == 0)
			return &probes[i];
	return NULL;
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

void probe_look(const struct probe *p, const json_t *facts, const struct deeds *deeds, struct finding *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (facts_answer(facts, p->from) == NULL)
		finding_say(ret, VERDICT_UNREAD, M_PROBE_UNREAD, p->from, facts_why(facts, p->from));
	else
		p->look(facts, deeds, ret);
}

void deeds_count(void *ctx, const json_t *event)
{
	struct deeds *d = ctx;
	const char *code = js(event, "code"), *time = js(event, "time");

	if (strcmp(code, "backed_up") == 0 && strcmp(time, d->backup) > 0)
		snprintf(d->backup, sizeof(d->backup), "%s", time);
	if (strncmp(code, "records_reviewed", strlen("records_reviewed")) == 0 && strcmp(time, d->review) > 0) {
		snprintf(d->review, sizeof(d->review), "%s", time);
		snprintf(d->review_by, sizeof(d->review_by), "%s", js(event, "object"));
	}
}
