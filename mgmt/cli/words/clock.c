/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include "mgmt/state/faults.h"

void clock_print(struct cli *c, const json_t *clock)
{
	const json_t *waiting = ja(clock, "waiting");
	char text[RENDER_TEXT], why[CLOCK_WHY];

	if (jb(clock, "trusted"))
		render_line(c, M_CLOCK_IS_TRUSTED);
	else
		render_line(c, M_CLOCK_IS_NOT, clock_why(clock, c->lang, why));
	render_time(js(clock, "time"), text);
	render_line(c, M_CLOCK_NOW, text);
	render_time(js(clock, "latest"), text);
	render_line(c, M_CLOCK_LATEST, *text != '\0' ? text : "-");
	render_time(js(clock, "since"), text);
	if (jb(clock, "synchronised"))
		render_line(c, *text != '\0' ? M_CLOCK_FOLLOWS_SINCE : M_CLOCK_FOLLOWS, text);
	else if (jb(clock, "sources"))
		render_line(c, *text != '\0' ? M_CLOCK_FOLLOWS_NOT_SINCE : M_CLOCK_FOLLOWS_NOT, text);
	else
		render_line(c, M_CLOCK_HAS_NONE);
	for (size_t i = 0; i < json_array_size(waiting); i++)
		render_line(c, M_CLOCK_WAITING, json_string_value(json_array_get(waiting, i)));
}

void clock_line(struct cli *c, const json_t *clock)
{
	char since[RENDER_TEXT];

	render_time(js(clock, "since"), since);
	if (*since != '\0' && (jb(clock, "synchronised") || jb(clock, "sources")))
		render_line(c, jb(clock, "synchronised") ? M_STATUS_CLOCK_FOLLOWS : M_STATUS_CLOCK_NONE, since);
}

void hours_lines(struct cli *c, const json_t *windows)
{
	char until[RENDER_TEXT];

	json_each(one, windows) {
		render_time(js(one, "until"), until);
		if (jb(one, "open"))
			render_line(c, M_STATUS_HOURS, *js(one, "label") != '\0' ? js(one, "label") : js(one, "window"),
				    until);
	}
}

void clock_waits_print(struct cli *c, const json_t *clock)
{
	const json_t *list = ja(clock, "waiting");
	char why[CLOCK_WHY];

	if (json_array_size(list) == 0)
		return;
	render_line(c, M_CLOCK_WOULD_WAIT, clock_why(clock, c->lang, why));
	for (size_t i = 0; i < json_array_size(list); i++)
		render_line(c, M_CLOCK_WOULD_WAIT_ONE, json_string_value(json_array_get(list, i)));
}
