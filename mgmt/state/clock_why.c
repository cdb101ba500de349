/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/clock_why.h"

#include <stdio.h>
#include <string.h>

const char *clock_why(const json_t *clock, enum lang l, char out[CLOCK_WHY])
{
	static const struct {
		const char *word;
		enum message text;
	} why[] = {
		{ "earlier", M_CLOCK_WHY_EARLIER }, { "source", M_CLOCK_WHY_SOURCE },
		{ "battery", M_CLOCK_WHY_BATTERY }, { "record", M_CLOCK_WHY_RECORD },
		{ "daemon", M_CLOCK_WHY_DAEMON },
	};
	char latest[RENDER_TEXT];

	render_time(js(clock, "latest"), latest);
	snprintf(out, CLOCK_WHY, "%s", js(clock, "waits"));
	for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++)
		if (strcmp(js(clock, "waits"), why[i].word) == 0)
			message_text(out, CLOCK_WHY, l, why[i].text, *latest != '\0' ? latest : "-");
	return out;
}
