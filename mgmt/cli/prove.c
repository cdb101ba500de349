/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho prove POLICY`: does each `never` hold, and if not, by which conduits and with which packet? */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/source.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/width.h"

static const struct counterexample *broken_by(const struct counterexample *list, size_t n, const struct model_never *v)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].never == v)
			return &list[i];
	return NULL;
}

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

static const char *file_of(const struct source *s, struct srcpos at)
{
	return at.file < s->c.n_sources ? s->c.sources[at.file].name : s->name;
}

static json_t *counterexample_json(const struct source *s, const struct counterexample *x)
{
	json_t *chain = json_array();
	json_t *packet = json_pack("{s:o,s:o,s:s,s:i,s:o}", "source", json_addr(&x->source), "destination",
				   json_addr(&x->destination), "protocol", transport_name(x->l4proto), "port",
				   is_icmp(x->l4proto) ? x->port >> 8 : (int)x->port, "function",
				   x->function >= 0 ? json_integer(x->function) : json_null());
	json_t *both;

	for (size_t i = 0; i < x->n_hops; i++)
		json_array_append_new(chain, json_pack("{s:o,s:o,s:i}", "conduit", json_text(x->hops[i]->name), "file",
						       json_text(file_of(s, x->hops[i]->at)), "line",
						       (int)x->hops[i]->at.line));
	both = json_pack("{s:o,s:o}", "chain", chain, "packet", packet);
	return both;
}

/* It holds; with a counterexample all the same, as long as somebody inspects. */
static bool is_kept(const struct counterexample *x)
{
	return x == NULL || x->unattended != FAIL_CLOSED;
}

/* No words: any permission counts. */
static json_t *commands_json(const struct model_never *v)
{
	json_t *list = json_array();

	for (unsigned bit = CLASS_READ; !v->all_commands && bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((v->classes & bit) != 0)
			json_array_append_new(list, json_string(command_class_name(bit)));
	return list;
}

static json_t *never_json(const struct source *s, const struct model_never *v, const struct counterexample *x)
{
	json_t *unattended =
		is_kept(x) && x != NULL ? json_string(x->unattended == FAIL_OPEN ? "open" : "hold") : json_null();
	json_t *one = json_pack("{s:o,s:o,s:s,s:o,s:b,s:o,s:o,s:i}", "from", json_text(v->from->name), "to",
				json_text(v->to->name), "scope", v->chain ? "chain" : "direct", "commands",
				commands_json(v), "holds", is_kept(x), "unattended", unattended, "file",
				json_text(file_of(s, v->at)), "line", (int)v->at.line);

	if (x != NULL) {
		json_t *more = counterexample_json(s, x);

		json_object_update(one, more);
		json_decref(more);
	}
	return one;
}

/* "10.10.0.5 -> 10.30.1.10 tcp/502, modbus write_single_register (6)" */
static void packet_text(const struct counterexample *x, enum lang l, char *out, size_t size)
{
	const struct vocabulary *words = x->service != NULL ? vocabulary_of(x->service->protocol) : NULL;
	const struct function_info *f = NULL;
	char from[ADDR_TEXT], to[ADDR_TEXT];
	int n;

	addr_text(&x->source, from);
	addr_text(&x->destination, to);
	if (is_icmp(x->l4proto))
		n = snprintf(out, size, "%s -> %s icmp/%u", from, to, (unsigned)x->port >> 8);
	else
		n = snprintf(out, size, "%s -> %s %s/%u", from, to, transport_name(x->l4proto), (unsigned)x->port);
	if (n < 0 || (size_t)n >= size || x->service == NULL)
		return;
	if (words != NULL && x->function >= 0 && x->function <= 255)
		f = function_by_code(words, (uint8_t)x->function);
	if (f != NULL)
		snprintf(out + n, size - (size_t)n, ", %s %s (%d)", protocol_info(x->service->protocol)->name, f->name,
			 x->function);
	else if (x->function >= 0)
		snprintf(out + n, size - (size_t)n, ", %s %d", protocol_info(x->service->protocol)->name, x->function);
	else
		message_text(out + n, size - (size_t)n, l, M_PROVE_ANYTHING, protocol_info(x->service->protocol)->name);
}

static void never_print(struct cli *c, const struct source *s, const struct model_never *v,
			const struct counterexample *x)
{
	char commands[96] = "", packet[256];
	size_t n = 0;

	for (unsigned bit = CLASS_READ; !v->all_commands && bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((v->classes & bit) != 0 && n < sizeof(commands))
			n += (size_t)snprintf(commands + n, sizeof(commands) - n, " %s", command_class_name(bit));
	message_print(c->out, c->lang, is_kept(x) ? M_PROVE_HOLDS : M_PROVE_BROKEN, file_of(s, v->at), v->at.line,
		      v->from->name, v->to->name, v->chain ? "chain" : "direct", commands);
	if (x == NULL)
		return;
	if (x->unattended != FAIL_CLOSED)
		message_print(c->out, c->lang, x->unattended == FAIL_OPEN ? M_PROVE_OPEN : M_PROVE_HOLD,
			      x->hops[x->n_hops - 1]->name);
	for (size_t i = 0; i < x->n_hops; i++) {
		const struct model_conduit *h = x->hops[i];

		message_print(c->out, c->lang, M_PROVE_HOP, h->from->name, h->to->name, h->name, file_of(s, h->at),
			      h->at.line);
	}
	packet_text(x, c->lang, packet, sizeof(packet));
	message_print(c->out, c->lang, M_PROVE_PACKET, packet);
	if (x->observed)
		message_print(c->out, c->lang, M_PROVE_OBSERVED, x->hops[x->n_hops - 1]->name);
}

static int run(struct cli *c, const struct cli_args *a)
{
	struct source s;
	struct counterexample *list = NULL;
	const struct model *m;
	json_t *nevers;
	size_t n, broken = 0;
	int status = CLI_YES;

	if (!source_open(c, a->operands[0], SOURCE_CHECK, &s, &status)) {
		source_close(&s);
		return status;
	}
	m = s.c.model;
	n = prove_nevers(m, s.arena, &list);
	if (arena_failed(s.arena)) {
		source_close(&s);
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	nevers = json_array();
	for (size_t i = 0; i < m->n_nevers; i++) {
		const struct counterexample *x = broken_by(list, n, &m->nevers[i]);

		broken += !is_kept(x);
		if (c->json)
			json_array_append_new(nevers, never_json(&s, &m->nevers[i], x));
		else
			never_print(c, &s, &m->nevers[i], x);
	}
	if (c->json) {
		json_t *all = source_diagnostics(&s, c->lang);

		json_object_set(all, "nevers", nevers);
		json_line(c->out, all);
	} else if (m->n_nevers == 0) {
		message_print(c->out, c->lang, M_PROVE_NONE, a->operands[0]);
	} else {
		message_print(c->out, c->lang, M_PROVE_SUM, m->n_nevers, m->n_nevers - broken, broken);
	}
	json_decref(nevers);
	source_close(&s);
	return broken == 0 ? CLI_YES : CLI_NO;
}

const struct cli_verb verb_prove = {
	.name = "prove",
	.group = CLI_OFFLINE,
	.operands = "POLICY",
	.min_operands = 1,
	.max_operands = 1,
	.summary = M_PROVE_SUMMARY,
	.text = M_PROVE_TEXT,
	.run = run,
};
