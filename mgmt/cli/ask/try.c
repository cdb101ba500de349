/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho try CONDUIT`: an acceptance test. Lists packets for a person to send, from where, and
 * which of them must arrive. Some are allowed by the conduit; the others differ from these in one
 * thing, and no conduit allows them. Each is judged as `ask` does. Nothing is sent from here,
 * because the box's own packets do not come in by the card that the policy is about.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/wire/evaluate.h"
#include "mgmt/cli/ask/ask.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/state/read.h"
#include "policy/space/prove.h"

#define HOSTS_LOOKED_AT 300u /* addresses of a range that are tried until one is a good example */
#define NAME_MOST 64u

struct trial {
	struct cli *c;
	struct source *s;
	const struct model *m;
	const struct model_conduit *d;
	uint64_t at;
	json_t *packets;
	size_t asleep; /* packets of the conduit that do not pass at this moment */
};

/* One packet, or the first packet of a session. */
struct probe {
	const struct model_zone *from, *to;
	struct addr source, destination;
	struct ir_port port; /* lo == hi */
};

/* ---- examples of hosts ----------------------------------------------------------------------- */

static bool in_some(const struct addr *a, const struct addr_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (addr_in(a, &r[i]))
			return true;
	return false;
}

static bool is_of_box(const struct model *m, const struct addr *a)
{
	for (size_t i = 0; i < m->box.n_interfaces; i++)
		for (size_t k = 0; k < m->box.interfaces[i].n_addresses; k++)
			if (addr_cmp(&m->box.interfaces[i].addresses[k], a) == 0)
				return true;
	return false;
}

/* The first host of the ranges in this family that is not the box and not among `but`. The ends of
 * a network are left out: they are its name and its broadcast address. */
static bool host_of(const struct model *m, const struct addr_range *r, size_t n, uint8_t family,
		    const struct addr_range *but, size_t n_but, struct addr *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct addr a = r[i].lo;
		bool alone = addr_cmp(&r[i].lo, &r[i].hi) == 0, more = alone || addr_next(&r[i].lo, &a);

		for (unsigned k = 0; r[i].lo.family == family && more && k < HOSTS_LOOKED_AT; k++) {
			if ((!alone && addr_cmp(&a, &r[i].hi) >= 0) || !addr_in(&a, &r[i]))
				break;
			if (!is_of_box(m, &a) && !in_some(&a, but, n_but)) {
				*ret = a;
				return true;
			}
			more = !alone && addr_next(&a, &a);
		}
	}
	return false;
}

/* Another host of the zone. One with a name is preferred, because people find it more easily than
 * an address. */
static bool other_host(const struct model *m, const struct model_zone *z, uint8_t family, const struct addr_range *but,
		       size_t n_but, struct addr *ret)
{
	for (size_t i = 0; i < m->n_assets; i++)
		if (m->assets[i].zone == z &&
		    host_of(m, m->assets[i].ranges, m->assets[i].n_ranges, family, but, n_but, ret))
			return true;
	return host_of(m, z->ranges, z->n_ranges, family, but, n_but, ret);
}

/* As other_host, among the hosts of one end of the conduit. */
static bool host_among(const struct model *m, const struct model_zone *z, uint8_t family, const struct addr_range *r,
		       size_t n, struct addr *ret)
{
	for (size_t i = 0; i < m->n_assets; i++)
		if (m->assets[i].zone == z &&
		    host_of(m, m->assets[i].ranges, m->assets[i].n_ranges, family, NULL, 0, ret) && in_some(ret, r, n))
			return true;
	return host_of(m, r, n, family, NULL, 0, ret);
}

/* ---- judging --------------------------------------------------------------------------------- */

static struct asked question(const struct trial *t, const struct probe *p, struct addr_range ends[2])
{
	ends[0] = (struct addr_range){ p->source, p->source };
	ends[1] = (struct addr_range){ p->destination, p->destination };
	return (struct asked){ .from = { p->from, NULL, &ends[0], 1 },
			       .to = { p->to, NULL, &ends[1], 1 },
			       .protocol = PROTO_NONE,
			       .port = &p->port,
			       .at = t->at };
}

/* The answer of the conduit that comes nearest to letting the packet pass. */
static struct asked_line judged(const struct trial *t, const struct asked *q)
{
	struct asked_line best = { .lack = ASKED_ENDS };

	for (size_t i = 0; i < t->m->n_conduits; i++) {
		struct asked_line line = ask_conduit(t->m, &t->m->conduits[i], q);

		if (i == 0 || line.lack > best.lack)
			best = line;
	}
	return best;
}

static bool is_refused(const struct trial *t, const struct probe *p)
{
	struct addr_range ends[2];
	const struct asked q = question(t, p, ends);

	return judged(t, &q).lack < ASKED_OVER;
}

/* ---- Modbus: a test without a client --------------------------------------------------------- */

static const struct {
	uint8_t function;
	const char *space;
} reads[] = { { 3, "holding" }, { 4, "input" }, { 1, "coils" }, { 2, "discrete" } };

static bool space_of(const struct trial *t, const struct command_row *row, const char *key, uint64_t *ret_first)
{
	const struct number_set *numbers;

	*ret_first = 0;
	if (row->spaces_any)
		return true;
	for (unsigned i = 0; i < vocabulary_modbus.n_spaces; i++) {
		const char *name = space_key(&vocabulary_modbus, i);

		if (name == NULL || strcmp(name, key) != 0)
			continue;
		numbers = row_space(&t->m->rows.t, row, (uint8_t)i);
		if (numbers == NULL)
			return false;
		*ret_first = numbers->any ? 0 : t->m->rows.t.ranges[numbers->first].lo;
		return true;
	}
	return false;
}

/* Reads one place: MBAP, then function, address, count (MODBUS Messaging on TCP/IP 1.0b, 3.1.3).
 * Written for printf. */
static json_t *read_text(uint64_t unit, uint8_t function, uint64_t place)
{
	return json_sprintf("\\x00\\x01\\x00\\x00\\x00\\x06\\x%02x\\x%02x\\x%02x\\x%02x\\x00\\x01",
			    (unsigned)unit & 0xff, function, (unsigned)(place >> 8) & 0xff, (unsigned)place & 0xff);
}

/* Adds the bytes of a read that a row allows, and of one that no conduit allows. There are only
 * reads, because even a test that fails must not set anything in a machine. */
static void modbus_bytes(const struct trial *t, const struct probe *p, const struct model_service *s, json_t *packet)
{
	const struct command_table *rows = &t->m->rows.t;
	bool allowed = false;
	uint64_t unit = 1, place;
	uint32_t code;

	for (size_t i = 0; i < s->n_allows && !allowed; i++) {
		const struct command_row *row = &s->allows[i].row;

		for (size_t k = 0; k < sizeof(reads) / sizeof(reads[0]) && !allowed; k++) {
			const struct number_range one = { reads[k].function, reads[k].function };

			allowed = evaluate_passes(rows, row, &vocabulary_modbus, one, CLASS_ALL, &code) &&
				  space_of(t, row, reads[k].space, &place);
			if (!allowed)
				continue;
			unit = row->targets[0].any ? 1 : rows->ranges[row->targets[0].first].lo;
			json_object_set_new(packet, "answered", read_text(unit, reads[k].function, place));
		}
	}
	for (size_t k = 0; allowed && k < sizeof(reads) / sizeof(reads[0]); k++) {
		struct addr_range ends[2];
		struct asked q = question(t, p, ends);
		char number[8];

		snprintf(number, sizeof(number), "%u", reads[k].function);
		q.command = number;
		if (judged(t, &q).lack >= ASKED_OVER)
			continue;
		json_object_set_new(packet, "refused", read_text(unit, reads[k].function, 0));
		return;
	}
}

/* ---- the packets ----------------------------------------------------------------------------- */

/* "RTG 1 PLC", or "" where no asset is exactly that address. */
static const char *named(const struct model *m, const struct addr *a)
{
	for (size_t i = 0; i < m->n_assets; i++)
		for (size_t k = 0; k < m->assets[i].n_ranges; k++)
			if (addr_cmp(&m->assets[i].ranges[k].lo, a) == 0 &&
			    addr_cmp(&m->assets[i].ranges[k].hi, a) == 0)
				return *m->assets[i].label != '\0' ? m->assets[i].label : m->assets[i].name;
	return "";
}

static json_t *end_json(const struct trial *t, const struct model_zone *z, const struct addr *a)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	return json_pack("{s:o,s:o,s:o}", "address", json_text(text), "machine", json_text(named(t->m, a)), "zone",
			 json_text(z->name));
}

/* `what`: conduit, port, source, zone, destination, back. */
static json_t *add_packet(struct trial *t, const struct probe *p, const char *what, bool arrives)
{
	char port[WORD_TEXT + 8], transport[WORD_TEXT];
	json_t *packet;

	if (p->port.l4proto == IPPROTO_ICMP)
		snprintf(port, sizeof(port), "icmp/%d", p->port.lo >> 8);
	else
		snprintf(port, sizeof(port), "%s/%u", transport_text(p->port.l4proto, transport), p->port.lo);
	packet = json_pack("{s:s,s:b,s:o,s:o,s:o}", "what", what, "arrives", (int)arrives, "from",
			   end_json(t, p->from, &p->source), "to", end_json(t, p->to, &p->destination), "port",
			   json_text(port));
	json_array_append_new(t->packets, packet);
	return packet;
}

static void add_refused(struct trial *t, const struct probe *p, const char *what)
{
	if (is_refused(t, p))
		add_packet(t, p, what, false);
}

static void add_port(struct trial *t, struct probe p, const struct ir_port *of)
{
	const uint16_t others[] = { (uint16_t)(of->hi + 1), (uint16_t)(of->lo - 1), 9, 23, 60999 };

	for (size_t i = 0; of->l4proto != IPPROTO_ICMP && i < sizeof(others) / sizeof(others[0]); i++) {
		p.port.lo = p.port.hi = others[i];
		if (others[i] == 0 || !is_refused(t, &p))
			continue;
		add_packet(t, &p, "port", false);
		return;
	}
}

/* Adds packets that differ from this one in one thing, and that no conduit allows. */
static void add_neighbours(struct trial *t, const struct probe *p, const struct ir_port *of)
{
	const uint8_t family = p->source.family;
	struct probe x = *p;

	add_port(t, *p, of);
	if (other_host(t->m, p->from, family, t->d->sources, t->d->n_sources, &x.source))
		add_refused(t, &x, "source");
	x = *p;
	if (other_host(t->m, p->to, family, t->d->destinations, t->d->n_destinations, &x.destination))
		add_refused(t, &x, "destination");
	for (size_t i = 0; i < t->m->n_zones; i++) {
		const struct model_zone *z = &t->m->zones[i];

		x = *p;
		x.from = z;
		if (z == p->from || z == p->to || z->self || z->rest ||
		    !other_host(t->m, z, family, NULL, 0, &x.source) || !is_refused(t, &x))
			continue;
		add_packet(t, &x, "zone", false);
		break;
	}
	x = (struct probe){ p->to, p->from, p->destination, p->source, p->port };
	add_refused(t, &x, "back");
}

/* The words of command that pass and that do not; none where commands are not judged. */
static void add_commands(const struct trial *t, const struct probe *p, const struct model_service *s, json_t *packet)
{
	json_t *passes = json_array(), *refused = json_array();
	struct addr_range ends[2];
	struct asked q = question(t, p, ends);

	q.service = s;
	for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE && vocabulary_of(s->protocol) != NULL; bit <<= 1) {
		q.command = command_class_name(bit);
		json_array_append_new(judged(t, &q).lack >= ASKED_OVER ? passes : refused, json_string(q.command));
	}
	json_object_set_new(packet, "commands", passes);
	json_object_set_new(packet, "commands_refused", refused);
}

static void add_service(struct trial *t, const struct model_service *s, const struct ir_port *port, uint8_t family,
			bool first)
{
	struct number_range range[2];
	struct probe p = { .from = t->d->from, .to = t->d->to, .port = { port->l4proto, port->lo, port->lo } };
	struct addr_range ends[2];
	struct asked q;
	struct asked_line line;
	json_t *packet;
	uint8_t l4proto;

	if (port_in_family(port, family, &l4proto, range) == 0 ||
	    !host_among(t->m, p.from, family, t->d->sources, t->d->n_sources, &p.source) ||
	    !host_among(t->m, p.to, family, t->d->destinations, t->d->n_destinations, &p.destination))
		return;
	q = question(t, &p, ends);
	line = judged(t, &q);
	packet = add_packet(t, &p, "conduit", line.lack == ASKED_NOTHING);
	t->asleep += line.lack != ASKED_NOTHING;
	json_object_set_new(packet, "service", json_text(s->name));
	json_object_set_new(packet, "by", json_text(line.conduit != NULL ? line.conduit->name : NULL));
	add_commands(t, &p, s, packet);
	if (s->protocol == PROTO_MODBUS && !s->whole && !s->tunnel && port->l4proto == IPPROTO_TCP)
		modbus_bytes(t, &p, s, packet);
	if (first)
		add_neighbours(t, &p, port);
}

static void add_all(struct trial *t)
{
	for (unsigned family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < t->d->n_services; i++)
			for (size_t k = 0; k < t->d->services[i]->n_ports; k++)
				add_service(t, t->d->services[i], &t->d->services[i]->ports[k], (uint8_t)family,
					    k == 0);
}

/* ---- saying it ------------------------------------------------------------------------------- */

static void end_cell(struct table *t, const json_t *end)
{
	if (*js(end, "machine") != '\0')
		table_cellf(t, "%s %s", js(end, "address"), js(end, "machine"));
	else
		table_cellf(t, "%s %s", js(end, "address"), js(end, "zone"));
}

static void why_cell(struct cli *c, struct table *t, const json_t *p)
{
	const enum message *what = word_message("try", js(p, "what"));
	char passes[NAME_MOST], refused[NAME_MOST], text[4 * NAME_MOST];

	if (what != NULL) {
		table_cell(t, message_format(*what, c->lang));
		return;
	}
	json_joined(ja(p, "commands"), " ", passes, sizeof(passes));
	json_joined(ja(p, "commands_refused"), " ", refused, sizeof(refused));
	if (*passes == '\0' && *refused == '\0')
		table_cell(t, js(p, "service"));
	else {
		message_text(text, sizeof(text), c->lang, *refused != '\0' ? M_TRY_COMMANDS : M_TRY_ALL_COMMANDS,
			     js(p, "service"), passes, refused);
		table_cell(t, text);
	}
}

static void table_of(struct cli *c, const json_t *packets)
{
	static const enum message heads[] = { M_TRY_COL_RESULT, M_COL_FROM, M_COL_TO, M_TRY_COL_PORT, M_TRY_COL_WHAT };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 0, c->lang, heads);

	table_wrap(t);
	json_each(p, packets) {
		table_cell(t, message_format(jb(p, "arrives") ? M_TRY_ARRIVES : M_TRY_REFUSED, c->lang));
		end_cell(t, ja(p, "from"));
		end_cell(t, ja(p, "to"));
		table_cell(t, js(p, "port"));
		why_cell(c, t, p);
	}
	(void)table_end(t, c->out, c->color);
}

/* One line for each kind of program that sends such packets, with the first address. */
static void means_print(struct cli *c, const json_t *packets)
{
	bool tcp = false, udp = false, icmp = false, modbus = false;

	json_each(p, packets) {
		const char *port = js(p, "port"), *to = js(ja(p, "to"), "address");

		if (strncmp(port, "tcp/", 4) == 0 && !tcp)
			message_print(c->out, c->lang, M_TRY_TCP, to, port + 4);
		if (strncmp(port, "udp/", 4) == 0 && !udp)
			message_print(c->out, c->lang, M_TRY_UDP, to, port + 4);
		if (strncmp(port, "icmp/", 5) == 0 && !icmp)
			message_print(c->out, c->lang, M_TRY_ICMP, to);
		tcp = tcp || strncmp(port, "tcp/", 4) == 0;
		udp = udp || strncmp(port, "udp/", 4) == 0;
		icmp = icmp || strncmp(port, "icmp/", 5) == 0;
		if (modbus || *js(p, "answered") == '\0')
			continue;
		modbus = true;
		message_print(c->out, c->lang, M_TRY_ANSWERED, js(p, "answered"), to, port + 4);
		if (*js(p, "refused") != '\0')
			message_print(c->out, c->lang, M_TRY_NOT_ANSWERED, js(p, "refused"), to, port + 4);
	}
}

static void print_trial(const struct trial *t)
{
	char *file = text_safe(source_file(t->s, t->d->at)), when[WHEN_TEXT];

	source_say(t->c, M_TRY_HEAD, t->d->name, file != NULL ? file : "?", t->d->at.line, t->d->from->name,
		   t->d->to->name);
	free(file);
	conduit_when_text(t->m, t->d, when, sizeof(when));
	if (t->asleep > 0)
		source_say(t->c, M_TRY_ASLEEP, when);
	if (t->d->observe)
		source_say(t->c, M_TRY_OBSERVED);
	fputc('\n', t->c->out);
	table_of(t->c, t->packets);
	fputc('\n', t->c->out);
	source_say(t->c, M_TRY_SENDS_NOTHING);
	means_print(t->c, t->packets);
	source_say(t->c, M_TRY_AFTERWARDS);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static const struct model_conduit *conduit_of(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_conduits; i++)
		if (strcmp(m->conduits[i].name, name) == 0 ||
		    (*m->conduits[i].label != '\0' && strcmp(m->conduits[i].label, name) == 0))
			return &m->conduits[i];
	return NULL;
}

static int tried(struct trial *t, const char *name)
{
	t->d = conduit_of(t->m, name);
	if (t->d == NULL)
		return cli_fail(t->c, CLI_INVALID, M_TRY_NO_CONDUIT, name);
	t->packets = json_array();
	add_all(t);
	if (json_array_size(t->packets) == 0) {
		json_decref(t->packets);
		return cli_fail(t->c, CLI_CANNOT, M_TRY_NO_HOSTS, name);
	}
	if (t->c->json)
		json_line(t->c->out, json_pack("{s:s,s:O,s:o}", "conduit", t->d->name, "packets", t->packets, "at",
					       json_time(t->at * 1000000000ull)));
	else
		print_trial(t);
	json_decref(t->packets);
	return t->asleep > 0 ? CLI_NO : CLI_YES;
}

int verb_try(struct cli *c, const struct cli_args *a)
{
	struct trial t = { .c = c };
	const char *policy = a->values[OPT_ASK_POLICY];
	struct source s = { .arena = NULL };
	int status;

	if (a->values[OPT_ASK_AT] != NULL && !moment_seconds(a->values[OPT_ASK_AT], &t.at))
		return cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--at", a->values[OPT_ASK_AT]);
	if (a->values[OPT_ASK_AT] == NULL)
		t.at = clock_wall_s();
	/* The policy's text is opened and not the sealed generation, because the latter includes
	 * the box's own addresses, which are no examples of hosts. */
	if (source_open_any(c, policy != NULL ? policy : "box", SOURCE_CHECKED, &s, &status) &&
	    (policy != NULL || source_doors(c, &s, t.at, &status))) {
		t.s = &s;
		t.m = s.c.model;
		status = tried(&t, a->operands[0]);
	}
	source_close(&s);
	return status;
}
