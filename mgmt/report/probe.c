/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "appliance/wire/protocols.h"
#include "mgmt/state/read.h"

/* ---- findings -------------------------------------------------------------------------------- */

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

/* ---- deeds ----------------------------------------------------------------------------------- */

/* Counts sessions of a clear-text protocol. A session whose protocol was only named has a record of
 * its own (kind "flow"); sessions with judged commands are in the sums of kind "counts". */
static void count_clear(struct deeds *d, const json_t *event)
{
	const char *kind = js(event, "kind"), *protocol = js(event, "protocol"), *zone = js(event, "client_zone");
	bool named = strcmp(kind, "flow") == 0 && js_is(event, "reason", "confirmed");
	unsigned long long n = named ? ju(event, "count") : strcmp(kind, "counts") == 0 ? ju(event, "sessions") : 0;
	enum protocol p = protocol_by_name(protocol);
	size_t i = 0;

	if (n == 0 || p == PROTO_NONE || !protocol_is(p, PROTO_IN_CLEAR) || *zone == '\0')
		return;
	while (i < d->n_clear && (strcmp(d->clear[i].zone, zone) != 0 || strcmp(d->clear[i].protocol, protocol) != 0))
		i++;
	if (i == DEEDS_CLEAR) {
		d->clear_more += n;
		return;
	}
	if (i == d->n_clear) {
		d->n_clear++;
		snprintf(d->clear[i].zone, sizeof(d->clear[i].zone), "%s", zone);
		snprintf(d->clear[i].protocol, sizeof(d->clear[i].protocol), "%s", protocol);
	}
	d->clear[i].sessions += n;
}

/* Sessions to a server of a kind that a policy should not have, and the conduit of the last. */
static void count_passed(const json_t *event, unsigned long long *sessions, char conduit[64])
{
	*sessions += ju(event, "count");
	if (*js(event, "conduit") != '\0') /* a sum over several conduits names none */
		snprintf(conduit, 64, "%s", js(event, "conduit"));
}

/* Notes the span "2026-09-30T15:00:00Z/2026-10-31T15:00:00Z" of a review. */
static void note_review(struct deeds *d, const char *span)
{
	size_t i = d->n_reviewed, n = sizeof("2026-09-30T15:00:00") - 1;

	if (i == DEEDS_REVIEWS || strlen(span) != 2 * n + 3 || span[n + 1] != '/')
		return;
	snprintf(d->reviewed[i].from, sizeof(d->reviewed[i].from), "%.*s.000Z", (int)n, span);
	snprintf(d->reviewed[i].until, sizeof(d->reviewed[i].until), "%.*s.000Z", (int)n, span + n + 2);
	d->n_reviewed++;
}

const struct deed_answer *deeds_answer(const struct deeds *d, const char *clause)
{
	for (size_t i = 0; i < d->n_answers; i++)
		if (strcmp(d->answers[i].clause, clause) == 0)
			return &d->answers[i];
	return NULL;
}

/* Notes the answer "P 1.7.1, 2027-03-31, SHA-256 ab12..."; a later one replaces an earlier one. */
static void note_answer(struct deeds *d, const json_t *event)
{
	struct deed_answer a = { .good = js_is(event, "code", "clause_reviewed") }, *to;
	const char *said = js(event, "before"), *next = strstr(said, ", "), *digest;

	if (next == NULL || strlen(next) < sizeof(", 2027-03-31") - 1)
		return;
	snprintf(a.clause, sizeof(a.clause), "%.*s", (int)(next - said), said);
	snprintf(a.next, sizeof(a.next), "%s", next + 2);
	digest = strstr(next, ", SHA-256 ");
	if (digest != NULL)
		snprintf(a.digest, sizeof(a.digest), "%s", digest + strlen(", SHA-256 "));
	snprintf(a.by, sizeof(a.by), "%s", js(event, "object"));
	snprintf(a.time, sizeof(a.time), "%s", js(event, "time"));
	snprintf(a.note, sizeof(a.note), "%s", js(event, "after"));
	to = d->answers;
	while (to < d->answers + d->n_answers && strcmp(to->clause, a.clause) != 0)
		to++;
	if (to == d->answers + d->n_answers && d->n_answers < DEEDS_ANSWERS)
		d->n_answers++;
	if (to == d->answers + d->n_answers)
		return;
	a.times = ++to->times;
	if (strcmp(a.time, to->time) >= 0)
		*to = a;
}

/* Which changes of the policy had the approval of a second person. */
static void count_changes(struct deeds *d, const json_t *event)
{
	if (js_is(event, "code", "approved")) {
		d->approved++;
		d->agreed = true;
	} else if (js_is(event, "code", "applied")) {
		if (!d->agreed && d->approved > 0 && d->n_alone++ < DEEDS_ALONE) {
			snprintf(d->alone[d->n_alone - 1].time, sizeof(d->alone->time), "%s", js(event, "time"));
			snprintf(d->alone[d->n_alone - 1].by, sizeof(d->alone->by), "%s", js(event, "by"));
		}
		d->agreed = false;
	}
}

static void note_later(char to[40], const char *time)
{
	if (strcmp(time, to) > 0)
		snprintf(to, 40, "%s", time);
}

/* Whether a text ends like this. */
static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

void deeds_count(void *ctx, const json_t *event)
{
	struct deeds *d = ctx;
	const char *code = js(event, "code"), *time = js(event, "time");
	bool weak = js_is(event, "kind", "weak"), passed = !js_is(event, "verdict", "deny");

	if (d->first[0] == '\0' || strcmp(time, d->first) < 0)
		snprintf(d->first, sizeof(d->first), "%s", time);
	count_clear(d, event);
	if (js_is(event, "kind", "policy"))
		count_changes(d, event);
	if (strcmp(code, "backed_up") == 0 || strcmp(code, "backup_carried") == 0)
		note_later(d->backup, time);
	if (strcmp(code, "backup_tried") == 0 && ends_with(js(event, "object"), ": same"))
		note_later(d->tried, time);
	if (strncmp(code, "parts_", strlen("parts_")) == 0 && strcmp(time, d->parts) > 0) {
		note_later(d->parts, time);
		snprintf(d->parts_found, sizeof(d->parts_found), "%s", js(event, "object"));
		d->parts_vulnerable = strcmp(code, "parts_vulnerable") == 0;
	}
	if (strcmp(code, "isolation_rehearsed") == 0)
		note_later(d->rehearsed, time);
	if (strncmp(code, "clause_reviewed", strlen("clause_reviewed")) == 0)
		note_answer(d, event);
	if (weak && strcmp(code, "tls") == 0 && passed)
		count_passed(event, &d->weak_tls, d->weak_conduit);
	if (js_is(event, "kind", "undeclared") && passed)
		count_passed(event, &d->undeclared, d->undeclared_conduit);
	if (weak && strcmp(code, "tls_no_forward_secrecy") == 0)
		d->lesser_tls += ju(event, "count");
	if (js_is(event, "kind", "attack") && (strcmp(code, "tested") == 0 || strcmp(code, "test_failed") == 0) &&
	    strcmp(time, d->alarms_tested) > 0) {
		snprintf(d->alarms_tested, sizeof(d->alarms_tested), "%s", time);
		d->alarms_rang = strcmp(code, "tested") == 0;
	}
	if (strncmp(code, "records_reviewed", strlen("records_reviewed")) != 0)
		return;
	note_review(d, js(event, "before"));
	if (strcmp(time, d->review) > 0) {
		snprintf(d->review, sizeof(d->review), "%s", time);
		snprintf(d->review_by, sizeof(d->review_by), "%s", js(event, "object"));
	}
}
