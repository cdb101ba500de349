/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho prove POLICY`: does each `never` hold, and if not, through which conduits and with which
 * packet? */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "policy/render/settings.h"
#include "policy/space/prove.h"

static const char *transport_name(uint8_t l4proto)
{
	switch (l4proto) {
	case 1:
	case 58:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	default:
		return "ip";
	}
}

static bool is_icmp(uint8_t l4proto)
{
	return l4proto == 1 || l4proto == 58;
}

/* The conduit's door and hours. */
static void open_json(json_t *to, const struct source *s, const struct model_conduit *c)
{
	char when[WHEN_TEXT];

	conduit_when_text(s->c.model, c, when, sizeof(when));
	json_object_set_new(to, "door", c->door != NULL ? json_text(c->door->name) : json_null());
	json_object_set_new(to, "when", json_text(when));
}

static void open_print(struct cli *c, const struct source *s, const struct model_conduit *of)
{
	char when[WHEN_TEXT];

	conduit_when_text(s->c.model, of, when, sizeof(when));
	if (when[0] != '\0')
		source_say(c, M_PROVE_WHEN, when);
}

static json_t *counterexample_json(const struct source *s, const struct counterexample *x)
{
	json_t *chain = json_array();
	json_t *packet = json_pack("{s:o,s:o,s:s,s:i,s:o}", "source", json_addr(&x->source), "destination",
				   json_addr(&x->destination), "protocol", transport_name(x->l4proto), "port",
				   is_icmp(x->l4proto) ? x->port >> 8 : (int)x->port, "function",
				   x->function >= 0 ? json_integer(x->function) : json_null());
	json_t *both;

	for (size_t i = 0; i < x->n_hops; i++) {
		json_t *hop = json_pack("{s:o,s:o,s:i}", "conduit", json_text(x->hops[i]->name), "file",
					json_text(source_file(s, x->hops[i]->at)), "line", (int)x->hops[i]->at.line);

		open_json(hop, s, x->hops[i]);
		json_array_append_new(chain, hop);
	}
	both = json_pack("{s:o,s:o}", "chain", chain, "packet", packet);
	return both;
}

/* The result for one statement. */
struct finding {
	const struct model_never *never;
	/* how the statement is broken, or the conditions under which it does not hold */
	const struct counterexample *list;
	size_t n;
	const struct model_chain_break **rests_on;
	size_t n_rests;
	const struct model_service **answers; /* services of answer_only that it depends on */
	size_t n_answers;
	bool holds, vacuous;
};

/* `list`: the counterexamples from this statement on; returns where those of the next one begin. */
static const struct counterexample *finding_take(const struct source *s, const struct model_never *v,
						 const struct counterexample *list, const struct counterexample *end,
						 struct finding *ret)
{
	*ret = (struct finding){ .never = v, .vacuous = prove_is_vacuous(v), .list = list };
	while (list < end && list->never == v)
		list++;
	ret->n = (size_t)(list - ret->list);
	ret->holds = ret->n == 0 || ret->list[0].unattended != ATTENDED;
	if (ret->holds)
		ret->n_rests = prove_rests_on(s->c.model, v, s->arena, &ret->rests_on);
	if (ret->holds)
		ret->n_answers = prove_rests_on_answers(s->c.model, v, s->arena, &ret->answers);
	return list;
}

/* The results in the order of the statements; NULL: no memory. */
static const struct finding *findings(const struct source *s)
{
	const struct model *m = s->c.model;
	struct finding *all = arena_array(s->arena, m->n_nevers + 1, sizeof(*all));
	struct counterexample *list = NULL;
	const struct counterexample *at, *end;
	size_t n = prove_nevers(m, s->arena, &list);

	if (arena_failed(s->arena))
		return NULL;
	at = list;
	end = list + n;
	for (size_t i = 0; i < m->n_nevers; i++)
		at = finding_take(s, &m->nevers[i], at, end, &all[i]);
	return arena_failed(s->arena) ? NULL : all;
}

static const char *unattended_word(enum unattended u)
{
	static const char *const words[] = { NULL, "open", "hold", "pick_up" };

	return words[u];
}

/* Without words whatever a conduit allows counts. */
static json_t *commands_json(const struct model_never *v)
{
	json_t *list = json_array();

	for (unsigned bit = CLASS_READ; !v->all_commands && bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((v->classes & bit) != 0)
			json_array_append_new(list, json_string(command_class_name(bit)));
	return list;
}

static json_t *breaks_json(const struct source *s, const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_rests; i++) {
		const struct model_chain_break *b = f->rests_on[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:i}", "asset", json_text(b->asset->name), "reason",
						      json_text(b->reason), "file", json_text(source_file(s, b->at)),
						      "line", (int)b->at.line));
	}
	return list;
}

static json_t *answers_json(const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_answers; i++)
		json_array_append_new(list, json_text(f->answers[i]->name));
	return list;
}

static json_t *exceptions_json(const struct source *s, const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; f->holds && i < f->n; i++) {
		json_t *one = counterexample_json(s, &f->list[i]);

		json_object_set_new(one, "unattended", json_string(unattended_word(f->list[i].unattended)));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *finding_json(const struct source *s, const struct finding *f)
{
	const struct model_never *v = f->never;
	const char *unattended = f->n > 0 ? unattended_word(f->list[0].unattended) : NULL;
	json_t *one = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:b,s:b,s:o,s:o,s:i,s:o,s:o,s:o}", "from", json_text(v->from->name), "to",
		json_text(v->to->name), "from_assets", settings_assets(&v->sources), "to_assets",
		settings_assets(&v->destinations), "label", json_text(v->label), "scope", v->chain ? "chain" : "direct",
		"commands", commands_json(v), "holds", f->holds, "vacuous", f->vacuous, "unattended",
		unattended != NULL ? json_string(unattended) : json_null(), "file", json_text(source_file(s, v->at)),
		"line", (int)v->at.line, "rests_on", breaks_json(s, f), "rests_on_answers", answers_json(f),
		"exceptions", exceptions_json(s, f));

	if (f->n > 0) {
		json_t *more = counterexample_json(s, &f->list[0]);

		json_object_update(one, more);
		json_decref(more);
	}
	return one;
}

/* The file's name, safe for a terminal. */
static const char *shown_file(const struct source *s, struct srcpos at)
{
	char *safe = text_safe(source_file(s, at));
	const char *kept = safe != NULL ? arena_strndup(s->arena, safe, strlen(safe)) : NULL;

	free(safe);
	return kept != NULL ? kept : "?";
}

/* Prints which setting of the last conduit, when_down or when_overloaded, lets commands pass
 * uninspected. */
static void unattended_print(struct cli *c, const struct counterexample *x)
{
	const struct model_conduit *last = x->hops[x->n_hops - 1];
	enum failure least = x->unattended == UNATTENDED_OPEN ? FAIL_OPEN : FAIL_HOLD;
	bool down = last->when_down >= least, overloaded = last->when_overloaded >= least;

	if (x->unattended == UNATTENDED_PICK_UP)
		source_say(c, M_PROVE_PICK_UP, last->name);
	else
		source_say(c, x->unattended == UNATTENDED_OPEN ? M_PROVE_OPEN : M_PROVE_HOLD, last->name,
			   message_format(down && overloaded ? M_PROVE_DOWN_OR_OVERLOADED
					  : down	     ? M_PROVE_DOWN
							     : M_PROVE_OVERLOADED,
					  c->lang),
			   down && overloaded ? "when_down, when_overloaded"
			   : down	      ? "when_down"
					      : "when_overloaded");
}

static void counterexample_print(struct cli *c, const struct source *s, const struct counterexample *x)
{
	const char *last = x->hops[x->n_hops - 1]->name;
	char packet[COUNTEREXAMPLE_TEXT];

	if (x->unattended != ATTENDED)
		unattended_print(c, x);
	for (size_t i = 0; i < x->n_hops; i++) {
		const struct model_conduit *h = x->hops[i];

		source_say(c, M_PROVE_HOP, h->from->name, h->to->name, h->name, shown_file(s, h->at), h->at.line);
		open_print(c, s, h);
	}
	counterexample_text(x, c->lang, packet, sizeof(packet));
	source_say(c, M_PROVE_PACKET, packet);
	if (x->observed)
		source_say(c, M_PROVE_OBSERVED, last);
}

static void finding_print(struct cli *c, const struct source *s, const struct finding *f)
{
	const struct model_never *v = f->never;
	char words[96] = "", commands[128] = "", from[NEVER_END_TEXT], to[NEVER_END_TEXT];
	size_t n = 0;

	never_end_text(v->from, &v->sources, from, sizeof(from));
	never_end_text(v->to, &v->destinations, to, sizeof(to));

	for (unsigned bit = CLASS_READ; !v->all_commands && bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((v->classes & bit) != 0 && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n > 0 ? ", " : "",
					      command_class_name(bit));
	if (n > 0)
		message_text(commands, sizeof(commands), c->lang, M_PROVE_COMMANDS, words);
	source_say(c, f->holds ? M_PROVE_HOLDS : M_PROVE_BROKEN, shown_file(s, v->at), v->at.line, from, to,
		   v->chain ? "chain" : "direct", commands);
	if (v->label[0] != '\0')
		source_say(c, M_PROVE_LABEL, v->label);
	if (f->vacuous)
		source_say(c, v->to->self ? M_PROVE_TO_SELF : v->from->self ? M_PROVE_FROM_SELF : M_PROVE_NO_INTERFACE);
	for (size_t i = 0; i < f->n_rests; i++) {
		const struct model_chain_break *b = f->rests_on[i];

		source_say(c, M_PROVE_RESTS, b->asset->name, shown_file(s, b->at), b->at.line, b->reason);
	}
	for (size_t i = 0; i < f->n_answers; i++)
		source_say(c, M_PROVE_ANSWERS, f->answers[i]->name);
	for (size_t i = 0; i < f->n; i++)
		counterexample_print(c, s, &f->list[i]);
}

/* ---- always ---------------------------------------------------------------------------------- */

static json_t *always_json(const struct source *s, const struct model_always *w, const struct lapse *x)
{
	json_t *services = json_array(), *one;

	for (size_t i = 0; i < w->n_services; i++)
		json_array_append_new(services, json_text(w->services[i]->name));
	one = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:i}", "from", json_text(w->from->name), "to",
			json_text(w->to->name), "from_assets", settings_assets(&w->sources), "to_assets",
			settings_assets(&w->destinations), "services", services, "purpose", json_text(w->purpose),
			"holds", x == NULL, "file", json_text(source_file(s, w->at)), "line", (int)w->at.line);
	if (x == NULL)
		return one;
	json_object_set_new(one, "packet",
			    json_pack("{s:o,s:o,s:s,s:i,s:o}", "source", json_addr(&x->source), "destination",
				      json_addr(&x->destination), "protocol", transport_name(x->l4proto), "port",
				      is_icmp(x->l4proto) ? x->port >> 8 : (int)x->port, "service",
				      json_text(x->service->name)));
	json_object_set_new(one, "ends", x->ends != NULL ? json_text(x->ends->name) : json_null());
	if (x->ends != NULL)
		open_json(one, s, x->ends);
	return one;
}

static void always_print(struct cli *c, const struct source *s, const struct model_always *w, const struct lapse *x)
{
	char from[NEVER_END_TEXT], to[NEVER_END_TEXT], packet[LAPSE_TEXT];

	never_end_text(w->from, &w->sources, from, sizeof(from));
	never_end_text(w->to, &w->destinations, to, sizeof(to));
	source_say(c, x == NULL ? M_PROVE_STAYS : M_PROVE_LAPSES, shown_file(s, w->at), w->at.line, from, to);
	if (w->purpose[0] != '\0')
		source_say(c, M_PROVE_LABEL, w->purpose);
	if (x == NULL)
		return;
	lapse_text(x, packet, sizeof(packet));
	if (x->ends != NULL)
		source_say(c, M_PROVE_LAPSE_ENDS, packet, x->ends->name, shown_file(s, x->ends->at), x->ends->at.line);
	else
		source_say(c, M_PROVE_LAPSE, packet);
	if (x->ends != NULL)
		open_print(c, s, x->ends);
}

/* Reports each statement; returns the number of those that do not hold. */
static size_t always_say(struct cli *c, const struct source *s, const struct lapse *list, size_t n, json_t *into)
{
	size_t at = 0;

	for (size_t i = 0; i < s->c.model->n_always; i++) {
		const struct model_always *w = &s->c.model->always[i];
		const struct lapse *x = at < n && list[at].always == w ? &list[at++] : NULL;

		if (c->json)
			json_array_append_new(into, always_json(s, w, x));
		else
			always_print(c, s, w, x);
	}
	return at;
}

int verb_prove(struct cli *c, const struct cli_args *a)
{
	struct source s;
	const struct finding *found;
	const struct model *m;
	json_t *nevers, *always;
	struct lapse *lapses = NULL;
	size_t broken = 0, n_lapses, lapsed;
	int status = CLI_YES;

	if (!source_open(c, a->operands[0], SOURCE_UNPROVED, &s, &status)) {
		source_close(&s);
		return status;
	}
	m = s.c.model;
	found = findings(&s);
	n_lapses = prove_always(m, s.arena, &lapses);
	if (found == NULL || arena_failed(s.arena)) {
		source_close(&s);
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	nevers = json_array();
	always = json_array();
	for (size_t i = 0; i < m->n_nevers; i++) {
		broken += !found[i].holds;
		if (c->json)
			json_array_append_new(nevers, finding_json(&s, &found[i]));
		else
			finding_print(c, &s, &found[i]);
	}
	lapsed = always_say(c, &s, lapses, n_lapses, always);
	if (c->json) {
		json_t *all = source_diagnostics(&s, c->lang);

		json_object_set(all, "nevers", nevers);
		json_object_set(all, "always", always);
		json_line(c->out, all);
	} else if (m->n_nevers == 0 && m->n_always == 0) {
		message_print(c->out, c->lang, M_PROVE_NONE, a->operands[0]);
	} else {
		if (m->n_nevers > 0)
			message_print(c->out, c->lang, M_PROVE_SUM, m->n_nevers, m->n_nevers - broken, broken);
		if (m->n_always > 0)
			message_print(c->out, c->lang, M_PROVE_ALWAYS_SUM, m->n_always, m->n_always - lapsed, lapsed);
	}
	json_decref(nevers);
	json_decref(always);
	source_close(&s);
	return broken + lapsed == 0 ? CLI_YES : CLI_NO;
}
