/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a display is sent: the same state without persons' names and words.
 *
 * LINK: mgmt/web/api/nameless.c
 * LIBS: jansson
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#include "mgmt/web/api/nameless.h"

static void sends(const char *state, const char *expected)
{
	char *text = state_nameless(state);

	if (expected == NULL)
		assert_null(text);
	else
		assert_string_equal(text, expected);
	free(text);
}

static void names_go(void **state)
{
	(void)state;
	sends("{\"isolations\":[{\"what\":\"zone "
	      "ot\",\"by\":\"suzuki\",\"reason\":\"drill\"}],\"en\":{\"sentence\":\"ISOLATED "
	      "by suzuki: drill\"}}",
	      "{\"isolations\":[{\"what\":\"zone ot\",\"by\":\"\",\"reason\":\"\"}],\"en\":{\"sentence\":\"ISOLATED by "
	      "...: "
	      "...\"}}");
	sends("{\"draft\":{\"authors\":[\"mori\",\"kato\"],\"decided_by\":\"ueda\"},\"ja\":"
	      "\"moriとkatoの下書きをuedaが承認\"}",
	      "{\"draft\":{\"authors\":[\"\",\"\"],\"decided_by\":\"\"},\"ja\":\"...と...の下書きを...が承認\"}");
	/* the longer of two names; names only as words of their own; Japanese has no spaces */
	sends("{\"by\":\"ota\",\"person\":\"ota jun\",\"account\":\"田中\",\"text\":\"ota jun, ota, total, iota, "
	      "田中様\"}",
	      "{\"by\":\"\",\"person\":\"\",\"account\":\"\",\"text\":\"..., ..., total, iota, ...様\"}");
}

static void the_rest_stays(void **state)
{
	(void)state;
	/* roles are no names, and a reason without a person is the box's */
	sends("{\"opened_by\":[\"supervisor\"],\"changed_by\":null,\"refused\":[{\"reason\":\"no_conduit\",\"n\":3}],"
	      "\"by\":\"\"}",
	      "{\"opened_by\":[\"supervisor\"],\"changed_by\":null,\"refused\":[{\"reason\":\"no_conduit\",\"n\":3}],"
	      "\"by\":\"\"}");
	sends("[]", NULL);
	sends("{", NULL);
	sends("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go),
		cmocka_unit_test(the_rest_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
