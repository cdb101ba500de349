/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "appliance/wire/commands_json.h"
#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/print.h"
#include "mgmt/cli/replay/run.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/words/command.h"
#include "policy/ir/ir.h"

#define ENDPOINT_TEXT (ADDR_TEXT + 10)

static void endpoint(const struct addr *a, uint16_t port, uint8_t l4proto, char out[ENDPOINT_TEXT])
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	if (l4proto == IP_ICMP || l4proto == IP_ICMP6)
		snprintf(out, ENDPOINT_TEXT, "%s icmp/%d", text, port >> 8);
	else if (l4proto == IP_TCP || l4proto == IP_UDP)
		snprintf(out, ENDPOINT_TEXT, a->family == 6 ? "[%s]:%u" : "%s:%u", text, port);
	else
		snprintf(out, ENDPOINT_TEXT, "%s", text);
}

static const char *verdict_text(enum event_verdict v, enum lang l)
{
	return message_format(v == EV_DENY ? M_REPLAY_DENY : v == EV_OBSERVE ? M_REPLAY_OBSERVE : M_REPLAY_ALLOW, l);
}

static const char *flow_verdict_text(const struct book_flow *f, enum lang l)
{
	return f->reason == R_UNREAD ? message_format(M_REPLAY_UNJUDGED, l) : verdict_text(f->verdict, l);
}

static unsigned gravity(enum event_verdict v)
{
	return v == EV_DENY ? 0 : v == EV_OBSERVE ? 1 : 2;
}

/* Sessions of the same hosts with the same end are one line for a person. */
static int ends_alike(const struct book_flow *a, const struct book_flow *b)
{
	int by = (int)gravity(a->verdict) - (int)gravity(b->verdict);

	if (by == 0)
		by = b->unjudged - a->unjudged;
	if (by == 0)
		by = addr_cmp(&a->client, &b->client);
	if (by == 0)
		by = addr_cmp(&a->server, &b->server);
	if (by == 0)
		by = (int)a->server_port - (int)b->server_port;
	if (by == 0)
		by = (int)a->l4proto - (int)b->l4proto;
	if (by == 0)
		by = (int)a->protocol - (int)b->protocol;
	if (by == 0)
		by = (int)a->reason - (int)b->reason;
	if (by == 0)
		by = (a->unread > b->unread) - (a->unread < b->unread);
	if (by == 0)
		by = (a->midstream | a->bad_checksum << 1 | a->same_zone << 2) -
		     (b->midstream | b->bad_checksum << 1 | b->same_zone << 2);
	return by;
}

/* Sorts indexes of the book's entries; equal entries keep their order. */
static int by_end(const void *pa, const void *pb, void *ctx)
{
	const uint32_t *a = pa, *b = pb;
	const struct book *book = ctx;
	int by = ends_alike(&book->flows[*a], &book->flows[*b]);

	return by != 0 ? by : (*a > *b) - (*a < *b);
}

/* 0, 1, ... n - 1, owned by the caller; NULL: no memory. */
static uint32_t *numbers(uint32_t n)
{
	uint32_t *list = calloc((size_t)n + 1, sizeof(*list));

	for (uint32_t i = 0; list != NULL && i < n; i++)
		list[i] = i;
	return list;
}

static void flags_text(const struct book_flow *f, enum lang l, char *out, size_t size)
{
	static const enum message words[3] = { M_REPLAY_MIDSTREAM, M_REPLAY_BAD_CHECKSUM, M_REPLAY_SAME_ZONE };
	const bool set[3] = { f->midstream, f->bad_checksum, f->same_zone };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < 3; i++)
		if (set[i] && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? message_format(M_REPLAY_AND, l) : "",
					      message_format(words[i], l));
	if (f->unread > 0 && n < size) {
		if (n > 0)
			n += (size_t)snprintf(out + n, size - n, "%s", message_format(M_REPLAY_AND, l));
		if (n < size)
			message_text(out + n, size - n, l, M_REPLAY_UNREAD, (unsigned long long)f->unread);
	}
}

static bool print_flows(struct cli *c, const struct replay *r)
{
	static const enum message columns[] = { M_REPLAY_COL_CLIENT,   M_REPLAY_COL_SERVER,  M_REPLAY_COL_PROTOCOL,
						M_REPLAY_COL_SESSIONS, M_REPLAY_COL_VERDICT, M_REPLAY_COL_PACKET,
						M_REPLAY_COL_REASON,   M_REPLAY_COL_NOTES };
	const struct book *book = &r->book;
	uint32_t *order = numbers(book->n_flows);
	struct table *t = table_headed(sizeof(columns) / sizeof(columns[0]), 2, c->lang, columns);
	char client[ADDR_TEXT], server[ENDPOINT_TEXT], notes[160];
	bool ok;

	table_right(t, 3);
	table_right(t, 5);
	if (order != NULL)
		qsort_r(order, book->n_flows, sizeof(*order), by_end, (void *)(uintptr_t)book);
	for (uint32_t i = 0, k; order != NULL && i < book->n_flows; i = k) {
		const struct book_flow *f = &book->flows[order[i]];

		for (k = i + 1; k < book->n_flows && ends_alike(f, &book->flows[order[k]]) == 0; k++)
			;
		addr_text(&f->client, client);
		endpoint(&f->server, f->server_port, f->l4proto, server);
		flags_text(f, c->lang, notes, sizeof(notes));
		table_cell(t, client);
		table_cell(t, server);
		table_cell(t, protocol_info(f->protocol)->name);
		table_cellf(t, "%u", k - i);
		table_cell(t, flow_verdict_text(f, c->lang));
		table_cellf(t, f->frame != 0 ? "%u" : "-", f->frame);
		table_cell(t, reason_text(f->reason, lang_name(c->lang)));
		table_cell(t, notes);
	}
	ok = order != NULL && table_print(t, c->out, c->color);
	table_free(t);
	free(order);
	return ok;
}

static int by_gravity(const void *pa, const void *pb, void *ctx)
{
	const uint32_t *a = pa, *b = pb;
	const struct book *book = ctx;
	int by = (int)gravity(book->commands[*a].verdict) - (int)gravity(book->commands[*b].verdict);

	return by != 0 ? by : (*a > *b) - (*a < *b);
}

/* The reason, and the numbers of the first of these commands that was refused. */
static void reason_cell(struct table *t, const struct book_command *m, const struct vocabulary *words, enum lang l)
{
	char *text = NULL;
	size_t size;
	json_t *limit = limit_json(&m->limit, words, m->space);
	FILE *to = open_memstream(&text, &size);
	const char *space = space_key(words, m->space);

	if (to != NULL) {
		fputs(reason_text(m->reason, lang_name(l)), to);
		if (json_is_object(limit)) {
			fputs(": ", to);
			limit_text(to, limit, words, space != NULL ? space : "", l);
		}
		if (fclose(to) == 0)
			table_cell(t, text);
	}
	free(text);
	json_decref(limit);
}

static void target_cell(struct table *t, const struct book_command *m, const struct vocabulary *words, enum lang l)
{
	json_t *o = json_object();
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	targets_json(o, m->targets, words);
	if (to != NULL && command_targets(to, o, words, " ", l) == 0)
		fputs(" -", to);
	table_cell(t, to != NULL && fclose(to) == 0 ? text + 1 : "?");
	free(text);
	json_decref(o);
}

static const char *place_text(const struct vocabulary *words, const struct book_command *m, char out[NOTATION_TEXT])
{
	struct notation n = notation_of_space(&words->spaces[m->space]);

	notation_text(&n, (struct number_range){ m->lowest, m->highest }, out);
	return out;
}

static void command_row(struct cli *c, const struct replay *r, struct table *t, const struct book_command *m)
{
	const struct vocabulary *words = vocabulary_of(m->protocol);
	const struct function_info *f = words != NULL ? function_by_code(words, m->function) : NULL;
	const struct ir_conduit *conduit = m->conduit < r->ir->n_conduits ? &r->ir->conduits[m->conduit] : NULL;
	uint32_t file = m->file != UINT32_MAX ? m->file : conduit != NULL ? conduit->file : UINT32_MAX;
	const char *space = space_key(words, m->space);
	char client[ADDR_TEXT], server[ENDPOINT_TEXT], code[CODE_TEXT], place[NOTATION_TEXT];

	addr_text(&m->client, client);
	endpoint(&m->server, m->server_port, IP_TCP, server);
	table_cell(t, client);
	table_cell(t, server);
	target_cell(t, m, words, c->lang);
	code_text(words, m->function, code);
	table_cellf(t, "%s%s (%s)", m->dir == DIR_S2C ? message_format(M_REPLAY_ANSWER, c->lang) : "",
		    f != NULL ? f->name : "?", code);
	if (space == NULL)
		table_cell(t, "-");
	else
		table_cellf(t, "%s %s", space, place_text(words, m, place));
	table_cellf(t, "%" PRIu64, m->count);
	table_cell(t, verdict_text(m->verdict, c->lang));
	table_cellf(t, "%u", m->first_frame);
	reason_cell(t, m, words, c->lang);
	if (conduit != NULL)
		table_cellf(t, "%s (%s:%u)", conduit->name, file < r->ir->n_sources ? r->ir->sources[file].name : "?",
			    m->line);
	else
		table_cell(t, "-");
}

static bool print_commands(struct cli *c, const struct replay *r)
{
	static const enum message columns[] = { M_REPLAY_COL_CLIENT,  M_REPLAY_COL_SERVER,    M_REPLAY_COL_TARGET,
						M_REPLAY_COL_COMMAND, M_REPLAY_COL_ADDRESSES, M_REPLAY_COL_COUNT,
						M_REPLAY_COL_VERDICT, M_REPLAY_COL_PACKET,    M_REPLAY_COL_REASON,
						M_REPLAY_COL_CONDUIT };
	const struct book *book = &r->book;
	uint32_t *order = numbers(book->n_commands);
	struct table *t = table_headed(sizeof(columns) / sizeof(columns[0]), 2, c->lang, columns);
	bool ok;

	table_right(t, 5);
	table_right(t, 7);
	if (order != NULL)
		qsort_r(order, book->n_commands, sizeof(*order), by_gravity, (void *)(uintptr_t)book);
	for (uint32_t i = 0; order != NULL && i < book->n_commands; i++)
		command_row(c, r, t, &book->commands[order[i]]);
	ok = order != NULL && table_print(t, c->out, c->color);
	table_free(t);
	free(order);
	return ok;
}

static void print_refused(struct cli *c, const struct replay *r)
{
	bool headed = false;

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (r->refused[i] == 0)
			continue;
		if (!headed)
			message_print(c->out, c->lang, M_REPLAY_PACKETS);
		headed = true;
		message_print(c->out, c->lang, M_REPLAY_PACKETS_LINE, (unsigned long long)r->refused[i],
			      reason_text((enum reason)i, lang_name(c->lang)));
	}
}

static void print_head(struct cli *c, const struct replay *r, const char *policy, const char *capture)
{
	char *from = text_safe(capture), *by = text_safe(policy);

	message_print(c->out, c->lang, r->as_captured ? M_REPLAY_HEAD : M_REPLAY_HEAD_BOX, from != NULL ? from : "",
		      by != NULL ? by : "");
	free(from);
	free(by);
}

bool replay_print_text(struct cli *c, const struct replay *r, const char *policy, const char *capture)
{
	uint64_t denied = 0, unread = 0;
	uint32_t unjudged = 0;
	bool ok = true;

	print_head(c, r, policy, capture);
	if (r->book.n_flows > 0) {
		message_print(c->out, c->lang, M_REPLAY_FLOWS);
		ok = print_flows(c, r);
	}
	if (r->book.n_commands > 0) {
		message_print(c->out, c->lang, M_REPLAY_COMMANDS);
		ok &= print_commands(c, r);
	}
	print_refused(c, r);
	if (r->not_ip > 0)
		message_print(c->out, c->lang, M_REPLAY_NOT_IP, (unsigned long long)r->not_ip);
	for (uint32_t i = 0; i < r->book.n_flows; i++) {
		denied += r->book.flows[i].verdict == EV_DENY;
		unjudged += r->book.flows[i].unjudged;
		unread += r->book.flows[i].unread;
	}
	message_print(c->out, c->lang, M_REPLAY_SUMMARY, (unsigned long long)r->frames, r->book.n_flows,
		      (unsigned long long)r->book.pdus, (unsigned long long)denied,
		      (unsigned long long)r->book.denied_pdus, (unsigned long long)r->book.observed_pdus);
	if (unjudged > 0)
		message_print(c->out, c->lang, M_REPLAY_NOT_JUDGED, unjudged, (unsigned long long)unread);
	if (replay_denied(r))
		message_print(c->out, c->lang, M_REPLAY_ENDS_NO);
	return ok && !r->book.failed;
}

/* ---- for programs ---------------------------------------------------------------------------- */

static const char *verdict_word(enum event_verdict v)
{
	return v == EV_DENY ? "deny" : v == EV_OBSERVE ? "observe" : "allow";
}

/* Adds the conduit, and the line of the row that allowed the command or, without a row, the
 * conduit's line. */
static void add_conduit(json_t *o, const struct ir *ir, uint32_t conduit, uint32_t line, struct place row)
{
	const struct ir_conduit *c = conduit < ir->n_conduits ? &ir->conduits[conduit] : NULL;
	uint32_t file = row.line != 0 ? row.file : c != NULL ? c->file : UINT32_MAX;

	json_object_set_new(o, "conduit", c != NULL ? json_text(c->name) : json_null());
	if (row.line != 0)
		line = row.line;
	json_object_set_new(o, "file", file < ir->n_sources ? json_text(ir->sources[file].name) : json_null());
	json_object_set_new(o, "line", line != 0 ? json_integer(line) : json_null());
}

json_t *replay_pdu_json(const struct ir *ir, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			uint32_t frame)
{
	const struct vocabulary *words = vocabulary_of(f->protocol);
	const struct function_info *function = words != NULL ? function_by_code(words, p->function) : NULL;
	bool addressed = p->space != 255;
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string(p->shadow ? "shadow" : p->reading ? "reading" : "pdu"));
	json_object_set_new(o, "client", json_endpoint(&f->client, f->client_port));
	json_object_set_new(o, "server", json_endpoint(&f->server, f->server_port));
	json_object_set_new(o, "n", json_integer(f->n));
	json_object_set_new(o, "dir", json_string(p->dir == DIR_C2S ? "c2s" : "s2c"));
	json_object_set_new(o, "offset", json_integer((json_int_t)p->offset));
	json_object_set_new(o, "length", json_integer(p->length));
	json_object_set_new(o, "packet", json_integer(frame));
	json_object_set_new(o, "protocol", json_string(protocol_info(f->protocol)->name));
	targets_json(o, p->targets, words);
	json_object_set_new(o, "function", json_integer(p->function));
	json_object_set_new(o, "function_name", function != NULL ? json_string(function->name) : json_null());
	json_object_set_new(o, "exception", json_boolean(p->exception));
	json_object_set_new(o, "space",
			    addressed && space_key(words, p->space) != NULL ? json_string(space_key(words, p->space))
									    : json_null());
	json_object_set_new(o, "address", addressed ? json_integer((json_int_t)p->address) : json_null());
	json_object_set_new(o, "count", addressed ? json_integer(p->quantity) : json_null());
	json_object_set_new(o, "place", place_json(words, p->space, p->address, p->quantity));
	json_object_set_new(o, "verdict", json_string(verdict_word(v)));
	json_object_set_new(o, "reason", json_string(reason_word(p->reason)));
	json_object_set_new(o, "limit", limit_json(&p->limit, words, p->space));
	add_conduit(o, ir, p->conduit, p->line, p->row);
	return o;
}

json_t *replay_diagnostic_json(const char *severity, const char *message, uint32_t frame)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string("diagnostic"));
	json_object_set_new(o, "severity", json_string(severity));
	json_object_set_new(o, "message", json_text(message));
	json_object_set_new(o, "packet", json_integer(frame));
	return o;
}

/* The names of the conduits of a permit. */
static json_t *permit_json(const struct ir *ir, uint32_t permit)
{
	json_t *list = json_array();
	const struct command_permit *p = permit != 0 ? commands_permit(&ir->table, permit) : NULL;

	for (uint32_t i = 0; p != NULL && i < p->n_grants; i++) {
		const struct command_grant *g = &ir->table.grants[p->first_grant + i];
		bool again = i > 0 && g->conduit == ir->table.grants[p->first_grant + i - 1].conduit;

		if (!again && g->conduit < ir->n_conduits)
			json_array_append_new(list, json_text(ir->conduits[g->conduit].name));
	}
	return list;
}

static const char *transport_word(uint8_t l4proto)
{
	return l4proto == IP_TCP			   ? "tcp"
	       : l4proto == IP_UDP			   ? "udp"
	       : l4proto == IP_ICMP || l4proto == IP_ICMP6 ? "icmp"
							   : "ip";
}

static json_t *flow_json(const struct ir *ir, const struct book_flow *f)
{
	json_t *o = json_object(), *flags = json_array(), *conduits = permit_json(ir, f->permit);
	char permit[24];

	json_object_set_new(o, "type", json_string("flow"));
	json_object_set_new(o, "client", json_endpoint(&f->client, f->client_port));
	json_object_set_new(o, "server", json_endpoint(&f->server, f->server_port));
	json_object_set_new(o, "n", json_integer(f->n));
	json_object_set_new(o, "transport", json_string(transport_word(f->l4proto)));
	json_object_set_new(o, "protocol", json_string(protocol_info(f->protocol)->name));
	json_object_set_new(o, "undecided_bytes", json_integer(f->undecided));
	json_object_set_new(o, "verdict", json_string(f->reason == R_UNREAD ? "unjudged" : verdict_word(f->verdict)));
	json_object_set_new(o, "reason", json_string(reason_word(f->reason)));
	json_object_set_new(o, "packet", json_integer(f->frame));
	snprintf(permit, sizeof(permit), "%u", f->permit);
	json_object_set_new(o, "permit", f->permit != 0 ? json_string(permit) : json_null());
	json_object_set_new(o, "conduits", conduits);
	json_object_set_new(o, "pdus", json_integer((json_int_t)f->pdus));
	json_object_set_new(o, "denied_pdus", json_integer((json_int_t)f->denied));
	json_object_set_new(o, "observed_pdus", json_integer((json_int_t)f->observed));
	json_object_set_new(o, "unread", json_integer((json_int_t)f->unread));
	if (f->midstream)
		json_array_append_new(flags, json_string("midstream"));
	if (f->bad_checksum)
		json_array_append_new(flags, json_string("bad_checksum"));
	if (f->same_zone)
		json_array_append_new(flags, json_string("same_zone"));
	json_object_set_new(o, "flags", flags);
	return o;
}

static json_t *summary_json(const struct replay *r)
{
	json_t *o = json_object(), *refused = json_object();
	uint64_t denied = 0, observed = 0, unjudged = 0, unread = 0;

	for (uint32_t i = 0; i < r->book.n_flows; i++) {
		denied += r->book.flows[i].verdict == EV_DENY;
		observed += r->book.flows[i].verdict == EV_OBSERVE;
		unjudged += r->book.flows[i].unjudged;
		unread += r->book.flows[i].unread;
	}
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (r->refused[i] > 0)
			json_object_set_new(refused, reason_word((enum reason)i),
					    json_integer((json_int_t)r->refused[i]));
	json_object_set_new(o, "type", json_string("summary"));
	json_object_set_new(o, "packets", json_integer((json_int_t)r->frames));
	json_object_set_new(o, "flows", json_integer(r->book.n_flows));
	json_object_set_new(o, "pdus", json_integer((json_int_t)r->book.pdus));
	json_object_set_new(o, "denied_pdus", json_integer((json_int_t)r->book.denied_pdus));
	json_object_set_new(o, "denied_flows", json_integer((json_int_t)denied));
	json_object_set_new(o, "observed_pdus", json_integer((json_int_t)r->book.observed_pdus));
	json_object_set_new(o, "observed_flows", json_integer((json_int_t)observed));
	json_object_set_new(o, "unjudged_flows", json_integer((json_int_t)unjudged));
	json_object_set_new(o, "unread", json_integer((json_int_t)unread));
	json_object_set_new(o, "not_ip", json_integer((json_int_t)r->not_ip));
	json_object_set_new(o, "truncated", json_integer((json_int_t)r->truncated));
	json_object_set_new(o, "related", json_integer((json_int_t)r->related));
	json_object_set_new(o, "fragments",
			    json_pack("{s:I,s:I,s:I,s:I}", "seen", (json_int_t)r->fragments.fragments, "reassembled",
				      (json_int_t)r->fragments.reassembled, "refused", (json_int_t)r->fragments.refused,
				      "incomplete", (json_int_t)r->fragments.incomplete));
	json_object_set_new(o, "refused_packets", refused);
	json_object_set_new(o, "as", json_string(r->as_captured ? "captured" : "box"));
	return o;
}

void replay_print_json(FILE *to, const struct replay *r)
{
	for (uint32_t i = 0; i < r->book.n_flows; i++)
		json_line(to, flow_json(r->ir, &r->book.flows[i]));
	json_line(to, summary_json(r));
}
