/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/given_back.h"

#include <string.h>

#include "mgmt/cli/words/render.h"

static void one(struct cli *c, const json_t *report)
{
	const json_t *lost = ja(report, "lost"), *expired = ja(report, "expired");
	const char *now = js(report, "now");

	if (*now != '\0' && jb(report, "was_here"))
		render_line(c, M_RELEASE_WAS_HERE, now);
	else if (*now != '\0')
		render_line(c, M_RELEASE_DONE, now, ju(report, "facts"));
	for (size_t i = 0; i < json_array_size(expired); i++)
		render_line(c, M_RELEASE_EXPIRED, json_string_value(json_array_get(expired, i)));
	for (size_t i = 0; i < json_array_size(lost); i++)
		render_line(c, M_RELEASE_LOST, js(json_array_get(lost, i), lang_name(c->lang)));
}

void given_back_print(struct cli *c, const json_t *reports)
{
	for (size_t i = 0; i < json_array_size(reports); i++)
		one(c, json_array_get(reports, i));
}
