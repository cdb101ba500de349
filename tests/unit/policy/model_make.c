/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy/model_make.h"
#include "policy/ir/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpi/modbus/words.h"

/* objects of one kind; pointers into the arrays stay valid because the arrays never move */
#define MOST 20000

#define NEED(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

static const struct source_text source = { "site.cfg", "site = { name = \"kita\"; };\n", 27 };

void maker_init(struct model_maker *k)
{
	memset(k, 0, sizeof(*k));
	k->arena = arena_new((size_t)COMPILE_BUDGET * 2);
	NEED(k->arena != NULL);
	k->line = 1;
	k->m.site_name = "kita";
	k->m.site_label = "北ターミナル";
	k->m.site_contact = "内線 4119";
	k->m.records.purpose = "事故の調査";
	k->m.records.responsible = "情報管理責任者";
	k->m.time_zone = k->m.time_zone_said = "";
	k->m.box.workers = 2;
	k->m.sources = &source;
	k->m.n_sources = 1;
	k->m.box.interfaces = arena_array(k->arena, 64, sizeof(struct model_interface));
	k->m.zones = arena_array(k->arena, 64, sizeof(struct model_zone));
	k->m.assets = arena_array(k->arena, MOST, sizeof(struct model_asset));
	k->m.services = arena_array(k->arena, MOST, sizeof(struct model_service));
	k->m.conduits = arena_array(k->arena, MOST, sizeof(struct model_conduit));
	k->m.nevers = arena_array(k->arena, 64, sizeof(struct model_never));
	k->m.breaks = arena_array(k->arena, 64, sizeof(struct model_chain_break));
	k->c.arena = k->arena;
	k->c.model = &k->m;
	diags_init(&k->c.diags, k->arena);
	NEED(!arena_failed(k->arena));
}

void maker_free(struct model_maker *k)
{
	arena_free(k->arena);
}

static const char *keep(struct model_maker *k, const char *s)
{
	return arena_strndup(k->arena, s, strlen(s));
}

static struct srcpos here(struct model_maker *k)
{
	return (struct srcpos){ .file = 0, .line = k->line++, .column = 3 };
}

struct model_interface *maker_interface(struct model_maker *k, const char *name)
{
	struct model_interface *i = &k->m.box.interfaces[k->m.box.n_interfaces++];

	*i = (struct model_interface){ .name = keep(k, name), .device = keep(k, name), .at = here(k) };
	return i;
}

static int by_lo(const void *a, const void *b)
{
	const struct addr_range *x = a, *y = b;

	return addr_cmp(&x->lo, &y->lo);
}

/* The words of `text` as sorted address ranges. */
static struct addr_range *ranges_of(struct model_maker *k, const char *text, size_t *n)
{
	char copy[4096], *save = NULL;
	struct addr_range *r = arena_array(k->arena, 64, sizeof(*r));
	bool stray;

	snprintf(copy, sizeof(copy), "%s", text);
	*n = 0;
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		NEED(*n < 64);
		NEED(prefix_parse(w, &r[*n], &stray));
		++*n;
	}
	qsort(r, *n, sizeof(*r), by_lo);
	return r;
}

struct model_zone *maker_zone(struct model_maker *k, const char *name, const char *interfaces, const char *networks)
{
	struct model_zone *z = &k->m.zones[k->m.n_zones];
	char copy[256], *save = NULL;

	*z = (struct model_zone){ .name = keep(k, name),
				  .label = "",
				  .owner = "x",
				  .class = CLASS_IT,
				  .index = (uint32_t)k->m.n_zones++,
				  .at = here(k) };
	z->ranges = ranges_of(k, networks, &z->n_ranges);
	z->interfaces = arena_array(k->arena, 8, sizeof(*z->interfaces));
	snprintf(copy, sizeof(copy), "%s", interfaces);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		for (size_t i = 0; i < k->m.box.n_interfaces; i++)
			if (strcmp(k->m.box.interfaces[i].name, w) == 0)
				z->interfaces[z->n_interfaces++] = &k->m.box.interfaces[i];
	return z;
}

struct model_asset *maker_asset(struct model_maker *k, const char *name, struct model_zone *z, const char *addresses)
{
	struct model_asset *a = &k->m.assets[k->m.n_assets++];

	*a = (struct model_asset){ .name = keep(k, name), .label = "", .zone = z, .at = here(k) };
	a->ranges = ranges_of(k, addresses, &a->n_ranges);
	return a;
}

struct model_service *maker_service(struct model_maker *k, const char *name, enum protocol p, const char *ports)
{
	struct model_service *s = &k->m.services[k->m.n_services++];
	char copy[256], *save = NULL;

	*s = (struct model_service){ .name = keep(k, name), .label = "", .protocol = p, .whole = true, .at = here(k) };
	s->ports = arena_array(k->arena, 16, sizeof(*s->ports));
	snprintf(copy, sizeof(copy), "%s", ports);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		struct ir_port *port = &s->ports[s->n_ports++];
		unsigned lo, hi;
		char proto[8];
		int n = sscanf(w, "%7[a-z]/%u-%u", proto, &lo, &hi);

		NEED(n >= 2 && s->n_ports <= 16);
		if (n == 2)
			hi = lo;
		port->l4proto = strcmp(proto, "tcp") == 0 ? 6 : strcmp(proto, "udp") == 0 ? 17 : 1;
		if (port->l4proto == 1) {
			lo <<= 8;
			hi = n == 2 ? lo : hi << 8;
		}
		port->lo = (uint16_t)lo;
		port->hi = (uint16_t)hi;
	}
	return s;
}

void maker_allow(struct model_maker *k, struct model_service *s, unsigned classes, uint32_t lo, uint32_t hi)
{
	const struct vocabulary *v = vocabulary_of(s->protocol);
	struct number_range *codes, unit = { 1, 1 }, addresses = { lo, hi };
	struct model_allow *row;
	size_t n = 0;

	if (s->allows == NULL)
		s->allows = arena_array(k->arena, 8, sizeof(*s->allows));
	NEED(s->n_allows < 8 && v != NULL);
	s->whole = false;
	row = &s->allows[s->n_allows++];
	*row = (struct model_allow){ .row = row_new(), .at = here(k) };
	codes = arena_array(k->arena, v->n_functions, sizeof(*codes));
	NEED(codes != NULL);
	for (unsigned i = 0; i < v->n_functions; i++)
		if ((v->functions[i].classes & ~classes) == 0)
			codes[n++] = (struct number_range){ v->functions[i].code, v->functions[i].last };
	NEED(rows_numbers(&k->m.rows, k->arena, codes, n, &row->row.services));
	NEED(rows_numbers(&k->m.rows, k->arena, &unit, 1, &row->row.targets[0]));
	NEED(rows_space(&k->m.rows, k->arena, &row->row, MODBUS_HOLDING, &addresses, 1));
}

struct model_conduit *maker_conduit(struct model_maker *k, const char *name, struct model_zone *from,
				    struct model_zone *to, const char *sources, const char *destinations,
				    struct model_service *service)
{
	struct model_conduit *c = &k->m.conduits[k->m.n_conduits];

	NEED(k->m.n_conduits < MOST);
	*c = (struct model_conduit){
		.name = keep(k, name),
		.label = "",
		.from = from,
		.to = to,
		.criticality = CRIT_CARGO,
		.when_midstream = MID_RESET,
		.purpose = "test",
		.owner = "me",
		.approved_by = "",
		.review_by = "2027-03-31",
		.index = (uint32_t)k->m.n_conduits++,
		.at = here(k),
	};
	c->sources = *sources ? ranges_of(k, sources, &c->n_sources) : from->ranges;
	c->n_sources = *sources ? c->n_sources : from->n_ranges;
	c->destinations = *destinations ? ranges_of(k, destinations, &c->n_destinations) : to->ranges;
	c->n_destinations = *destinations ? c->n_destinations : to->n_ranges;
	c->services = arena_array(k->arena, 4, sizeof(*c->services));
	c->services[c->n_services++] = service;
	return c;
}

struct model_never *maker_never(struct model_maker *k, struct model_zone *from, struct model_zone *to, unsigned classes,
				bool chain)
{
	struct model_never *n = &k->m.nevers[k->m.n_nevers++];

	*n = (struct model_never){ .from = from,
				   .to = to,
				   .classes = classes ? classes : CLASS_ALL,
				   .all_commands = classes == 0,
				   .chain = chain,
				   .label = "",
				   .at = here(k) };
	return n;
}

void maker_break(struct model_maker *k, struct model_asset *a)
{
	k->m.breaks[k->m.n_breaks++] = (struct model_chain_break){ .asset = a, .reason = "accepted", .at = here(k) };
}

void maker_site(struct model_maker *k)
{
	struct model_zone *office, *tos, *crane, *internet;
	struct model_service *reads, *sets, *tls, *ping, *dns;
	struct model_conduit *reading;

	for (const char *const *i = (const char *const[]){ "lan0", "lan1", "lan2", "lan3", "wan0", NULL }; *i != NULL;
	     i++)
		maker_interface(k, *i);
	office = maker_zone(k, "office", "lan0", "10.10.0.0/16 2001:db8:10::/48");
	tos = maker_zone(k, "tos", "lan1", "10.20.0.0/24 2001:db8:20::/64");
	crane = maker_zone(k, "crane", "lan2 lan3", "10.30.0.0/22 2001:db8:30::/64");
	internet = maker_zone(k, "internet", "wan0", "0.0.0.0/5 11.0.0.0/8 2000::/16");
	reads = maker_service(k, "plc_read", PROTO_MODBUS, "tcp/502");
	maker_allow(k, reads, CLASS_READ, 0, 99);
	sets = maker_service(k, "plc_set", PROTO_MODBUS, "tcp/502");
	maker_allow(k, sets, CLASS_WRITE, 400, 400);
	tls = maker_service(k, "web", PROTO_TLS, "tcp/443 tcp/8443");
	ping = maker_service(k, "ping", PROTO_ICMP, "icmp/8");
	dns = maker_service(k, "dns", PROTO_DNS, "udp/53 tcp/53");
	reading = maker_conduit(k, "tos-reads-cranes", tos, crane, "", "", reads);
	reading->when_down = FAIL_HOLD;
	reading->heard_within = 600;
	maker_conduit(k, "tos-sets-rtg01", tos, crane, "10.20.0.10 2001:db8:20::10", "10.30.1.10 2001:db8:30::10",
		      sets);
	maker_conduit(k, "office-web", office, tos, "", "10.20.0.80", tls);
	maker_conduit(k, "office-ping", office, tos, "", "", ping);
	maker_conduit(k, "office-dns", office, internet, "10.10.0.0/24", "", dns);
	maker_conduit(k, "vendor", internet, crane, "2.0.0.0/8", "10.30.1.0/24", tls)->until = 2000000000u;
	maker_conduit(k, "crane-crane", crane, crane, "10.30.0.0/24", "10.30.1.0/24", reads);
}

void maker_together(struct model_maker *k)
{
	struct model_service *io = maker_service(k, "io", PROTO_ENIP, "tcp/44818 udp/2222");

	maker_conduit(k, "tos-io", &k->m.zones[1], &k->m.zones[2], "10.20.0.20 2001:db8:20::20",
		      "10.30.1.20 2001:db8:30::20", io);
}

static unsigned pick(unsigned *seed, unsigned n)
{
	return (unsigned)rand_r(seed) % n;
}

/* A random prefix inside 10.<zone>.0.0/28 or the corresponding IPv6 prefix: a small space, so that
 * prefixes overlap. */
static void random_prefix(unsigned *seed, unsigned zone, bool six, char *out, size_t size)
{
	unsigned len = 28 + pick(seed, 5), host = pick(seed, 16);

	host &= ~((1u << (32 - len)) - 1u);
	if (six)
		snprintf(out, size, "2001:db8:%u::%x/%u ", zone, host, len + 96);
	else
		snprintf(out, size, "10.%u.0.%u/%u ", zone, host, len);
}

/* One or two ranges that do not overlap, or "" for the whole zone. */
static void random_ranges(unsigned *seed, unsigned zone, char *out, size_t size)
{
	unsigned kind = pick(seed, 4);

	out[0] = '\0';
	if (kind == 0)
		return;
	random_prefix(seed, zone, kind == 1, out, size);
	if (kind == 3)
		random_prefix(seed, zone, true, out + strlen(out), size - strlen(out));
}

void maker_random(struct model_maker *k, unsigned *seed)
{
	static const char *const ports[] = { "tcp/502",	   "tcp/500-510", "tcp/443",   "udp/53 tcp/53",	    "icmp/8",
					     "icmp/0-255", "tcp/0-65535", "udp/50-60", "tcp/505-600 udp/53" };
	static const enum protocol protocols[] = { PROTO_MODBUS, PROTO_MODBUS, PROTO_TLS, PROTO_DNS, PROTO_ICMP,
						   PROTO_ICMP,	 PROTO_TCP,    PROTO_NTP, PROTO_DNS };
	struct model_zone *zones[4];
	struct model_service *services[9];
	unsigned n;

	for (unsigned i = 0; i < 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "if%u", i);
		maker_interface(k, name);
	}
	for (unsigned i = 0; i < 4; i++) {
		static const char *const interfaces[] = { "if0", "if1 if4", "if2", "if3" };
		char name[8], nets[64];

		snprintf(name, sizeof(name), "z%u", i);
		snprintf(nets, sizeof(nets), "10.%u.0.0/28 2001:db8:%u::/124", i, i);
		zones[i] = maker_zone(k, name, interfaces[i], nets);
	}
	for (unsigned i = 0; i < 9; i++)
		services[i] = maker_service(k, ports[i], protocols[i], ports[i]);
	n = 1 + pick(seed, 14);
	for (unsigned i = 0; i < n; i++) {
		unsigned from = pick(seed, 4), to = pick(seed, 4);
		char name[16], src[128], dst[128];
		struct model_conduit *c;

		snprintf(name, sizeof(name), "c%u", i);
		random_ranges(seed, from, src, sizeof(src));
		random_ranges(seed, to, dst, sizeof(dst));
		c = maker_conduit(k, name, zones[from], zones[to], src, dst, services[pick(seed, 9)]);
		if (pick(seed, 3) == 0)
			c->services[c->n_services++] = services[pick(seed, 9)];
		/* Up to eight conduits end, at eight different times; a fifth of the conduits are
		 * shadows. */
		if (pick(seed, 2) == 0)
			c->until = 1000 + 300 * pick(seed, 8);
		c->observe = c->shadow = pick(seed, 5) == 0;
		c->when_down = (enum failure)pick(seed, 3);
	}
}

void maker_random_hours(struct model_maker *k, unsigned *seed)
{
	static const char *const zones[] = { "JST-9", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC0" };
	static uint32_t except[4];

	maker_random(k, seed);
	k->m.time_zone = zones[pick(seed, 3)];
	NEED(time_zone_parse(k->m.time_zone, &k->m.zone));
	k->m.windows = arena_array(k->arena, 4, sizeof(k->m.windows[0]));
	NEED(k->m.windows != NULL);
	for (unsigned i = 0; i < 4; i++) {
		struct model_window *w = &k->m.windows[k->m.n_windows++];
		unsigned from = 240 + 60 * pick(seed, 19);

		/* From four o'clock on, when no clock changes to or from summer time. */
		*w = (struct model_window){ .name = "w", .label = "" };
		w->when = (struct window){ .days = (uint8_t)(1 + pick(seed, WEEK_DAYS)),
					   .from = (uint16_t)from,
					   .to = (uint16_t)(240 + (from - 240 + 60 + 60 * pick(seed, 18)) % 1200) };
		if (pick(seed, 3) == 0)
			w->when.first = 3 + pick(seed, 10);
		if (pick(seed, 3) == 0)
			w->when.last = 12 + pick(seed, 10);
		except[i] = 8 + pick(seed, 7);
		if (pick(seed, 3) == 0) {
			w->when.except = &except[i];
			w->when.n_except = 1;
		}
	}
	k->m.doors = arena_array(k->arena, 3, sizeof(k->m.doors[0]));
	NEED(k->m.doors != NULL);
	while (k->m.n_doors < 3)
		k->m.doors[k->m.n_doors++] =
			(struct model_door){ .name = "d", .label = "", .at_most = 3600, .opened_by = 1 };
	for (size_t i = 0; i < k->m.n_conduits; i++) {
		struct model_conduit *c = &k->m.conduits[i];

		c->until = 0;
		if (pick(seed, 4) == 0)
			c->door = &k->m.doors[pick(seed, 3)];
		if (pick(seed, 2) == 0)
			c->within = &k->m.windows[pick(seed, 4)];
		if (pick(seed, 5) == 0)
			c->starts = 86400 * (6 + pick(seed, 8)) + 3600 * pick(seed, 24);
		if (pick(seed, 5) == 0)
			c->until = 86400 * (10 + pick(seed, 8)) + 3600 * pick(seed, 24);
	}
}

struct question maker_question(const struct model_maker *k, unsigned *seed)
{
	static const uint8_t protos[] = { 6, 6, 6, 17, 1, 58 };
	static const uint16_t edge_ports[] = {
		502, 499, 500, 510,   511,    443, 53,	     50,       60,     61,
		505, 600, 0,   65535, 8 << 8, 0,   128 << 8, 129 << 8, 3 << 8, 255 << 8
	};
	unsigned from = pick(seed, 4), to = pick(seed, 4);
	bool six = pick(seed, 2);
	struct question q = { .l4proto = protos[pick(seed, 6)], .now = pick(seed, 4000) };
	char text[64];

	q.port = edge_ports[pick(seed, sizeof(edge_ports) / sizeof(edge_ports[0]))];
	if (pick(seed, 4) != 0) {
		/* Mostly a packet that some conduit names, or one just beside it. */
		const struct model_conduit *c = &k->m.conduits[pick(seed, (unsigned)k->m.n_conduits)];
		const struct model_service *s = c->services[pick(seed, (unsigned)c->n_services)];
		const struct ir_port *p = &s->ports[pick(seed, (unsigned)s->n_ports)];

		from = c->from->index;
		to = c->to->index;
		six = c->sources[pick(seed, (unsigned)c->n_sources)].lo.family == 6;
		q.l4proto = p->l4proto == 1 && six ? 58 : p->l4proto;
		if (p->l4proto != 1)
			q.port = (uint16_t)((pick(seed, 2) ? p->lo : p->hi) + pick(seed, 5) / 4);
		else
			q.port = (uint16_t)(six ? 128 << 8 : 8 << 8);
	}
	q.iif = k->m.zones[from].interfaces[pick(seed, (unsigned)k->m.zones[from].n_interfaces)]->name;
	q.oif = k->m.zones[to].interfaces[pick(seed, (unsigned)k->m.zones[to].n_interfaces)]->name;
	if (pick(seed, 8) == 0)
		q.iif = k->m.box.interfaces[pick(seed, 5)].name;
	snprintf(text, sizeof(text), six ? "2001:db8:%u::%x" : "10.%u.0.%u", from, pick(seed, 17));
	NEED(addr_parse(text, &q.source));
	snprintf(text, sizeof(text), six ? "2001:db8:%u::%x" : "10.%u.0.%u", to, pick(seed, 17));
	NEED(addr_parse(text, &q.destination));
	return q;
}

uint64_t maker_end(const struct model_maker *k, unsigned *seed, uint64_t otherwise)
{
	uint64_t end = k->m.conduits[pick(seed, (unsigned)k->m.n_conduits)].until;

	return end != 0 ? end - pick(seed, 2) : otherwise;
}

bool maker_lower(struct model_maker *k)
{
	return policy_lower(&k->c);
}
