/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: what a policy means, and what is refused. The test has its own clock, so that dates
 * keep their meaning.
 *
 * LINK: policy/check/%.c policy/read/parse.c policy/read/scan.c policy/read/lex.c
 * LINK: appliance/wire/evaluate.c appliance/wire/operation.c
 * LINK: appliance/wire/commands.c appliance/base/sha256.c policy/read/include.c
 * LINK: policy/read/bracket.c appliance/wire/notation.c appliance/wire/tag.c policy/read/csv.c
 * LINK: appliance/wire/hours.c appliance/wire/duty.c appliance/wire/plain.c appliance/base/addr.c
 * LINK: appliance/base/arena.c appliance/base/bytes.c appliance/base/diag.c
 * LINK: appliance/base/diag_print.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/wire/protocols.c appliance/base/utf8.c appliance/wire/vocabulary*.c dpi/%/words.c
 * LINK: appliance/wire/settings.c appliance/base/duration.c
 * LINK: appliance/wire/attack.c
 * LIBS: libconfig nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "dpi/modbus/words.h"
#include "policy/check/check.h"
#include "policy/check/names.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"
#include "policy/read/csv.h"
#include "tests/unit/policy/policy_text.h"

#define NOON_2026_06_15 1781524800u

uint64_t clock_wall_ns(void)
{
	return (uint64_t)NOON_2026_06_15 * 1000000000u;
}

/* The parts of a small site, of which a case replaces one. */
#define ZONES                                                                                                          \
	"zones = { office = { interfaces = [\"lan0\"]; networks = [\"10.10.0.0/16\", \"2001:db8:10::/48\"]; class = "  \
	"\"it\"; };"                                                                                                   \
	" crane = { interfaces = [\"lan1\"]; networks = [\"10.30.0.0/22\"]; class = \"ot\"; patchable = false; owner " \
	"= \"C\"; };"                                                                                                  \
	" net6 = { interfaces = [\"lan2\"]; networks = [\"2001:db8:66::/48\"]; };"                                     \
	" internet = { interfaces = [\"wan0\"]; networks = [\"rest\"]; class = \"external\"; }; };\n"
#define ASSETS                                                                                                         \
	"assets = { pc = { zone = \"office\"; addresses = [\"10.10.0.5\"]; };"                                         \
	" plc = { zone = \"crane\"; addresses = [\"10.30.1.10\", \"10.30.1.11\"]; label = \"RTG 1号機\"; }; };\n"
#define SERVICES                                                                                                       \
	"services = { read = { protocol = \"modbus\"; ports = [\"tcp/502\"]; allow = ( { commands = [\"read\"]; "      \
	"units = [1]; } ); };"                                                                                         \
	" web = { protocol = \"tls\"; }; ping = { protocol = \"icmp\"; ports = [\"icmp/8\"]; }; };\n"
#define DUTIES " purpose = \"p\"; owner = \"o\"; review_by = \"2027-03-31\";"
#define CONDUIT(more)                                                                                                  \
	"conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"];" DUTIES more " } );\n"
#define HEAD "language_version = 1;\n"

static struct policy_text t;

static bool check2(const char *text, const char *box)
{
	static struct memory_text texts[2];

	texts[0] = (struct memory_text){ "site.cfg", text };
	texts[1] = (struct memory_text){ "box.cfg", box };
	policy_text_begin(&t, texts, box != NULL ? 2 : 1);
	return policy_check(&t.c, &t.loader, "site.cfg");
}

static const struct model *model_of(const char *text)
{
	if (!check2(text, NULL)) {
		diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
		fail();
	}
	return t.c.model;
}

static int end(void **state)
{
	(void)state;
	policy_text_end(&t);
	return 0;
}

static void range_is(const struct addr_range *r, const char *text)
{
	char got[2 * ADDR_TEXT + 2];

	addr_range_text(r, got, sizeof(got));
	assert_string_equal(got, text);
}

static void zones_assets_and_self(void **state)
{
	const struct model *m =
		model_of(HEAD "site = { name = \"kita\"; label = \"北\"; };\n" ZONES ASSETS SERVICES CONDUIT(""));

	(void)state;
	assert_string_equal(m->site_name, "kita");
	assert_int_equal(m->n_zones, 5);
	assert_true(m->zones[4].self);
	assert_string_equal(m->zones[4].name, "self");
	assert_int_equal(m->zones[4].n_ranges, 0);
	assert_int_equal(m->zones[1].class, CLASS_OT);
	assert_false(m->zones[1].patchable);
	assert_true(m->zones[0].patchable);
	for (size_t i = 0; i < m->n_zones; i++)
		assert_int_equal(m->zones[i].index, i);
	assert_int_equal(m->assets[1].n_ranges, 1); /* neighbours are one range */
	range_is(&m->assets[1].ranges[0], "10.30.1.10/31");
	assert_int_equal(m->box.n_interfaces, 4);
	assert_string_equal(m->box.interfaces[0].device, "lan0");
	assert_int_equal(m->box.workers, 0); /* the box decides */
}

static void rest_is_unicast_without_the_others(void **state)
{
	const struct model *m = model_of(HEAD ZONES);
	const struct model_zone *z = &m->zones[3];
	static const char *const in[] = { "1.0.0.0",	     "10.9.255.255",	"10.31.0.0",	   "10.30.4.0",
					  "126.255.255.255", "169.253.255.255", "223.255.255.255", "0:0:0:1::",
					  "2001:db8:11::",   "fdff::1",		"64:ff9b::1",	   "203.0.113.7" };
	static const char *const out[] = {
		"0.0.0.0",	   "10.10.3.3", "10.30.3.255", "127.0.0.1",	 "169.254.1.1", "224.0.0.1",
		"255.255.255.255", "::",	"::1",	       "::ffff:1.2.3.4", "fe80::1",	"ff02::1",
		"2001:db8:10::5",  "::2",	"::10.1.2.3",  "fec0::1"
	};

	(void)state;
	assert_true(z->rest);
	for (size_t i = 1; i < z->n_ranges; i++)
		assert_true(addr_cmp(&z->ranges[i - 1].hi, &z->ranges[i].lo) < 0);
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		struct addr_range one;
		bool stray;

		prefix_parse(in[i], &one, &stray);
		assert_true(ranges_hold(z->ranges, z->n_ranges, &one));
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		struct addr_range one;
		bool stray;

		prefix_parse(out[i], &one, &stray);
		assert_false(ranges_hold(z->ranges, z->n_ranges, &one));
	}
}

static void conduit_defaults(void **state)
{
	const struct model_conduit *c = model_of(HEAD ZONES ASSETS SERVICES CONDUIT(""))->conduits;

	(void)state;
	assert_false(c->observe);
	assert_int_equal(c->criticality, CRIT_SUPPORT);
	assert_int_equal(c->when_down, FAIL_CLOSED);
	assert_int_equal(c->when_overloaded, FAIL_CLOSED);
	assert_int_equal(c->when_midstream, MID_RESET);
	assert_false(c->tighten_new_flows);
	assert_int_equal(c->until, 0);
	assert_string_equal(c->approved_by, "");
	assert_int_equal(c->n_sources, 2); /* the whole zone */
	assert_int_equal(c->n_destinations, 1);
	assert_int_equal(t.c.diags.warnings, 0);
}

static void observing_never_stops_traffic_by_itself(void **state)
{
	const struct model_conduit *c =
		model_of(HEAD ZONES ASSETS SERVICES CONDUIT("mode = \"observe\"; shadow = true;"))->conduits;

	(void)state;
	assert_true(c->observe && c->shadow);
	assert_int_equal(c->when_down, FAIL_OPEN);
	assert_int_equal(c->when_overloaded, FAIL_OPEN);
}

static void conduit_settings(void **state)
{
	const struct model_conduit *c =
		model_of(HEAD ZONES ASSETS SERVICES CONDUIT(
				 "sources = [\"pc\", \"10.10.0.4\", \"10.10.0.0/30\"]; destinations = [\"plc\"]; "
				 "criticality = \"safety\";"
				 "when_down = \"hold\"; when_overloaded = \"open\"; when_midstream = \"pick_up\"; "
				 "on_tighten = \"new_flows\";"
				 "until = \"2026-12-01T18:00:00+09:00\"; approved_by = \"CISO\"; label = \"試験\";"))
			->conduits;

	(void)state;
	assert_int_equal(c->n_sources, 1);
	range_is(&c->sources[0], "10.10.0.0-10.10.0.5");
	assert_int_equal(c->criticality, CRIT_SAFETY);
	assert_int_equal(c->when_down, FAIL_HOLD);
	assert_int_equal(c->when_overloaded, FAIL_OPEN);
	assert_int_equal(c->when_midstream, MID_PICK_UP);
	assert_true(c->tighten_new_flows);
	assert_int_equal(c->until, 1796115600u);
	assert_int_equal(t.c.diags.warnings, 0);
}

static void ports_and_transports(void **state)
{
	const struct model *m = model_of(
		HEAD ZONES
		"services = { a = { protocol = \"dns\"; }; b = { protocol = \"tcp\"; ports = [\"tcp/90-95\", "
		"\"tcp/80\", \"tcp/81-89\", \"tcp/443\"]; };"
		" c = { protocol = \"icmp\"; ports = [\"icmp/8\", \"icmp/0\"]; }; d = { protocol = \"icmp\"; };"
		" e = { protocol = \"postgresql\"; ports = (\"tcp/5432\"); undecided_bytes = 8; tunnel = true; }; "
		"};\n");
	const struct model_service *s = m->services;

	(void)state;
	assert_int_equal(s[0].n_ports, 2);
	assert_int_equal(s[0].ports[0].l4proto, 6);
	assert_int_equal(s[0].ports[1].l4proto, 17);
	assert_int_equal(s[0].ports[1].lo, 1);
	assert_int_equal(s[0].ports[1].hi, 65535);
	assert_true(s[0].whole);
	assert_int_equal(s[1].n_ports, 2);
	assert_int_equal(s[1].ports[0].lo, 80);
	assert_int_equal(s[1].ports[0].hi, 95);
	assert_int_equal(s[2].n_ports, 2);
	assert_int_equal(s[2].ports[0].lo, 0);
	assert_int_equal(s[2].ports[1].lo, 8 << 8);
	assert_int_equal(s[2].ports[1].hi, 8 << 8);
	assert_int_equal(s[3].ports[0].lo, 0);
	assert_int_equal(s[3].ports[0].hi, 65535);
	assert_int_equal(s[4].undecided_bytes, 8);
	assert_true(s[4].tunnel);
}

static const struct command_table *pool;

static const struct command_row *row(const char *text)
{
	char policy[2000];

	snprintf(policy, sizeof(policy),
		 HEAD ZONES "services = { s = { protocol = \"modbus\"; allow = ( { %s } ); }; };\n", text);
	pool = &model_of(policy)->rows.t;
	return &t.c.model->services[0].allows[0].row;
}

static bool allows(const struct command_row *a, uint8_t code)
{
	return number_in(pool, &a->services, code);
}

static void rows_become_sets_of_codes(void **state)
{
	const struct command_row *a = row("commands = [\"read\"]; units = [1]; holding = (\"0-99\", \"100\", 200);");

	(void)state;
	assert_true(allows(a, 1) && allows(a, 3));
	/* servers read these functions in different ways, so only a name or code allows them */
	assert_false(allows(a, 20) || allows(a, 24));
	assert_false(allows(a, 5) || allows(a, 23) || allows(a, 43) || allows(a, 90) || allows(a, 99));
	assert_true(number_in(pool, &a->targets[0], 1));
	assert_false(number_in(pool, &a->targets[0], 0) || number_in(pool, &a->targets[0], 2));
	assert_false(a->spaces_any);
	assert_int_equal(row_space(pool, a, MODBUS_HOLDING)->n, 2);
	assert_int_equal(pool->ranges[row_space(pool, a, MODBUS_HOLDING)->first].hi, 100);
	assert_null(row_space(pool, a, MODBUS_COILS));
	assert_true(a->values.any);
	policy_text_end(&t);

	/* Function 23 reads and writes: it needs both words. */
	a = row("commands = [\"read\", \"write\"];");
	assert_true(allows(a, 23) && allows(a, 6));
	assert_true(a->spaces_any);
	assert_true(a->targets[0].any); /* every unit except broadcasts */
	policy_text_end(&t);

	a = row("functions = [\"umas\", \"diagnostics\", \"65-66\"]; units = [0]; commands = [\"diagnose\"];");
	assert_true(allows(a, 90) && allows(a, 8) && allows(a, 65) && allows(a, 66) && allows(a, 7));
	assert_false(allows(a, 3) || allows(a, 64) || allows(a, 43));
	assert_true(number_in(pool, &a->targets[0], 0));
	assert_false(number_in(pool, &a->targets[0], 1));
	policy_text_end(&t);

	a = row("functions = (6, \"mask_write_register\"); values = (\"0-1\", 5);");
	assert_true(allows(a, 6) && allows(a, 22));
	assert_false(a->values.any);
	assert_int_equal(a->values.n, 2);
	policy_text_end(&t);

	a = row("");
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(allows(a, (uint8_t)i),
				 function_framing(vocabulary_of(PROTO_MODBUS), (uint8_t)i) != FRAMING_APART);
	assert_true(allows(a, 3) && allows(a, 16) && allows(a, 17));
}

static void nevers_and_breaks(void **state)
{
	const struct model *m = model_of(HEAD ZONES ASSETS
					 "never = ( { from = \"internet\"; to = \"crane\"; scope = \"chain\"; }, { "
					 "from = \"office\"; to = \"crane\";"
					 " commands = [\"write\", \"program\"]; label = \"x\"; } );\n"
					 "chain_break = ( { asset = \"pc\"; reason = \"only a person writes\"; } );\n");

	(void)state;
	assert_true(m->nevers[0].chain && m->nevers[0].all_commands);
	assert_int_equal(m->nevers[0].classes, CLASS_ALL);
	assert_false(m->nevers[1].chain || m->nevers[1].all_commands);
	assert_int_equal(m->nevers[1].classes, CLASS_WRITE | CLASS_PROGRAM);
	assert_string_equal(m->breaks[0].asset->name, "pc");
}

#define BOX                                                                                                            \
	"language_version = 1; workers = 2;\n"                                                                         \
	"interfaces = { lan0 = { device = \"eth0\"; addresses = [\"10.10.0.1/16\", \"2001:db8:10::1/48\"]; mtu = "     \
	"1500; };\n"                                                                                                   \
	" lan1 = { device = \"eth1\"; addresses = [\"10.30.0.1/22\"]; }; lan2 = { device = \"eth2\"; };\n"             \
	" wan0 = { device = \"eth3\"; addresses = [\"203.0.113.2/31\"]; }; adm = { device = \"eth4\"; role = "         \
	"\"admin\"; }; };\n"

static void box_facts(void **state)
{
	const struct model *m;

	(void)state;
	assert_true(check2(HEAD ZONES,
			   BOX "routes = ( { to = \"0.0.0.0/0\"; via = \"203.0.113.3\"; interface = \"wan0\"; } );\n"));
	m = t.c.model;
	assert_int_equal(m->box.workers, 2);
	assert_int_equal(m->box.naming_workers + m->box.command_workers, 0);
	assert_int_equal(m->box.n_interfaces, 5);
	assert_string_equal(m->box.interfaces[0].device, "eth0");
	assert_int_equal(m->box.interfaces[0].n_addresses, 2);
	assert_int_equal(m->box.interfaces[0].prefix_lengths[1], 48);
	assert_int_equal(m->box.interfaces[0].mtu, 1500);
	assert_true(m->box.interfaces[4].admin);
	assert_ptr_equal(m->box.routes[0].interface, &m->box.interfaces[3]);
	assert_int_equal(m->n_sources, 2);
	assert_string_equal(m->sources[1].name, "box.cfg");
}

/* The zone "the rest of the internet" does not contain the network from which the box is
 * managed. */
static void rest_is_without_the_admin_network(void **state)
{
	struct addr_range r;
	bool stray;

	(void)state;
	assert_true(check2(HEAD ZONES,
			   "language_version = 1;\n"
			   "interfaces = { lan0 = { device = \"eth0\"; }; lan1 = { device = \"eth1\"; };\n"
			   " lan2 = { device = \"eth2\"; }; wan0 = { device = \"eth3\"; };\n"
			   " adm = { device = \"eth4\"; role = \"admin\"; addresses = [\"10.99.0.1/24\"]; }; };\n"));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const texts[] = { "10.98.255.255", "10.99.0.7", "10.99.1.0" };

		prefix_parse(texts[i], &r, &stray);
		assert_int_equal(ranges_hold(t.c.model->zones[3].ranges, t.c.model->zones[3].n_ranges, &r), i != 1);
	}
}

struct mistake {
	const char *text;
	const char *box;
	const char *code;
	uint32_t line, column;
};

#define CASE(text, code, line, column)                                                                                 \
	{                                                                                                              \
		HEAD text, NULL, code, line, column                                                                    \
	}
#define BOXED(text, box, code, line, column)                                                                           \
	{                                                                                                              \
		HEAD text, box, code, line, column                                                                     \
	}

/* Each text has one mistake, which is reported once and at the right place. */
static const struct mistake mistakes[] = {
	{ ZONES, NULL, "policy.missing_key", 1, 1 },
	{ "language_version = 2;\n" ZONES, NULL, "policy.version", 1, 20 },
	{ "language_version = \"1\";\n" ZONES, NULL, "policy.wrong_type", 1, 20 },
	CASE("", "policy.missing_key", 1, 1),
	CASE("sites = {};\n" ZONES, "policy.unknown_key", 2, 1),
	CASE("migration = ();\n" ZONES, "policy.unknown_key", 2, 1),
	CASE("site = { label = \"x\"; };\n" ZONES, "policy.missing_key", 2, 1),
	CASE("site = { name = \"北\"; };\n" ZONES, "policy.name", 2, 17),
	CASE("zones = { a = { interfaces = [\"l\"]; }; };", "policy.missing_key", 2, 11),
	CASE("zones = { a = { networks = [\"10.0.0.0/8\"]; }; };", "policy.missing_key", 2, 11),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"10.0.0.0/8\"]; }; b = 4; };", "policy.wrong_type", 2,
	     71),
	CASE("zones = { a = { interfaces = []; networks = [\"10.0.0.0/8\"]; }; };", "policy.empty_list", 2, 30),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = []; }; };", "policy.empty_list", 2, 48),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"10.0.0.1/8\"]; }; };", "policy.address", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"10.0.0\"]; }; };", "policy.address", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [7]; }; };", "policy.wrong_type", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"224.0.0.0/4\"]; }; };", "policy.not_unicast", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"::/0\"]; }; };", "policy.not_unicast", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"fe80::/10\"]; }; };", "policy.not_unicast", 2, 49),
	CASE("zones = { a = { interfaces = [\"l\", \"l\"]; networks = [\"rest\"]; }; };", "policy.twice", 2, 36),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"rest\"]; class = \"OT\"; }; };",
	     "policy.unknown_word", 2, 66),
	CASE("zones = { self = { interfaces = [\"l\"]; networks = [\"rest\"]; }; };", "policy.reserved", 2, 11),
	CASE("zones = { a = { interfaces = [\"too-long-for-a-device\"]; networks = [\"rest\"]; }; };", "policy.name", 2,
	     31),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"10.0.0.0/8\"]; };\n b = { interfaces = [\"m\"]; "
	     "networks = [\"10.1.0.0/16\"]; }; };",
	     "policy.overlap", 3, 40),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"10.1.0.0/16\"]; };\n b = { interfaces = [\"m\"]; "
	     "networks = [\"10.0.0.0/8\"]; }; };",
	     "policy.overlap", 3, 40),
	CASE("zones = { a = { interfaces = [\"l\"]; networks = [\"rest\"]; };\n b = { interfaces = [\"m\", \"l\"]; "
	     "networks = [\"rest\"]; }; };",
	     "policy.overlap", 3, 2),
	CASE(ZONES "assets = { a = { zone = \"office\"; addresses = [\"10.30.0.1\"]; }; };", "policy.outside_zone", 3,
	     48),
	CASE(ZONES "assets = { a = { zone = \"office\"; addresses = [\"10.0.0.0/8\"]; }; };", "policy.outside_zone", 3,
	     48),
	CASE(ZONES "assets = { a = { zone = \"offce\"; addresses = [\"10.30.0.1\"]; }; };", "policy.unknown_name", 3,
	     25),
	CASE(ZONES "assets = { a = { zone = \"self\"; addresses = [\"10.30.0.1\"]; }; };", "policy.reserved", 3, 25),
	CASE(ZONES "assets = { a = { zone = \"office\"; }; };", "policy.missing_key", 3, 12),
	CASE(ZONES "assets = { a = { zone = \"office\"; addresses = []; }; };", "policy.empty_list", 3, 47),
	CASE(ZONES "assets = { a = { zone = \"office\"; addresses = [\"10.10.0.1\"]; label = \"a\\nb\"; }; };",
	     "policy.text", 3, 70),
	CASE(ZONES "assets = { a = { zone = \"office\"; addresses = [\"10.10.0.1\"]; label = \"a\u200bb\"; }; };",
	     "policy.text", 3, 70),
	CASE(ZONES "services = { s = { protocol = \"modbuss\"; }; };", "policy.unknown_protocol", 3, 31),
	CASE(ZONES "services = { s = { ports = [\"tcp/1\"]; }; };", "policy.missing_key", 3, 14),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = [\"udp/443\"]; }; };", "policy.port", 3, 47),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = [\"443\"]; }; };", "policy.port", 3, 47),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = [\"tcp/0\"]; }; };", "policy.port", 3, 47),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = [\"tcp/70000\"]; }; };", "policy.port", 3, 47),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = [\"tcp/9-8\"]; }; };", "policy.port", 3, 47),
	CASE(ZONES "services = { s = { protocol = \"icmp\"; ports = [\"icmp/8-9\"]; }; };", "policy.port", 3, 48),
	CASE(ZONES "services = { s = { protocol = \"icmp\"; ports = [\"icmp/256\"]; }; };", "policy.port", 3, 48),
	CASE(ZONES "services = { s = { protocol = \"tls\"; ports = []; }; };", "policy.empty_list", 3, 46),
	CASE(ZONES "services = { s = { protocol = \"tls\"; undecided_bytes = -1; }; };", "policy.number", 3, 56),
	CASE(ZONES "services = { s = { protocol = \"tls\"; allow = ( { commands = [\"read\"]; } ); }; };",
	     "policy.no_commands", 3, 38),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = (); }; };", "policy.empty_list", 3, 49),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { command = [\"read\"]; } ); }; };",
	     "policy.unknown_key", 3, 53),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { commands = [\"reed\"]; } ); }; };",
	     "policy.unknown_word", 3, 65),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { functions = [\"read_coil\"]; } ); }; };",
	     "policy.unknown_function", 3, 66),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { functions = [256]; } ); }; };",
	     "policy.range", 3, 66),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { units = [256]; } ); }; };", "policy.range", 3,
	     62),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { holding = [\"9-8\"]; } ); }; };",
	     "policy.range", 3, 65),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { holding = [\"0-65536\"]; } ); }; };",
	     "policy.range", 3, 67),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { coils = [-1]; } ); }; };", "policy.range", 3,
	     62),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { units = []; } ); }; };", "policy.empty_list",
	     3, 61),
	CASE(ZONES ASSETS SERVICES CONDUIT("mode = \"enforced\";"), "policy.unknown_word", 5, 140),
	CASE(ZONES ASSETS SERVICES CONDUIT("shadow = true;"), "policy.shadow", 5, 142),
	CASE(ZONES ASSETS SERVICES CONDUIT("sources = [\"plc\"];"), "policy.outside_zone", 5, 144),
	CASE(ZONES ASSETS SERVICES CONDUIT("sources = [\"10.30.0.1\"];"), "policy.outside_zone", 5, 144),
	CASE(ZONES ASSETS SERVICES CONDUIT("sources = [\"nobody\"];"), "policy.unknown_name", 5, 144),
	CASE(ZONES ASSETS SERVICES CONDUIT("sources = [];"), "policy.empty_list", 5, 143),
	CASE(ZONES ASSETS SERVICES CONDUIT("until = \"tomorrow\";"), "policy.date", 5, 141),
	CASE(ZONES ASSETS SERVICES CONDUIT("until = \"2027-01-01T00:00:00\";"), "policy.date", 5, 141),
	CASE(ZONES ASSETS SERVICES CONDUIT("purpos = \"x\";"), "policy.unknown_key", 5, 133),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"self\"; services = [\"read\"];" DUTIES " } );",
	     "policy.reserved", 5, 50),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"rea\"];" DUTIES " } );",
	     "policy.unknown_name", 5, 71),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [];" DUTIES " } );",
	     "policy.empty_list", 5, 70),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; owner = \"o\";"
	     " review_by = \"2027-03-31\"; } );",
	     "policy.missing_key", 5, 14),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; purpose = \"o\";"
	     " review_by = \"2027-03-31\"; } );",
	     "policy.missing_key", 5, 14),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; purpose = \"o\";"
	     " owner = \"x\"; } );",
	     "policy.missing_key", 5, 14),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; purpose = \" \";"
	     " owner = \"x\"; review_by = \"2027-03-31\"; } );",
	     "policy.text", 5, 90),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; purpose = \"x\";"
	     " owner = \"x\"; review_by = \"2027-02-29\"; } );",
	     "policy.date", 5, 120),
	CASE(ZONES ASSETS SERVICES
	     "conduits = (\n { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"];" DUTIES " },\n"
	     " { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"web\"];" DUTIES " } );",
	     "policy.duplicate", 7, 2),
	CASE(ZONES "conduits = { a = 1; };", "policy.wrong_type", 3, 12),
	CASE(ZONES "conduits = ( 1 );", "policy.wrong_type", 3, 14),
	CASE(ZONES "never = ( { from = \"office\"; } );", "policy.missing_key", 3, 11),
	CASE(ZONES "never = ( { from = \"office\"; to = \"crane\"; scope = \"chains\"; } );", "policy.unknown_word", 3,
	     52),
	CASE(ZONES "chain_break = ( { asset = \"pc\"; reason = \"x\"; } );", "policy.unknown_name", 3, 27),
	CASE(ZONES ASSETS "chain_break = ( { asset = \"pc\"; reason = \"\"; } );", "policy.text", 4, 42),
	BOXED(ZONES, "language_version = 1;\n", "policy.missing_key", 1, 1),
	BOXED(ZONES, BOX "route = ();", "policy.unknown_key", 5, 1),
	BOXED(ZONES, BOX "routes = ( { to = \"0.0.0.0/0\"; via = \"203.0.114.1\"; } );", "policy.route", 5, 38),
	BOXED(ZONES, BOX "routes = ( { to = \"::/0\"; via = \"203.0.113.3\"; } );", "policy.address", 5, 33),
	BOXED(ZONES, BOX "routes = ( { to = \"::/0\"; via = \"gw\"; } );", "policy.address", 5, 33),
	BOXED(ZONES, BOX "routes = ( { to = \"0.0.0.0/0\"; via = \"203.0.113.3\"; interface = \"wan\"; } );",
	      "policy.unknown_name", 5, 65),
	BOXED("zones = { a = { interfaces = [\"lan9\"]; networks = [\"rest\"]; }; };", BOX, "policy.unknown_name", 2,
	      31),
	BOXED("zones = { a = { interfaces = [\"adm\"]; networks = [\"rest\"]; }; };", BOX, "policy.admin_interface", 2,
	      31),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; addresses = [\"10.0.0.0/8\"]; }; };",
	      "policy.address", 1, 71),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; addresses = [\"10.0.0.1\"]; }; };",
	      "policy.address", 1, 71),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e/f\"; }; };", "policy.name", 1, 53),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; };\n y = { device = \"e\"; }; };",
	      "policy.duplicate", 2, 2),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; workers = 9; interfaces = { x = { device = \"e\"; }; };", "policy.number", 1, 33),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; naming_workers = 0; interfaces = { x = { device = \"e\"; }; };", "policy.number",
	      1, 40),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; vlan = 4095; }; };", "policy.number", 1, 65),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; vlan = 5; };\n y = { device = \"e\"; vlan = "
	      "5; }; };",
	      "policy.duplicate", 2, 2),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; vlan = 5; };\n y = { device = \"e\"; }; };",
	      "policy.vlan", 2, 2),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"e\"; vlan = 5; };\n y = { device = \"e.5\"; vlan "
	      "= 6; }; };",
	      "policy.vlan", 2, 2),
	BOXED("zones = { a = { interfaces = [\"x\"]; networks = [\"rest\"]; }; };",
	      "language_version = 1; interfaces = { x = { device = \"abcdefghijklm\"; vlan = 10; }; };", "policy.name",
	      1, 77),
	BOXED(ZONES, "interfaces = [\n", "policy.unclosed", 1, 14),
	CASE(ZONES SERVICES
	     "never = ( { from = \"office\"; to = \"crane\"; scope = \"chain\"; answer_only = [\"ping\", \"web\"]; } "
	     ");",
	     "policy.answer_only", 4, 84),
	CASE(ZONES SERVICES
	     "groups = { g = [\"read\"]; };\nnever = ( { from = \"office\"; to = \"crane\"; scope = \"chain\"; "
	     "answer_only = [\"g\"]; } );",
	     "policy.answer_only", 5, 76),
	CASE(ZONES "services = { names = { protocol = \"dns\"; tunnel = true; }; };\n"
		   "never = ( { from = \"office\"; to = \"crane\"; scope = \"chain\"; answer_only = [\"names\"]; } );",
	     "policy.answer_only", 4, 76),
	CASE(ZONES "services = { names = { protocol = \"dns\"; undecided_bytes = 8; }; };\n"
		   "never = ( { from = \"office\"; to = \"crane\"; scope = \"chain\"; answer_only = [\"names\"]; } );",
	     "policy.answer_only", 4, 76),
	CASE(ZONES SERVICES
	     "never = ( { from = \"office\"; to = \"crane\"; scope = \"chain\"; answer_only = [\"pong\"]; } );",
	     "policy.unknown_name", 4, 76),
	CASE(ZONES ASSETS "never = ( { from = \"office\"; from_assets = [\"pc\"]; to = \"crane\"; } );", "policy.both",
	     4, 44),
	CASE(ZONES SERVICES "organisations = { a = { zone = \"crane\"; }; b = { zone = \"office\"; }; };\n" CONDUIT(""),
	     "policy.organisations_meet", 5, 14),
	CASE(ZONES SERVICES "organisations = { a = { zone = \"crane\"; }; b = { zone = \"crane\"; }; };",
	     "policy.organisation_zone", 4, 57),
	CASE(ZONES SERVICES CONDUIT(" until = \"2190-01-01T00:00:00Z\"; exception = { applicant = \"a\"; reason = "
				    "\"b\"; instead = \"c\"; approved_by = \"d\"; effect = \"e\"; };"),
	     "policy.missing_key", 4, 166),
	CASE(ZONES SERVICES CONDUIT(" exception = { applicant = \"a\"; rule = \"4\"; effect = \"e\"; reason = \"b\"; "
				    "instead = \"c\"; approved_by = "
				    "\"d\"; };"),
	     "policy.exception_endless", 4, 146),
	CASE(ZONES SERVICES "always = ( { from = \"office\"; to = \"crane\"; } );", "policy.missing_key", 4, 12),
	CASE(ZONES SERVICES "always = ( { from = \"office\"; to = \"self\"; services = [\"web\"]; } );",
	     "policy.reserved", 4, 36),
	CASE(ZONES SERVICES "always = ( { from = \"office\"; to = \"crane\"; services = []; } );", "policy.empty_list",
	     4, 56),
	CASE(ZONES ASSETS "never = ( { from_assets = [\"pc\"]; } );", "policy.missing_key", 4, 11),
	CASE(ZONES ASSETS "never = ( { from_assets = [\"10.10.0.5\"]; to = \"crane\"; } );", "policy.unknown_name", 4,
	     28),
	CASE(ZONES SERVICES "groups = { g = [\"web\", \"pong\"]; };", "policy.unknown_name", 4, 24),
	CASE(ZONES SERVICES "groups = { a = [\"b\"]; b = [\"a\"]; };", "policy.group_loop", 4, 28),
	CASE(ZONES SERVICES "groups = { a = [\"a\"]; };", "policy.group_loop", 4, 17),
	CASE(ZONES SERVICES "groups = { g = [\"web\", \"crane\"]; };", "policy.group_mixed", 4, 24),
	CASE(ZONES SERVICES "groups = { g = [\"w*\", \"x*\"]; };", "policy.unknown_name", 4, 23),
	CASE(ZONES SERVICES "groups = { crane = [\"web\"]; };", "policy.duplicate", 4, 12),
	CASE(ZONES SERVICES "groups = { g = 1; };", "policy.wrong_type", 4, 16),
	CASE(ZONES SERVICES "groups = ( );", "policy.wrong_type", 4, 10),
	CASE(ZONES SERVICES "defaults = { label = \"x\"; };", "policy.unknown_key", 4, 14),
	CASE(ZONES SERVICES
	     "defaults = { review_by = \"2027-03-32\"; };\nconduits = ( { name = \"c\"; from = [\"office\", "
	     "\"crane\"]; to = \"crane\"; services = [\"web\"]; purpose = \"p\"; owner = \"o\"; } );",
	     "policy.date", 4, 26),
	CASE(ZONES SERVICES "conduits = ( { name = \"c\"; from = [\"office\", \"cranes\"]; to = \"crane\"; services = "
			    "[\"web\"];" DUTIES " } );",
	     "policy.unknown_name", 4, 46),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = [\"office\", \"crane\"]; to = \"crane\"; sources = "
	     "[\"pc\"]; services = [\"web\"];" DUTIES " } );",
	     "policy.outside_zone", 5, 80),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = [\"office\", \"crane\"]; to = \"crane\"; sources = "
	     "[\"10.10.0.5\"]; services = [\"web\"];" DUTIES " } );",
	     "policy.unknown_name", 5, 81),
};

/* A statement about a group is the same as one for each member, with the zone behind the name. */
static void groups_are_written_out(void **state)
{
	(void)state;
	assert_true(check2(
		HEAD ZONES ASSETS SERVICES
		"groups = { both = [\"office\", \"crane\"]; hosts = [\"p*\"]; look = [\"web\", \"more\"]; more = "
		"[\"ping\", \"web\"]; };\n"
		"defaults = { owner = \"IT\"; review_by = \"2027-03-31\"; };\n"
		"conduits = ( { name = \"a\"; from = \"both\"; to = [\"crane\", \"crane\"]; sources = [\"hosts\"]; "
		"services = [\"look\"]; purpose = \"p\"; },\n"
		"{ name = \"b\"; from = \"office\"; to = \"crane\"; destinations = [\"plc\", \"10.30.1.12\"]; services "
		"= [\"read\"]; purpose = \"p\"; owner = \"me\"; } );\n"
		"never = ( { from = \"both\"; to = [\"net6\", \"internet\"]; }, { from = \"office\"; to = \"office\"; "
		"} "
		");\n",
		NULL));
	assert_int_equal(t.c.model->n_conduits, 3);
	assert_string_equal(t.c.model->conduits[0].name, "a/office/crane");
	assert_string_equal(t.c.model->conduits[0].owner, "IT");
	assert_string_equal(t.c.model->conduits[0].review_by, "2027-03-31");
	assert_int_equal(t.c.model->conduits[0].n_services, 2);
	assert_int_equal(t.c.model->conduits[0].n_sources, 1);
	assert_string_equal(t.c.model->conduits[1].name, "a/crane/crane");
	assert_int_equal(t.c.model->conduits[1].at.line, 7);
	assert_string_equal(t.c.model->conduits[1].from->name, "crane");
	assert_string_equal(t.c.model->conduits[2].name, "b");
	assert_string_equal(t.c.model->conduits[2].owner, "me");
	assert_int_equal(t.c.model->n_nevers, 5);
	assert_string_equal(t.c.model->nevers[2].from->name, "crane");
	assert_string_equal(t.c.model->nevers[2].to->name, "net6");
}

#define MACHINES 5000u
#define OF_EACH(name)                                                                                                  \
	"{ name = \"" name                                                                                             \
	"\"; each = \"rtg\"; from = \"crane\"; to = \"crane\"; destinations = [\".plc\"]; services = "                 \
	"[\"read\"];" DUTIES " }"

/* A table with five thousand machines can be read. An object beyond a limit of policies is refused
 * at the line that adds it. */
static void fleets_are_large(void **state)
{
	static char table[64 * MACHINES];
	static const struct memory_text texts[] = {
		{ "site.cfg", HEAD ZONES SERVICES "fleets = { rtg = { from = \"t/rtg.csv\"; zone = \"crane\"; members "
						  "= [\"plc\", \"cms\"]; label = \"{}号機\"; }; };\n"
						  "conduits = ( " OF_EACH("a") " );\n" },
		{ "t/rtg.csv", table },
	};
	static const struct memory_text more[] = {
		{ "site.cfg", HEAD ZONES SERVICES
		  "fleets = { rtg = { from = \"t/rtg.csv\"; zone = \"crane\"; members = [\"plc\", \"cms\"]; }; };\n"
		  "conduits = ( " OF_EACH("a") ",\n" OF_EACH("b") ",\n" OF_EACH("c") ",\n" OF_EACH("d") ",\n" OF_EACH("e") ",\n" OF_EACH("f") ",\n" OF_EACH(
			  "g") ",\n" OF_EACH("h") ",\n" OF_EACH("i") ",\n" OF_EACH("j") ",\n" OF_EACH("k") ","
													   "\n" OF_EACH(
														   "l") " );\n" },
		{ "t/rtg.csv", table },
	};
	const struct diag *g;
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(table, sizeof(table), "\xef\xbb\xbfname,plc,cms\r\n");
	for (unsigned i = 0; i < MACHINES; i++)
		n += (size_t)snprintf(table + n, sizeof(table) - n, "rtg%04u,10.30.%u.%u,%s\r\n", i, i % 4, i / 4 % 256,
				      i == 7 ? "10.30.3.255" : "");
	policy_text_begin(&t, texts, 2);
	assert_true(policy_check(&t.c, &t.loader, "site.cfg"));
	assert_int_equal(t.c.model->n_assets, MACHINES + 1);
	assert_int_equal(t.c.model->n_conduits, MACHINES);
	assert_string_equal(t.c.model->conduits[7].name, "a/rtg0007");
	assert_string_equal(t.c.model->conduits[7].label, "a / 7号機");
	assert_string_equal(t.c.model->assets[8].name, "rtg0007.cms");
	assert_int_equal(t.c.model->assets[8].at.file, 1);
	assert_int_equal(t.c.model->assets[8].at.line, 9);
	policy_text_end(&t);
	policy_text_begin(&t, more, 2);
	assert_false(policy_check(&t.c, &t.loader, "site.cfg"));
	g = policy_text_diag(&t, 0);
	assert_string_equal(g->code, "policy.too_large");
	assert_int_equal(g->at.file, 0);
	assert_in_range(g->at.line, 7, 16);
}

#define TABLE(rows) "name,plc,cms,label\n" rows
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Each possible mistake of a table is reported once, at its line in the table, with its cell. */
static void tables_have_their_mistakes_told(void **state)
{
	static const struct {
		const char *table, *code, *cell;
		uint32_t line, column;
		size_t errors;
	} cases[] = {
		{ "", "policy.csv", "A1", 1, 1, 3 },
		{ "name;plc;cms\nrtg1;10.30.1.1;\n", "policy.csv", "A1", 1, 1, 1 },
		{ "name\tplc\tcms\nrtg1\t10.30.1.1\t\n", "policy.csv", "A1", 1, 1, 1 },
		{ "Name,plc,cms\nrtg1,10.30.1.1,\n", "policy.csv", "A1", 1, 1, 1 },
		{ "name,plc,plc,cms\nrtg1,10.30.1.1,,\n", "policy.csv", "C1", 1, 10, 1 },
		{ "\xef\xbb\xbfname,plc,号,cms,cms\nrtg1,10.30.1.1,,\n", "policy.csv", "E1", 1, 16, 1 },
		{ "name,plc,cms\n", "policy.fleet", "A1", 1, 1, 1 },
		{ TABLE(",,\n \n"), "policy.fleet", "A1", 1, 1, 1 },
		{ TABLE("rtg1,10.30.1.1,\nrtg1,10.30.1.2,\n"), "policy.duplicate", "A3", 3, 1, 1 },
		{ TABLE("rtg1,10.30.1.1,\nrtg1,,10.30.1.2\n"), "policy.duplicate", "A3", 3, 1, 1 },
		{ TABLE("rtg1,10.30.1.x,\n"), "policy.address", "B2", 2, 6, 1 },
		{ TABLE("rtg1,09.30.1.411-,\n"), "policy.address", "B2", 2, 6, 1 },
		{ TABLE("\"rtg1\",10.30.1.1,\"10.30.1.2;10.30.1.x\"\n"), "policy.address", "C2", 2, 18, 1 },
		{ TABLE("rtg1,10.30.1.1 10.10.0.5,\n"), "policy.outside_zone", "B2", 2, 6, 1 },
		{ TABLE("rtg1,rest,\n"), "policy.address", "B2", 2, 6, 1 },
		{ TABLE("=rtg1,10.30.1.1,\n"), "policy.formula", "A2", 2, 1, 1 },
		{ TABLE("rtg1,+10.30.1.1,\n"), "policy.formula", "B2", 2, 6, 1 },
		{ TABLE("rtg1,10.30.1.1,,\"@A1\"\n"), "policy.formula", "D2", 2, 17, 1 },
		{ TABLE("rtg1,10.30.1.1,,　－1\n"), "policy.formula", "D2", 2, 17, 1 },
		{ TABLE("rtg1,10.30.1.1,,a\u202eb\n"), "policy.text", "D2", 2, 17, 1 },
		{ TABLE("rtg1,10.30.1.1,," LONG LONG LONG LONG LONG LONG LONG LONG "\n"), "policy.text", "D2", 2, 17,
		  1 },
		{ TABLE(",10.30.1.1,\n"), "policy.name", "A2", 2, 1, 1 },
		{ TABLE("1rtg,10.30.1.1,\n"), "policy.name", "A2", 2, 1, 1 },
		{ TABLE("RTG 1号機,10.30.1.1,\n"), "policy.name", "A2", 2, 1, 1 },
		{ TABLE(LONG ",10.30.1.1,\n"), "policy.name", "A2", 2, 1, 1 },
		{ TABLE("rtg1,\"10.30.1.1"), "policy.csv", "B2", 2, 6, 1 },
		{ TABLE("rtg1,10.3\"0.1.1,\n"), "policy.csv", "B2", 2, 10, 1 },
		{ TABLE("rtg1,\"10.30.1.1\"x,\n"), "policy.csv", "B2", 2, 17, 1 },
		{ TABLE("rtg1,\"10.30.1.1\n\",\n"), "policy.csv", "B2", 2, 16, 1 },
		{ TABLE("rtg1,10.30.1.1\rrtg2,10.30.1.2\r"), "policy.csv", "B2", 2, 15, 1 },
		{ TABLE("rtg1,10.30.1.1,\x01\n"), "policy.csv", "C2", 2, 16, 1 },
		{ TABLE("rtg1,10.30.1.1,,\xff\n"), "policy.encoding", "D2", 2, 17, 1 },
	};
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct memory_text texts[] = {
			{ "site.cfg",
			  HEAD ZONES SERVICES "fleets = { rtg = { from = \"t/rtg.csv\"; zone = \"crane\"; members = "
					      "[\"plc\", \"cms\"]; label = \"{}号機\"; }; };\n"
					      "conduits = ( " OF_EACH("a") " );\n" },
			{ "t/rtg.csv", cases[i].table },
		};
		char cell[CSV_CELL_TEXT] = "";
		const struct diag *g;
		bool ok;

		policy_text_begin(&t, texts, 2);
		ok = policy_check(&t.c, &t.loader, "site.cfg");
		g = policy_text_diag(&t, 0);
		if (g != NULL && g->at.file == 1)
			csv_cell_text(&t.c.sources[1], g->at, cell);
		if (ok || g == NULL || strcmp(g->code, cases[i].code) != 0 || strcmp(cell, cases[i].cell) != 0 ||
		    g->at.line != cases[i].line || g->at.column != cases[i].column ||
		    t.c.diags.errors != cases[i].errors) {
			fprintf(stderr, "table %zu:\n", i);
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
			wrong++;
		}
		policy_text_end(&t);
	}
	assert_int_equal(wrong, 0);
}

static void mistakes_are_told_once_and_where_they_are(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		bool ok = check2(m->text, m->box);
		const struct diag *g = policy_text_diag(&t, 0);

		if (ok || g == NULL || strcmp(g->code, m->code) != 0 || g->at.line != m->line ||
		    g->at.column != m->column || t.c.diags.errors != 1) {
			fprintf(stderr, "mistake %zu:\n", i);
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
			wrong++;
		}
		policy_text_end(&t);
	}
	assert_int_equal(wrong, 0);
}

/* Advice: the policy stands. */
static const struct mistake advices[] = {
	CASE(ZONES ASSETS SERVICES CONDUIT("when_down = \"hold\";"), "policy.hold_reset", 5, 145),
	CASE(ZONES ASSETS SERVICES CONDUIT("until = \"2026-06-15T20:59:59+09:00\";"), "policy.until_past", 5, 141),
	CASE(ZONES ASSETS SERVICES CONDUIT("until = \"2026-06-16\";"), "policy.until_utc", 5, 141),
	CASE(ZONES SERVICES
	     "organisations = { a = { zone = \"office\"; contract_until = \"2026-06-16\"; }; };\n" CONDUIT(""),
	     "policy.until_utc", 4, 59),
	CASE(ZONES SERVICES
	     "organisations = { a = { zone = \"office\"; contract_until = \"2026-06-14\"; }; };\n" CONDUIT(""),
	     "policy.contract_past", 4, 59),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"]; purpose = \"x\";"
	     " owner = \"x\"; review_by = \"2026-06-14\"; } );",
	     "policy.review_overdue", 5, 120),
	CASE("zones = { office = { interfaces = [\"lan0\"]; networks = [\"10.10.0.0/16\"]; review_by = \"2026-06-14\"; "
	     "}; };",
	     "policy.review_overdue", 2, 86),
	CASE(ZONES
	     "assets = { a = { zone = \"crane\"; addresses = [\"10.30.0.1\"]; support_until = \"2026-06-14\"; }; };",
	     "policy.support_past", 3, 77),
	CASE(ZONES ASSETS SERVICES
	     "conduits = ( { name = \"c\"; from = \"net6\"; to = \"crane\"; services = [\"web\"];" DUTIES " } );",
	     "policy.no_effect", 5, 14),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { commands = [\"program\"]; } ); }; };",
	     "policy.no_effect", 3, 51),
	CASE(ZONES
	     "services = { s = { protocol = \"modbus\"; allow = ( { commands = [\"read\"]; values = [1]; } ); }; };",
	     "policy.no_effect", 3, 74),
	CASE(ZONES "services = { s = { protocol = \"tcp\"; undecided_bytes = 9; }; };", "policy.no_effect", 3, 56),
	CASE(ZONES "services = { s = { protocol = \"modbus\"; allow = ( { commands = [\"read\"]; } ); undecided_bytes "
		   "= 9; }; };",
	     "policy.no_effect", 3, 97),
};

static void advice_leaves_a_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		const struct mistake *m = &advices[i];
		bool ok = check2(m->text, m->box);
		const struct diag *g = policy_text_diag(&t, 0);

		if (!ok || g == NULL || t.c.diags.warnings != 1 || strcmp(g->code, m->code) != 0 ||
		    g->at.line != m->line || g->at.column != m->column) {
			fprintf(stderr, "advice %zu:\n", i);
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
			fail();
		}
		policy_text_end(&t);
	}
	/* On the day of its date a review is not overdue yet, and a conduit is valid up to its last
	 * second. */
	assert_true(check2(HEAD ZONES ASSETS SERVICES
			   "conduits = ( { name = \"c\"; from = \"office\"; to = \"crane\"; services = [\"read\"];"
			   " purpose = \"x\"; owner = \"x\"; review_by = \"2026-06-15\";"
			   " until = \"2026-06-15T12:00:01Z\"; } );",
			   NULL));
	assert_int_equal(t.c.diags.warnings, 0);
}

static void times_are_read(void **state)
{
	static const char *const bad[] = { "",
					   "2027-1-1",
					   "2027-13-01T00:00:00Z",
					   "2027-04-31T00:00:00Z",
					   "2027-01-01T25:00:00Z",
					   "2027-01-01T24:00:01Z",
					   "2027-01-01T00:60:00Z",
					   "2027-01-01T00:00:00",
					   "2027-01-01T00:00:00+9:00",
					   "2027-01-01T00:00:00+09:00x",
					   "1970-01-01T00:00:00+09:00",
					   "1969-12-31T00:00:00Z" };
	uint64_t v, w;

	(void)state;
	assert_true(date_parse("1970-01-01", &v) && v == 0);
	assert_true(date_parse("2000-02-29", &v) && v == 951782400u);
	assert_false(date_parse("1900-02-29", &v));
	assert_false(date_parse("2027-03-31x", &v));
	assert_true(time_parse("2026-06-15T12:00:00Z", &v) && v == NOON_2026_06_15);
	assert_true(time_parse("2026-06-15T21:00:00+09:00", &w) && w == v);
	assert_true(time_parse("2026-06-15T07:00-05:00", &w) && w == v);
	assert_true(time_parse("2026-06-14T24:00:00Z", &w) && w == v - 43200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_parse(bad[i], &v));
}

/* ranges_minus and ranges_merge are compared with counting all values of one byte. */
static void range_lists_agree_with_counting(void **state)
{
	struct check k = { .a = arena_new(64u << 20) };
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	for (unsigned round = 0; round < 2000; round++) {
		struct ranges r[2] = { { 0 }, { 0 } }, minus = { 0 };
		bool in[2][64] = { { false } };

		for (unsigned i = 0; i < 2; i++) {
			for (unsigned n = (unsigned)rand() % 6; n > 0; n--) {
				unsigned lo = (unsigned)rand() % 64, hi = lo + (unsigned)rand() % (64 - lo);
				struct addr_range one = { { 4, { 10, 0, 0, (uint8_t)lo } },
							  { 4, { 10, 0, 0, (uint8_t)hi } } };

				ranges_add(&k, &r[i], &one);
				for (unsigned v = lo; v <= hi; v++)
					in[i][v] = true;
			}
			ranges_merge(&r[i]);
		}
		assert_true(ranges_minus(&k, &r[0], &r[1], &minus));
		for (unsigned v = 0; v < 64; v++) {
			struct addr a = { 4, { 10, 0, 0, (uint8_t)v } };
			struct addr_range one = { a, a };

			assert_int_equal(ranges_hold(r[0].list, r[0].n, &one), in[0][v]);
			assert_int_equal(ranges_hold(minus.list, minus.n, &one), in[0][v] && !in[1][v]);
		}
	}
	arena_free(k.a);
}

/* A site with ten thousand assets and conduits is checked in well under a second. The time limit
 * leaves room for sanitizers and busy machines, but not for quadratic time. */
static void large_policies_are_quick(void **state)
{
	enum { N = 10000 };
	char *text = malloc(N * 320 + 4096), *p = text;
	clock_t start;

	(void)state;
	assert_non_null(text);
	p += sprintf(p, HEAD ZONES SERVICES "assets = {\n");
	for (unsigned i = 0; i < N; i++)
		p += sprintf(p, " a%u = { zone = \"office\"; addresses = [\"10.10.%u.%u\"]; };\n", i, i / 250, i % 250);
	p += sprintf(p, "};\nconduits = (\n");
	for (unsigned i = 0; i < N; i++)
		p += sprintf(p,
			     "%s { name = \"c%u\"; from = \"office\"; to = \"crane\"; sources = [\"a%u\"];"
			     " destinations = [\"10.30.%u.%u\"]; services = [\"read\", \"web\"];" DUTIES " }\n",
			     i == 0 ? "" : ",", i, N - 1 - i, i % 4, i / 4 % 256);
	sprintf(p, ");\n");
	start = clock();
	assert_int_equal(model_of(text)->n_conduits, N);
	assert_true(clock() - start < 6 * CLOCKS_PER_SEC);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(zones_assets_and_self, end),
		cmocka_unit_test_teardown(rest_is_unicast_without_the_others, end),
		cmocka_unit_test_teardown(rest_is_without_the_admin_network, end),
		cmocka_unit_test_teardown(conduit_defaults, end),
		cmocka_unit_test_teardown(observing_never_stops_traffic_by_itself, end),
		cmocka_unit_test_teardown(conduit_settings, end),
		cmocka_unit_test_teardown(ports_and_transports, end),
		cmocka_unit_test_teardown(rows_become_sets_of_codes, end),
		cmocka_unit_test_teardown(nevers_and_breaks, end),
		cmocka_unit_test_teardown(box_facts, end),
		cmocka_unit_test(mistakes_are_told_once_and_where_they_are),
		cmocka_unit_test_teardown(groups_are_written_out, end),
		cmocka_unit_test_teardown(fleets_are_large, end),
		cmocka_unit_test(tables_have_their_mistakes_told),
		cmocka_unit_test_teardown(advice_leaves_a_model, end),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(range_lists_agree_with_counting),
		cmocka_unit_test_teardown(large_policies_are_quick, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
