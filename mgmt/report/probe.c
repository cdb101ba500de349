/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/probe.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/protocols.h"
#include "mgmt/report/answers.h"
#include "mgmt/state/read.h"

static const struct probe probes[] = {
#define PROBE(name, from) { #name, from, probe_##name },
#include "mgmt/report/probe.def"
};

static const size_t n_probes = sizeof(probes) / sizeof(probes[0]);

const struct probe *probe_by_word(const char *word)
{
	for (size_t i = 0; i < n_probes; i++)
		if (strcmp(probes[i].word, word) == 0)
			return &probes[i];
	return NULL;
}

void probe_look(const struct probe *p, const json_t *facts, const struct deeds *deeds, struct finding *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (facts_answer(facts, p->from) == NULL)
		finding_say(ret, VERDICT_UNREAD, M_PROBE_UNREAD, p->from, facts_why(facts, p->from));
	else
		p->look(facts, deeds, ret);
}

/* Counts sessions of a clear-text protocol. A session whose protocol was only named has a record of
 * its own (kind "flow"); sessions with judged commands are in the sums of kind "counts". */
static void count_clear(struct deeds *d, const json_t *event)
{
	const char *kind = js(event, "kind"), *protocol = js(event, "protocol"), *zone = js(event, "client_zone");
	bool named = strcmp(kind, "flow") == 0 && strcmp(js(event, "reason"), "confirmed") == 0;
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

void deeds_count(void *ctx, const json_t *event)
{
	struct deeds *d = ctx;
	const char *code = js(event, "code"), *time = js(event, "time");

	count_clear(d, event);
	if (strcmp(code, "backed_up") == 0 && strcmp(time, d->backup) > 0)
		snprintf(d->backup, sizeof(d->backup), "%s", time);
	if (strcmp(js(event, "kind"), "weak") == 0 && strcmp(code, "tls") == 0 &&
	    strcmp(js(event, "verdict"), "deny") != 0) {
		d->weak_tls += ju(event, "count");
		if (*js(event, "conduit") != '\0') /* a sum over several conduits names none */
			snprintf(d->weak_conduit, sizeof(d->weak_conduit), "%s", js(event, "conduit"));
	}
	if (strcmp(js(event, "kind"), "undeclared") == 0 && strcmp(js(event, "verdict"), "deny") != 0) {
		d->undeclared += ju(event, "count");
		if (*js(event, "conduit") != '\0') /* a sum over several conduits names none */
			snprintf(d->undeclared_conduit, sizeof(d->undeclared_conduit), "%s", js(event, "conduit"));
	}
	if (strcmp(js(event, "kind"), "weak") == 0 && strcmp(code, "tls_no_forward_secrecy") == 0)
		d->lesser_tls += ju(event, "count");
	if (strncmp(code, "records_reviewed", strlen("records_reviewed")) == 0 && strcmp(time, d->review) > 0) {
		snprintf(d->review, sizeof(d->review), "%s", time);
		snprintf(d->review_by, sizeof(d->review_by), "%s", js(event, "object"));
	}
}
