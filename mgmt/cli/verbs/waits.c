/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs/waits.h"

#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/render.h"

#define ANSWER_S 3u /* seconds; a hint is not worth a longer wait */

static json_t *ending(const struct ir *ir)
{
	uint64_t now = clock_wall_ns() / 1000000000u;
	json_t *names = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].until > now)
			json_array_append_new(names, json_text(ir->conduits[i].name));
	return names;
}

/* Whether the box would still wait with this text in force. If the clock waits for a time source
 * and the text names none, the wait ends when the text is in force. */
static bool goes_with(const struct ir *ir, const json_t *clock)
{
	return ir_time_sources(ir) || strcmp(js(clock, "waits"), "source") != 0;
}

/* The clock of the box; NULL without a message if the box is absent, not accessible, older, or
 * busy, because the check of a text does not need a box. */
static json_t *of_the_box(struct cli *c)
{
	struct cli silent = *c;
	struct box_answer answer;
	json_t *clock = NULL;
	int status;

	if (access(c->socket, W_OK) != 0 || box_absent(c))
		return NULL;
	silent.out = silent.err = fopen("/dev/null", "we");
	if (silent.out == NULL)
		return NULL;
	if (box_request(&silent, &(struct msg_body){ .type = MSG_STATUS }, NULL, 0, ANSWER_S, &answer, &status)) {
		clock = json_incref(json_object_get(answer.json, "clock"));
		box_answer_free(&answer);
	}
	fclose(silent.out);
	return clock;
}

json_t *waits_here(struct cli *c, const struct ir *ir)
{
	json_t *names = ending(ir), *clock = json_array_size(names) > 0 ? of_the_box(c) : NULL, *ret = NULL;

	if (json_is_false(json_object_get(clock, "trusted")) && goes_with(ir, clock))
		ret = json_pack("{s:b, s:O, s:O, s:O}", "trusted", 0, "waits", json_object_get(clock, "waits"),
				"latest", json_object_get(clock, "latest"), "waiting", names);
	json_decref(clock);
	json_decref(names);
	return ret;
}
