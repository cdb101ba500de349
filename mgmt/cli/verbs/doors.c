/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho open`, `sekisho shut`, `sekisho doors`: a person opens what the policy has prepared
 * behind a door, for a stated time. */
#include <string.h>

#include "appliance/base/duration.h"
#include "appliance/base/utf8.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/settings.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

/* What the second person would agree to, and how. */
static void print_request(struct cli *c, const json_t *door)
{
	const json_t *asked = ja(door, "asked");
	char span[DURATION_TEXT], until[RENDER_TEXT], names[512] = "";
	size_t n = 0;

	json_each_at(i, conduit, ja(door, "conduits"))
		if (n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "",
					      js(conduit, "conduit"));
	(void)duration_text(ju(asked, "for_s"), span);
	render_time(js(asked, "until"), until);
	message_print(c->out, c->lang, M_DOOR_ASKS, js(door, "door"), js(asked, "by"), span, js(asked, "person"),
		      js(asked, "ticket"), js(asked, "reason"), names, until, js(door, "door"), js(asked, "request"));
}

static const struct answer_row listed[] = {
#define ROWS_DOORS
#include "mgmt/cli/verbs/answers.def"
};

static void doors_print(struct cli *c, const json_t *doors)
{
	json_t *list = json_array(), *answer = json_pack("{s:o}", "doors", list);

	json_each(d, doors) {
		json_each(u, ja(d, "uses")) {
			json_t *row = json_copy(u);

			(void)json_object_set(row, "door", json_object_get(d, "door"));
			(void)json_array_append_new(list, row);
		}
		if (json_array_size(ja(d, "uses")) == 0)
			(void)json_array_append_new(list, json_pack("{s:O*, s:O*}", "door", json_object_get(d, "door"),
								    "asked", json_object_get(d, "asked")));
	}
	answer_print(c, listed, answer);
	json_decref(answer);
	if (json_array_size(doors) == 0)
		message_print(c->out, c->lang, M_DOOR_NONE);
	json_each(d, doors)
		if (json_is_object(ja(d, "asked")))
			print_request(c, d);
}

/* False: too long, or not one line of text. */
static bool put(uint8_t *to, size_t room, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n >= room || (n > 0 && !utf8_is_plain(bytes_of((const uint8_t *)text, n))))
		return false;
	memcpy(to, text != NULL ? text : "", n);
	return true;
}

static int ordered_print(struct cli *c, const json_t *answer, int status)
{
	if (!jb(answer, "done"))
		return status;
	if (jb(answer, "waits"))
		render_line(c, M_DOOR_WAITS);
	if (json_is_false(json_object_get(answer, "saved")))
		render_line(c, M_ISOLATE_UNSAVED);
	doors_print(c, ja(answer, "doors"));
	return status;
}

static int ordered(struct cli *c, uint8_t what, const char *door, const char *reason, struct msg_change o)
{
	int status = CLI_INVALID;
	struct msg_body m;

	o.order = what;
	o.comment = reason != NULL ? reason : "";
	if (!put(o.object, sizeof(o.object), door) || door[0] == '\0')
		return cli_fail(c, CLI_INVALID, M_DOOR_TEXT_BAD, door);
	if (!apply_comment_good(c, o.comment, &status))
		return status;
	m = box_change(&o);
	return box_tell(c, &m, ordered_print);
}

int verb_open(struct cli *c, const struct cli_args *a)
{
	const char *time = a->values[OPT_OPEN_FOR];
	struct msg_change o = { 0 };
	uint64_t span = 0;

	if ((time == NULL) != (a->values[OPT_OPEN_AGREE] != NULL))
		return cli_fail(c, CLI_INVALID, M_DOOR_HOW);
	if (time != NULL && (!duration_parse(time, CONFIRM_MOST, &span) || span == 0))
		return cli_fail(c, CLI_INVALID, M_DOOR_SPAN, time);
	o.confirm_s = (uint32_t)span;
	if (!put(o.request, sizeof(o.request), a->values[OPT_OPEN_AGREE]))
		return cli_fail(c, CLI_INVALID, M_DOOR_TEXT_BAD, a->values[OPT_OPEN_AGREE]);
	if (!put(o.person, sizeof(o.person), a->values[OPT_OPEN_NAME]))
		return cli_fail(c, CLI_INVALID, M_DOOR_TEXT_BAD, a->values[OPT_OPEN_NAME]);
	if (!put(o.ticket, sizeof(o.ticket), a->values[OPT_OPEN_TICKET]))
		return cli_fail(c, CLI_INVALID, M_DOOR_TEXT_BAD, a->values[OPT_OPEN_TICKET]);
	return ordered(c, CHANGE_OPEN, a->operands[0], a->values[OPT_OPEN_REASON], o);
}

int verb_shut(struct cli *c, const struct cli_args *a)
{
	return ordered(c, CHANGE_SHUT, a->operands[0], a->values[OPT_SHUT_REASON], (struct msg_change){ 0 });
}

/* As for `status`: everybody who may see the state of the box may ask this. */
int verb_doors(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	size_t open = 0;
	int status;

	if (a->values[OPT_DOORS_REVIEWED] != NULL)
		return ordered(c, CHANGE_REVIEW_DOOR, a->values[OPT_DOORS_REVIEWED], a->values[OPT_DOORS_REASON],
			       (struct msg_change){ 0 });
	if (!box_status(c, &answer, &status))
		return status;
	status = answer.status;
	if (c->json && status != CLI_CANNOT)
		json_line(c->out, json_pack("{s:O}", "doors", json_object_get(answer.json, "doors")));
	else if (!box_answer_done(c, &answer, &status))
		doors_print(c, ja(answer.json, "doors"));
	json_each(d, ja(answer.json, "doors"))
		open += jb(d, "open");
	if (status != CLI_CANNOT)
		status = open == 0 ? CLI_YES : CLI_NO;
	box_answer_free(&answer);
	return status;
}
