/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho ask FROM TO [SERVICE [COMMAND [KEY=ADDRESS [VALUE]]]]`: may it, and by which line? */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/ask/asking.h"
#include "mgmt/cli/screen/width.h"
#include "mgmt/cli/verbs.h"

enum { FROM, TO, SERVICE, COMMAND, ADDRESS, VALUE };

/* The question as it was typed, and what it means in this policy. */
struct asking {
	struct cli *c;
	const struct cli_args *a;
	struct source s;
	struct asked q; /* of one end each */
	const struct asked_end *ends[2];
	size_t n_ends[2];
	struct model_port port;
	char place[64];
};

static const char *const lacks[] = {
	[ASKED_ENDS] = "ends",	     [ASKED_SOURCE] = "source",	  [ASKED_DESTINATION] = "destination",
	[ASKED_SERVICE] = "service", [ASKED_COMMAND] = "command", [ASKED_PLACE] = "address",
	[ASKED_VALUE] = "value",     [ASKED_OVER] = "until",	  [ASKED_SHUT] = "hours",
};
static const enum message lack_messages[] = {
	[ASKED_ENDS] = M_ASK_LACKS_ENDS,
	[ASKED_SOURCE] = M_ASK_LACKS_SOURCE,
	[ASKED_DESTINATION] = M_ASK_LACKS_DESTINATION,
	[ASKED_SERVICE] = M_ASK_LACKS_SERVICE,
	[ASKED_COMMAND] = M_ASK_LACKS_COMMAND,
	[ASKED_PLACE] = M_ASK_LACKS_ADDRESS,
	[ASKED_VALUE] = M_ASK_LACKS_VALUE,
	[ASKED_OVER] = M_ASK_LACKS_UNTIL,
	[ASKED_SHUT] = M_ASK_LACKS_HOURS,
};

/* ---- the question -------------------------------------------------------------------------------------------------- */

static bool service_meant(struct asking *k, const char *text)
{
	const struct model *m = k->s.c.model;

	for (size_t i = 0; i < m->n_services; i++)
		if (strcmp(text, m->services[i].name) == 0 ||
		    (m->services[i].label[0] != '\0' && strcmp(text, m->services[i].label) == 0)) {
			k->q.service = &m->services[i];
			k->q.protocol = m->services[i].protocol;
			return true;
		}
	for (unsigned p = PROTO_NONE + 1; p < PROTO_COUNT; p++)
		if (strcmp(text, protocol_info((enum protocol)p)->name) == 0) {
			k->q.protocol = (enum protocol)p;
			return true;
		}
	if (port_parse(text, &k->port) == NULL)
		return false;
	k->q.port = &k->port;
	return true;
}

/* CLI_YES, or what was said is wrong with it. */
static int question(struct asking *k)
{
	const struct cli_args *a = k->a;
	const char *equals, *word;
	int status = CLI_YES;

	for (int end = FROM; end <= TO; end++) {
		k->ends[end] = asking_ends(k->c, &k->s, a->operands[end], &k->n_ends[end], &status);
		if (k->ends[end] == NULL)
			return status;
	}
	if (a->n_operands > SERVICE && !service_meant(k, a->operands[SERVICE]))
		return cli_fail(k->c, CLI_INVALID, M_ASK_NO_SERVICE, a->operands[SERVICE]);
	if (a->n_operands > COMMAND)
		k->q.command = a->operands[COMMAND];
	if (a->n_operands > ADDRESS) {
		equals = strchr(a->operands[ADDRESS], '=');
		if (equals == NULL || (size_t)(equals - a->operands[ADDRESS]) >= sizeof(k->place))
			return cli_fail(k->c, CLI_INVALID, M_ASK_ADDRESS, a->operands[ADDRESS]);
		memcpy(k->place, a->operands[ADDRESS], (size_t)(equals - a->operands[ADDRESS]));
		k->q.place = k->place;
		k->q.numbers = equals + 1;
	}
	if (a->n_operands > VALUE)
		k->q.value = a->operands[VALUE];
	if (!asked_words(&k->q, &word))
		return cli_fail(k->c, CLI_INVALID, M_ASK_NO_WORD, word == k->place ? a->operands[ADDRESS] : word);
	return CLI_YES;
}

/* ---- the answer ----------------------------------------------------------------------------------------------------- */

/* Every address that was asked about is one of the conduit's. */
static bool all_of(const struct asked_end *asked, const struct addr_range *have, size_t n)
{
	for (size_t i = 0; i < asked->n; i++) {
		bool inside = false;

		for (size_t k = 0; k < n && !inside; k++)
			inside = addr_in(&asked->ranges[i].lo, &have[k]) && addr_in(&asked->ranges[i].hi, &have[k]);
		if (!inside)
			return false;
	}
	return true;
}

static void line_print(const struct asking *k, const struct asked_line *l)
{
	const struct model_conduit *d = l->conduit;
	char *file = text_safe(source_file(&k->s, d->at)), from[RANGES_TEXT], to[RANGES_TEXT], until[40];

	if (file == NULL)
		return;
	source_say(k->c, M_ASK_CONDUIT, d->name, file, d->at.line, l->service->name);
	if (l->allow != NULL)
		source_say(k->c, M_ASK_ROW, l->allow->at.line);
	if (!all_of(&k->q.from, d->sources, d->n_sources) || !all_of(&k->q.to, d->destinations, d->n_destinations)) {
		ranges_text(d->sources, d->n_sources, from);
		ranges_text(d->destinations, d->n_destinations, to);
		source_say(k->c, M_ASK_HOSTS, from, to);
	}
	if (l->observed)
		source_say(k->c, M_ASK_OBSERVED);
	if (d->owner[0] != '\0')
		source_say(k->c, M_ASK_OWNER, d->owner);
	if (l->end != 0) {
		until_text(l->end, until);
		source_say(k->c, M_ASK_UNTIL, until);
	}
	free(file);
}

/* A line that does all of it but for where it begins counts as the least near. */
static void nearer(const struct asking *k, struct asked_line *best)
{
	const struct model *m = k->s.c.model;

	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *d = &m->conduits[i];
		struct asked_line l = ask_conduit(m, d, &k->q);

		if (l.lack == ASKED_ENDS && !d->shadow && d->to == k->q.to.zone && k->q.from.zone != NULL) {
			struct asked other = k->q;

			other.from = (struct asked_end){ d->from, NULL, d->from->ranges, d->from->n_ranges };
			l = ask_conduit(m, d, &other);
			l.lack = l.lack == ASKED_NOTHING ? ASKED_ENDS : ASKED_NOTHING;
		} else if (l.lack == ASKED_ENDS) {
			continue;
		}
		if (l.lack != ASKED_NOTHING && (best->conduit == NULL || l.lack > best->lack))
			*best = l;
	}
}

/* Between which ends of all it is asked; false: there are no more. */
static bool next_ends(struct asking *k, size_t i)
{
	if (i >= k->n_ends[FROM] * k->n_ends[TO])
		return false;
	k->q.from = k->ends[FROM][i / k->n_ends[TO]];
	k->q.to = k->ends[TO][i % k->n_ends[TO]];
	return true;
}

/* What would be needed. */
static struct asked_line nearest(struct asking *k)
{
	struct asked_line best = { 0 };

	for (size_t i = 0; next_ends(k, i); i++)
		nearer(k, &best);
	(void)next_ends(k, 0);
	return best;
}

static void no(const struct asking *k, const struct asked_line *l)
{
	const char *const *o = k->a->operands;
	const struct model_conduit *d = l->conduit;
	const struct model_zone *from = k->q.from.zone, *to = k->q.to.zone;
	const char *word;
	char *file, until[40] = "";

	source_say(k->c, M_ASK_NO, o[FROM], o[TO]);
	if (from == NULL || to == NULL)
		source_say(k->c, M_ASK_IN_NO_ZONE, from == NULL ? o[FROM] : o[TO]);
	else if (d == NULL || l->lack == ASKED_ENDS)
		source_say(k->c, M_ASK_NO_CONDUIT, from->name, to->name);
	if (d == NULL)
		return;
	file = text_safe(source_file(&k->s, d->at));
	if (l->lack == ASKED_SHUT ? l->end != 0 : d->until != 0)
		until_text(l->lack == ASKED_SHUT ? l->end : d->until, until);
	if (file != NULL) {
		source_say(k->c, M_ASK_NEAREST, d->name, file, l->allow != NULL ? l->allow->at.line : d->at.line);
		switch (l->lack) {
		case ASKED_ENDS:
			source_say(k->c, lack_messages[l->lack], d->from->name);
			break;
		case ASKED_SOURCE:
		case ASKED_DESTINATION:
		case ASKED_SERVICE:
		case ASKED_COMMAND:
		case ASKED_PLACE:
		case ASKED_VALUE:
			/* Without a word for it: no service of the conduit goes between addresses of these families. */
			word = o[l->lack - ASKED_SOURCE + FROM];
			source_say(k->c, lack_messages[l->lack], word != NULL ? word : "IP");
			break;
		case ASKED_OVER:
		case ASKED_SHUT:
			source_say(k->c, lack_messages[l->lack], until);
			break;
		case ASKED_NOTHING:
			break;
		}
	}
	free(file);
}

static bool yes(struct asking *k, json_t *lines)
{
	const struct model *m = k->s.c.model;
	bool any = false;

	for (size_t e = 0; next_ends(k, e); e++)
		for (size_t i = 0; i < m->n_conduits; i++) {
			struct asked_line l = ask_conduit(m, &m->conduits[i], &k->q);

			if (l.lack != ASKED_NOTHING)
				continue;
			if (!any && !k->c->json)
				source_say(k->c, M_ASK_YES, k->a->operands[FROM], k->a->operands[TO]);
			any = true;
			if (k->c->json)
				json_array_append_new(lines, line_json(&k->s, &l));
			else
				line_print(k, &l);
		}
	return any;
}

static int answer(struct asking *k)
{
	struct asked_line near = { 0 };
	json_t *lines = json_array();
	bool any = yes(k, lines);

	if (!any) {
		near = nearest(k);
		if (!k->c->json)
			no(k, &near);
	}
	if (k->c->json) {
		json_t *one = near.conduit != NULL ? line_json(&k->s, &near) : json_null();

		if (near.conduit != NULL)
			json_object_set_new(one, "lacks", json_string(lacks[near.lack]));
		json_line(k->c->out, json_pack("{s:b,s:O,s:o,s:o}", "allowed", (int)any, "lines", lines, "nearest", one,
					       "at", json_time(k->q.at * 1000000000ull)));
	}
	json_decref(lines);
	return any ? CLI_YES : CLI_NO;
}

static int run(struct cli *c, const struct cli_args *a)
{
	struct asking k = { .c = c, .a = a };
	int status = CLI_YES;

	if (asking_open(c, a, &k.s, &k.q.at, &status)) {
		status = question(&k);
		if (status == CLI_YES)
			status = answer(&k);
	}
	source_close(&k.s);
	return status;
}

const struct cli_verb verb_ask = {
	.name = "ask",
	.group = CLI_OFFLINE,
	.operands = "FROM TO [SERVICE [COMMAND [KEY=ADDRESS [VALUE]]]]",
	.min_operands = 2,
	.max_operands = 6,
	.options = asking_options,
	.n_options = OPTS,
	.summary = M_ASK_SUMMARY,
	.text = M_ASK_TEXT,
	.run = run,
};
