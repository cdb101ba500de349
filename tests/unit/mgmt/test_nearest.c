/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which conduit is nearest to traffic that no conduit covers, and what is missing in it.
 * LINK: appliance/wire/attack.c appliance/wire/tls.c mgmt/words/nearest.c mgmt/state/journal.c
 * LINK: mgmt/words/event.c
 * LINK: appliance/wire/settings.c appliance/wire/vocabulary*.c dpi/%/words.c
 * LINK: appliance/wire/protocols.c appliance/wire/notation.c appliance/wire/tag.c
 * LINK: mgmt/words/command.c mgmt/state/read.c
 * LINK: appliance/wire/hours.c
 * LINK: appliance/wire/event_words.c appliance/wire/reason.c $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/words/nearest.h"

#define CELL(source, destination, protocol, ports, conduit)                                                            \
	"{\"source\":\"" source "\",\"destination\":\"" destination "\",\"protocol\":\"" protocol                      \
	"\",\"ports\":\"" ports "\",\"conduits\":[\"" conduit "\"]}"
#define CONDUIT(name, from, to, line)                                                                                  \
	"{\"name\":\"" name "\",\"from\":\"" from "\",\"to\":\"" to "\",\"file\":\"site.cfg\",\"line\":" line "}"

static const char effective[] = "{\"cells\":[" CELL("10.20.0.10-10.20.0.12", "10.30.1.0/24", "tcp", "502", "reads") "," CELL(
	"10.20.0.0/24", "10.30.1.10", "udp", "1000-2000",
	"logs") "," CELL("10.10.0.0/16", "10.20.0.0/24", "icmp", "type 8",
			 "ping") "," CELL("2001:db8:20::/64", "2001:db8:30::10", "tcp", "502",
					  "reads6") "],\"conduits\":[" CONDUIT("reads", "tos", "crane",
									       "17") "," CONDUIT("logs", "tos", "crane",
												 "25") "," CONDUIT("pin"
														   "g",
														   "off"
														   "ic"
														   "e",
														   "to"
														   "s",
														   "31") "," CONDUIT("reads6",
																     "tos6",
																     "crane6",
																     "40") "]}";

static json_t *event(const char *from, const char *client, const char *to, const char *server, const char *transport)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "reason", "no_conduit", "client_zone", from, "client", client,
			 "server_zone", to, "server", server, "transport", transport);
}

static void told(json_t *e, const char *en, const char *ja)
{
	json_t *rules = json_loads(effective, 0, NULL);
	char *text;

	assert_non_null(rules);
	assert_true(nearest_fits(e));
	text = nearest_sentence(e, rules, LANG_EN);
	assert_string_equal(text, en);
	free(text);
	text = nearest_sentence(e, rules, LANG_JA);
	assert_string_equal(text, ja);
	free(text);
	json_decref(rules);
	json_decref(e);
}

static void what_is_lacking(void **state)
{
	(void)state;
	told(event("tos", "10.20.0.9:40000", "crane", "10.30.1.13:502", "tcp"),
	     "In the policy that is in force now, the nearest conduit is reads (site.cfg:17), which does not have "
	     "10.20.0.9 "
	     "as client.",
	     "現在有効なポリシーで最も近いのはコンジット reads（site.cfg:17）ですが、次のものを含んでいません: "
	     "クライアント 10.20.0.9。");
	told(event("tos", "10.20.0.12:40000", "crane", "10.30.2.13:502", "tcp"),
	     "In the policy that is in force now, the nearest conduit is reads (site.cfg:17), which does not have "
	     "10.30.2.13 as server.",
	     "現在有効なポリシーで最も近いのはコンジット reads（site.cfg:17）ですが、次のものを含んでいません: "
	     "サーバー 10.30.2.13。");
	told(event("tos", "10.20.0.12:40000", "crane", "10.30.1.13:503", "tcp"),
	     "In the policy that is in force now, the nearest conduit is reads (site.cfg:17), which does not have "
	     "tcp/503.",
	     "現在有効なポリシーで最も近いのはコンジット reads（site.cfg:17）ですが、次のものを含んでいません: "
	     "tcp/503。");
	/* The second conduit covers more of the traffic. */
	told(event("tos", "10.20.0.9:40000", "crane", "10.30.1.10:2001", "udp"),
	     "In the policy that is in force now, the nearest conduit is logs (site.cfg:25), which does not have "
	     "udp/2001.",
	     "現在有効なポリシーで最も近いのはコンジット logs（site.cfg:25）ですが、次のものを含んでいません: "
	     "udp/2001。");
	told(event("tos", "10.20.1.9:40000", "crane", "10.30.2.13:4", "tcp"),
	     "In the policy that is in force now, the nearest conduit is reads (site.cfg:17), which does not have "
	     "10.20.1.9 "
	     "as client, 10.30.2.13 as server, tcp/4.",
	     "現在有効なポリシーで最も近いのはコンジット reads（site.cfg:17）ですが、次のものを含んでいません: "
	     "クライアント 10.20.1.9、サーバー 10.30.2.13、tcp/4。");
	told(event("tos6", "[2001:db8:20::5]:40000", "crane6", "[2001:db8:30::11]:502", "tcp"),
	     "In the policy that is in force now, the nearest conduit is reads6 (site.cfg:40), which does not have "
	     "2001:db8:30::11 as server.",
	     "現在有効なポリシーで最も近いのはコンジット reads6（site.cfg:40）ですが、次のものを含んでいません: "
	     "サーバー 2001:db8:30::11。");
}

static void pings(void **state)
{
	json_t *e = event("office", "10.11.0.1:0", "tos", "10.20.0.10:0", "icmp");

	(void)state;
	json_object_set_new(e, "icmp_type", json_integer(8));
	json_object_set_new(e, "icmp_code", json_integer(3));
	told(e,
	     "In the policy that is in force now, the nearest conduit is ping (site.cfg:31), which does not have "
	     "10.11.0.1 "
	     "as client.",
	     "現在有効なポリシーで最も近いのはコンジット ping（site.cfg:31）ですが、次のものを含んでいません: "
	     "クライアント 10.11.0.1。");
	e = event("office", "10.10.0.1:0", "tos", "10.20.0.10:0", "icmp");
	json_object_set_new(e, "icmp_type", json_integer(80));
	json_object_set_new(e, "icmp_code", json_integer(0));
	told(e,
	     "In the policy that is in force now, the nearest conduit is ping (site.cfg:31), which does not have "
	     "icmp/80.",
	     "現在有効なポリシーで最も近いのはコンジット ping（site.cfg:31）ですが、次のものを含んでいません: "
	     "icmp/80。");
}

static void nothing_leads_there(void **state)
{
	(void)state;
	told(event("crane", "10.30.1.10:1", "tos", "10.20.0.10:502", "tcp"),
	     "No conduit of the policy that is in force now leads from zone crane to zone tos.",
	     "現在有効なポリシーには、ゾーン crane から tos へのコンジットがありません。");
}

static void allowed_meanwhile(void **state)
{
	(void)state;
	told(event("tos", "10.20.0.10:1", "crane", "10.30.1.255:502", "tcp"),
	     "The policy that is in force now allows this traffic, by conduit reads (site.cfg:17).",
	     "現在有効なポリシーでは、コンジット reads（site.cfg:17）により許可されます。");
}

static void not_asked(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = { { "reason", "modbus.value" }, { "client_zone", "" },
		      { "server_zone", "" },	    { "client", "" },
		      { "server", "nonsense:1" },   { "client", "[2001:db8::1" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *e = event("tos", "10.20.0.9:1", "crane", "10.30.1.10:502", "tcp");

		json_object_set_new(e, cases[i].key, json_string(cases[i].value));
		assert_false(nearest_fits(e));
		json_decref(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lacking),   cmocka_unit_test(pings),	  cmocka_unit_test(nothing_leads_there),
		cmocka_unit_test(allowed_meanwhile), cmocka_unit_test(not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
