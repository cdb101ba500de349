/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho who-can COMMAND ASSET`: from where the command can be given to the asset. `sekisho reach
 * ZONE|ASSET`: where its hosts can get to. Both follow chains of conduits. */
#include <stdlib.h>

#include "appliance/wire/hours.h"
#include "mgmt/cli/ask/ask.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "policy/space/asked.h"
#include "policy/space/prove.h"

/* Prints "site.cfg:12 tos-writes" for each hop, below the line of its walk. */
static void chain_print(struct cli *c, const struct source *s, const struct walk *w)
{
	for (size_t i = 0; i < w->n_hops; i++) {
		const struct model_conduit *d = w->hops[i];
		char *file = text_safe(source_file(s, d->at)), when[WHEN_TEXT];

		source_say(c, i == 0 ? M_CHAIN_BY : M_CHAIN_THEN, d->name, file != NULL ? file : "?", d->at.line,
			   d->to->name);
		conduit_when_text(s->c.model, d, when, sizeof(when));
		if (when[0] != '\0')
			source_say(c, M_PROVE_WHEN, when);
		free(file);
	}
}

static void until_print(struct cli *c, const struct model_conduit *d)
{
	char until[40];

	if (d->until == 0)
		return;
	minute_text(d->until, until);
	asking_say_below(c, M_ASK_UNTIL, until);
}

/* Ends both verbs: the last line of JSON, and the status. Takes over the reference. */
static int answered(struct cli *c, const char *key, json_t *list, size_t n, uint64_t at)
{
	if (c->json)
		json_line(c->out, json_pack("{s:b,s:O,s:o}", "allowed", (int)(n > 0), key, list, "at",
					    json_time(at * 1000000000ull)));
	json_decref(list);
	return n > 0 ? CLI_YES : CLI_NO;
}

/* ---- who-can --------------------------------------------------------------------------------- */

enum { COMMAND, ASSET };

static void source_print(struct cli *c, const struct source *s, const struct walk *w)
{
	const struct model_conduit *first = w->hops[0];
	char hosts[RANGES_TEXT];

	ranges_text(first->sources, first->n_sources, hosts);
	source_say(c, w->n_hops == 1 ? M_WHO_DIRECT : M_WHO_CHAIN, first->from->name, hosts, w->n_hops);
	chain_print(c, s, w);
	source_say(c, M_WHO_SERVICE, w->last.service->name);
	if (w->last.allow != NULL)
		asking_say_below(c, M_ASK_ROW, w->last.allow->at.line);
	if (w->last.observed)
		asking_say_below(c, M_ASK_OBSERVED);
	until_print(c, w->last.conduit);
}

static size_t who_end(struct cli *c, const struct source *s, const struct asked *q, json_t *all)
{
	struct walk *list;
	size_t n = walks_to(s->c.model, q, s->arena, &list);

	/* A walk for which memory ended is not whole; the caller tells it. */
	for (size_t i = 0; i < n && !arena_failed(s->arena); i++)
		if (c->json)
			json_array_append_new(all, walk_source_json(&s->c, &list[i]));
		else
			source_print(c, s, &list[i]);
	return n;
}

static int who(struct cli *c, const struct source *s, const struct cli_args *a, struct asked *q)
{
	const struct asked_end *ends;
	const char *word;
	json_t *all;
	size_t n = 0, n_ends;
	int status;

	ends = asking_ends(c, s, a->operands[ASSET], &n_ends, &status);
	q->command = a->operands[COMMAND];
	if (ends == NULL)
		return status;
	if (!asked_words(q, &word))
		return cli_fail(c, CLI_INVALID, M_ASK_NO_WORD, word);
	all = json_array();
	for (size_t e = 0; e < n_ends; e++) {
		q->to = ends[e];
		n += who_end(c, s, q, all);
	}
	if (arena_failed(s->arena)) {
		json_decref(all);
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	if (!c->json)
		source_say(c, n > 0 ? M_WHO_SOME : M_WHO_NOBODY, q->command, a->operands[ASSET], n);
	return answered(c, "sources", all, n, q->at);
}

int verb_who_can(struct cli *c, const struct cli_args *a)
{
	struct asked q = { .protocol = PROTO_NONE };
	struct source s;
	int status;

	if (asking_open(c, a, &s, &q.at, &status))
		status = who(c, &s, a, &q);
	source_close(&s);
	return status;
}

/* ---- reach ----------------------------------------------------------------------------------- */

static void services_print(struct cli *c, const struct source *s, const struct model_conduit *d, uint64_t at)
{
	unsigned classes;

	for (size_t i = 0; i < d->n_services; i++) {
		char words[64] = "";
		size_t n = 0;

		if (!walk_goes(s->c.model, d, i, at, &classes))
			continue;
		for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE; bit <<= 1)
			if ((classes & bit) != 0)
				n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n > 0 ? ", " : "",
						      command_class_name(bit));
		if (classes == 0)
			source_say(c, M_WHO_SERVICE, d->services[i]->name);
		else
			source_say(c, M_REACH_SERVICE, d->services[i]->name, words);
	}
}

static void reached_print(struct cli *c, const struct source *s, const struct walk *w, uint64_t at)
{
	const struct model_conduit *d = w->last.conduit;
	char hosts[RANGES_TEXT];

	ranges_text(d->destinations, d->n_destinations, hosts);
	source_say(c, w->n_hops == 1 ? M_WHO_DIRECT : M_WHO_CHAIN, d->to->name, hosts, w->n_hops);
	if (w->beside)
		source_say(c, M_REACH_BESIDE, w->hops[0]->from->name);
	chain_print(c, s, w);
	services_print(c, s, d, at);
	until_print(c, d);
}

static int reach(struct cli *c, const struct source *s, const char *from, uint64_t at)
{
	json_t *all;
	struct walk *list;
	size_t n, n_ends;
	int status = CLI_YES;
	const struct asked_end *ends = asking_ends(c, s, from, &n_ends, &status);

	if (ends == NULL)
		return status;
	n = walks_from(s->c.model, ends, n_ends, at, s->arena, &list);
	if (arena_failed(s->arena))
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	all = json_array();
	if (!c->json)
		source_say(c, n > 0 ? M_REACH_SOME : M_REACH_NOTHING, from, n);
	for (size_t i = 0; i < n; i++)
		if (c->json)
			json_array_append_new(all, walk_reached_json(&s->c, &list[i], at));
		else
			reached_print(c, s, &list[i], at);
	return answered(c, "reached", all, n, at);
}

int verb_reach(struct cli *c, const struct cli_args *a)
{
	struct source s;
	uint64_t at;
	int status;

	if (asking_open(c, a, &s, &at, &status))
		status = reach(c, &s, a->operands[0], at);
	source_close(&s);
	return status;
}
