/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/answers.h"

#include <sys/utsname.h>

#include "appliance/base/clock.h"
#include "appliance/base/version.h"
#include "mgmt/state/read.h"

json_t *facts_new(void)
{
	struct utsname host = { 0 };

	(void)uname(&host);
	return json_pack("{s:s,s:i,s:s,s:o,s:o,s:{}}", "product", FACTS_PRODUCT, "form", FACTS_FORM, "version",
			 SEKISHO_VERSION, "host", json_text(host.nodename), "made", json_time(clock_wall_ns()),
			 "answers");
}

void facts_put(json_t *facts, const char *name, json_t *answer, const char *why)
{
	json_t *taken = json_time(clock_wall_ns());

	(void)json_object_set_new(json_object_get(facts, "answers"), name,
				  answer != NULL ? json_pack("{s:o,s:o}", "taken", taken, "answer", answer)
						 : json_pack("{s:o,s:o}", "taken", taken, "why", json_text(why)));
}

static const json_t *named(const json_t *facts, const char *name)
{
	return json_object_get(json_object_get(facts, "answers"), name);
}

const json_t *facts_answer(const json_t *facts, const char *name)
{
	const json_t *a = json_object_get(named(facts, name), "answer");

	return json_is_object(a) ? a : NULL;
}

const char *facts_taken(const json_t *facts, const char *name)
{
	return js(named(facts, name), "taken");
}

const char *facts_why(const json_t *facts, const char *name)
{
	return js(named(facts, name), "why");
}
