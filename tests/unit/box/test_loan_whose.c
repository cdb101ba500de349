/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pictures are of another card with the same name: by the permanent hardware address, or by
 * the present one if there is no permanent one and nothing else could have set it.
 *
 * LINK: appliance/box/loan_whose.c appliance/base/err.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include "appliance/box/loan.h"

static json_t *picture(const char *kind, const char *own, const char *mac, const char *master)
{
	json_t *link = json_pack("{s:s, s:s, s:o}", "kind", kind, "mac", mac, "master",
				 *master != '\0' ? json_string(master) : json_null());

	if (*own != '\0')
		json_object_set_new(link, "own", json_string(own));
	return json_pack("{s:[o]}", "links", link);
}

static void whose(void **state)
{
	static const struct {
		const char *kind, *own[2], *mac[2], *master;
		bool another;
	} rows[] = {
		{ "", { "aa", "aa" }, { "aa", "bb" }, "", false }, /* somebody set "bb" */
		/* the same address was set on both */
		{ "", { "aa", "bb" }, { "cc", "cc" }, "", true },
		/* an earlier release stored no own address */
		{ "", { "", "bb" }, { "aa", "bb" }, "", false },
		{ "", { "", "" }, { "aa", "bb" }, "", true },
		{ "", { "", "" }, { "aa", "aa" }, "", false },
		{ "veth", { "", "" }, { "aa", "bb" }, "", true },
		{ "veth", { "", "" }, { "aa", "bb" }, "bond0", false }, /* the bond's address */
		/* a random address at each start */
		{ "bond", { "", "" }, { "aa", "bb" }, "", false },
		{ "", { "", "" }, { "", "bb" }, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *a = picture(rows[i].kind, rows[i].own[0], rows[i].mac[0], rows[i].master);
		json_t *b = picture(rows[i].kind, rows[i].own[1], rows[i].mac[1], "");

		assert_int_equal(loan_another(a, b), rows[i].another);
		json_decref(a);
		json_decref(b);
	}
	assert_false(loan_another(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whose) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
