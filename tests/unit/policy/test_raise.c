/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The difference to a policy is the same whether that policy is read from its texts or from its
 * sealed bytes, for every key that has an effect.
 *
 * LINK: $(POLICY_SRC) $(BASE_SRC) $(WIRE_SRC)
 * LIBS: libconfig nettle jansson
 */
#include "policy/ir/seal.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/wire/hours.h"
#include "policy/render/render.h"
#include "tests/unit/policy/policy_text.h"

#define NOW 1900000000u /* 2030-03-17 */

static const char site[] =
	"language_version = 1;\n"
	"site = { name = \"kita\"; time_zone = \"Asia/Tokyo\"; };\n"
	"zones = {\n"
	"  office = { interfaces = [\"lan0\"]; networks = [\"10.10.0.0/16\", \"2001:db8:1::/64\"]; class = \"it\"; };\n"
	"  vendor = { interfaces = [\"lan1\"]; networks = [\"10.40.0.0/24\"]; class = \"external\"; };\n"
	"  crane  = { interfaces = [\"lan2\", \"lan3\"]; networks = [\"10.30.0.0/22\", \"2001:db8:2::/64\"];\n"
	"             class = \"ot\"; };\n"
	"};\n"
	"assets = { rtg07 = { zone = \"crane\"; addresses = [\"10.30.1.17\"]; }; };\n"
	"services = {\n"
	"  plc = { protocol = \"modbus\"; ports = [\"tcp/502\"]; lenient = [\"unit\"]; undecided_bytes = 100;\n"
	"    allow = ( { commands = [\"read\"]; units = [1]; holding = [\"0-99\"]; },\n"
	"              { commands = [\"write\"]; holding = [\"400\"]; values = [\"0-7\"]; } ); };\n"
	"  web = { protocol = \"tls\"; ports = [\"tcp/443\"]; };\n"
	"  ping = { protocol = \"icmp\"; };\n"
	"};\n"
	"windows = { days = { days = [\"mon\", \"tue\"]; hours = \"08:00-18:00\"; }; };\n"
	"doors = { upkeep = { at_most = \"4 h\"; opened_by = [\"supervisor\"]; needs = [\"name\"]; }; };\n"
	"conduits = (\n"
	"  { name = \"sets\"; from = \"office\"; to = \"crane\"; services = [\"plc\"]; sources = [\"10.10.0.0/24\"];\n"
	"    when_down = \"closed\"; when_overloaded = \"hold\"; when_midstream = \"reset\"; criticality = \"cargo\";\n"
	"    on_tighten = \"new_flows\"; idle = \"1 h\"; session = \"9 h\"; purpose = \"p\"; owner = \"o\";\n"
	"    review_by = \"2190-01-01\"; },\n"
	"  { name = \"pages\"; from = \"crane\"; to = \"office\"; services = [\"web\"]; weak_tls = \"deny\";\n"
	"    names = [\"a.example\", \"b.example\"]; until = \"2189-12-01T09:00:00Z\"; purpose = \"p\"; owner = "
	"\"o\";\n"
	"    review_by = \"2190-01-01\"; },\n"
	"  { name = \"upkeep\"; from = \"vendor\"; to = \"crane\"; destinations = [\"rtg07\"]; services = [\"plc\"];\n"
	"    within = \"days\"; door = \"upkeep\"; purpose = \"p\"; owner = \"o\"; review_by = \"2190-01-01\"; },\n"
	"  { name = \"watched\"; from = \"vendor\"; to = \"office\"; services = [\"plc\", \"ping\"]; mode = "
	"\"observe\";\n"
	"    purpose = \"p\"; owner = \"o\"; review_by = \"2190-01-01\"; }\n"
	");\n";

/* A text and its replacement, and whether traffic then passes or is handled differently. */
static const struct {
	const char *from, *to;
	bool differs;
} edits[] = {
	{ "\"kita\"", "\"minami\"", false },
	{ "10.10.0.0/16", "10.10.0.0/17", true },
	{ "[\"lan2\", \"lan3\"]", "[\"lan2\"]", true },
	{ "[\"lan2\", \"lan3\"]", "[\"lan3\", \"lan2\"]", false },
	{ "[\"10.30.1.17\"]", "[\"10.30.1.18\"]", true },
	{ "[\"tcp/502\"]", "[\"tcp/503\"]", true },
	{ "[\"unit\"]", "[\"unit\", \"padding\"]", true },
	{ "undecided_bytes = 100", "undecided_bytes = 0", true },
	{ "units = [1]", "units = [1, 2]", true },
	{ "[\"0-99\"]", "[\"0-98\"]", true },
	{ "[\"0-99\"]", "[\"0-50\", \"51-99\"]", false },
	{ "[\"0-7\"]", "[\"0-8\"]", true },
	{ "[\"400\"]", "[\"400-401\"]", true },
	{ "\"icmp\"", "\"icmp\"; ports = [\"icmp/8\"]", true },
	{ "[\"mon\", \"tue\"]", "[\"mon\"]", true },
	{ "Asia/Tokyo", "Asia/Singapore", true },
	{ "[\"10.10.0.0/24\"]", "[\"10.10.0.0/25\"]", true },
	{ "when_down = \"closed\"", "when_down = \"hold\"", true },
	{ "when_overloaded = \"hold\"", "when_overloaded = \"closed\"", true },
	{ "when_midstream = \"reset\"", "when_midstream = \"drop\"", true },
	{ "\"cargo\"", "\"safety\"", true },
	{ "on_tighten = \"new_flows\"", "on_tighten = \"all\"", true },
	{ "idle = \"1 h\"", "idle = \"2 h\"", true },
	{ "session = \"9 h\"", "session = \"8 h\"", true },
	{ "weak_tls = \"deny\"", "weak_tls = \"report\"", true },
	{ "\"b.example\"", "\"c.example\"", true },
	{ "[\"a.example\", \"b.example\"]", "[\"b.example\", \"a.example\"]", false },
	{ "2189-12-01", "2189-12-02", true },
	{ "2189-12-01T09:00:00Z", "2029-12-01T09:00:00Z", true },
	{ "within = \"days\"; ", "", true },
	{ "door = \"upkeep\"; ", "", true },
	{ "mode = \"observe\";", "", true },
	{ "mode = \"observe\";", "mode = \"observe\"; shadow = true;", true },
	{ "name = \"sets\"", "name = \"writes\"", false },
};

/* The text with one replacement. Ends the test if the text to replace is missing. */
static char *edited(const char *from, const char *to)
{
	const char *at = strstr(site, from);
	size_t size = sizeof(site) + strlen(to);
	char *text = malloc(size);

	assert_non_null(at);
	assert_non_null(text);
	snprintf(text, size, "%.*s%s%s", (int)(at - site), site, to, at + strlen(from));
	return text;
}

static void compiled(struct policy_text *t, const struct memory_text *text)
{
	policy_text_begin(t, text, 1);
	if (!policy_check(&t->c, &t->loader, text->name) || !policy_lower_unproved(&t->c)) {
		const struct diag *d = policy_text_diag(t, 0);

		fail_msg("%u: %s", d->at.line, d->text[LANG_EN]);
	}
}

static json_t *means(const struct compilation *before, const struct compilation *after)
{
	json_t *j = means_json(before, after, NOW);

	assert_non_null(j);
	return j;
}

/* Writes a time zone by its rule: a sealed policy has no name that was written. */
static char *by_rule(const json_t *j)
{
	char *text = json_dumps(j, JSON_SORT_KEYS);

	assert_non_null(text);
	for (char *at = text; (at = strstr(at, "Asia/Tokyo")) != NULL;) {
		memmove(at + 5, at + 10, strlen(at + 10) + 1);
		memcpy(at, "JST-9", 5);
	}
	return text;
}

static bool alike(const json_t *by_text, const json_t *by_seal)
{
	char *a = by_rule(by_text), *b = by_rule(by_seal);
	bool same = strcmp(a, b) == 0;

	free(a);
	free(b);
	return same;
}

static void every_key(void **state)
{
	static const struct memory_text text = { "site.cfg", site };
	struct compilation raised = { .arena = arena_new(COMPILE_BUDGET) };
	struct policy_text old;
	uint8_t *sealed;
	struct err e;
	size_t n;

	(void)state;
	compiled(&old, &text);
	assert_int_equal(ir_seal(old.c.ir, &sealed, &n, &e), 0);
	assert_int_equal(policy_raise(&raised, bytes_of(sealed, n), &e), 0);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *other = edited(edits[i].from, edits[i].to);
		const struct memory_text changed = { "site.cfg", other };
		json_t *by_text, *by_seal;
		struct policy_text new;

		compiled(&new, &changed);
		by_text = means(&old.c, &new.c);
		by_seal = means(&raised, &new.c);
		if (!alike(by_text, by_seal) || (json_array_size(by_text) > 0) != edits[i].differs)
			fail_msg("%s to %s:\n%s\n%s", edits[i].from, edits[i].to, json_dumps(by_text, 0),
				 json_dumps(by_seal, 0));
		json_decref(by_text);
		json_decref(by_seal);
		policy_text_end(&new);
		free(other);
	}
	free(sealed);
	arena_free(raised.arena);
	policy_text_end(&old);
}

/* Whoever reads a sealed policy reads times in the site's time zone. */
static void its_time_zone(void **state)
{
	static const struct memory_text text = { "site.cfg", site };
	struct compilation raised = { .arena = arena_new(COMPILE_BUDGET) };
	char moment[MOMENT_FOR_PEOPLE];
	struct policy_text t;
	uint8_t *sealed;
	struct err e;
	size_t n;

	(void)state;
	compiled(&t, &text);
	assert_int_equal(ir_seal(t.c.ir, &sealed, &n, &e), 0);
	people_zone("UTC0");
	assert_int_equal(policy_raise(&raised, bytes_of(sealed, n), &e), 0);
	minute_text(NOW, moment);
	assert_string_equal(moment, "2030-03-18 02:46:40 JST");
	free(sealed);
	arena_free(raised.arena);
	policy_text_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_key), cmocka_unit_test(its_time_zone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
