/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/commands_json.h"
#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/replay/run.h"

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
