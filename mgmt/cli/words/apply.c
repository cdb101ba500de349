/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"
#include "appliance/wire/msg.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/words/command.h"
#include "mgmt/words/event.h"

#define LINES_MOST 40u /* lines of a difference; of more only the number is told */

/* "  RTG 4号機 (10.30.1.13:502) ...": the session's hosts. */
static void session_line(struct cli *c, const json_t *s, const char *more)
{
	char client[EVENT_END_TEXT], server[EVENT_END_TEXT];

	event_end(s, "client", client);
	event_end(s, "server", server);
	render_line(c, M_APPLY_SESSION, client, server, js(s, "transport"), js(s, "conduit"), more);
}

static void sessions(struct cli *c, const json_t *cut, unsigned long long more, bool dry_run)
{
	if (json_array_size(cut) == 0) {
		message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_CUT_NONE : M_APPLY_CUT_NONE);
		return;
	}
	message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_CUT : M_APPLY_CUT, json_array_size(cut) + (size_t)more);
	for (size_t i = 0; i < json_array_size(cut); i++)
		session_line(c, json_array_get(cut, i), render_reason(js(json_array_get(cut, i), "reason"), c->lang));
	if (more > 0)
		message_print(c->out, c->lang, M_APPLY_CUT_MORE, more);
}

static void shut_out_list(struct cli *c, const json_t *list, enum message head)
{
	if (json_array_size(list) > 0)
		message_print(c->out, c->lang, head, json_array_size(list));
	json_each(one, list)
		if (json_is_string(one))
			render_line(c, M_APPLY_SHUT_OUT_ONE, json_string_value(one));
}

/* Persons whose sessions with the box itself end; these are in no list of cut sessions. */
static void shut_out(struct cli *c, const json_t *answer, bool dry_run)
{
	const json_t *who = ja(answer, "shut_out");

	shut_out_list(c, ja(who, "terminals"), dry_run ? M_APPLY_WOULD_SHUT_OUT : M_APPLY_SHUT_OUT);
	shut_out_list(c, ja(who, "addresses"), dry_run ? M_APPLY_WOULD_SHUT_ADDRESSES : M_APPLY_SHUT_ADDRESSES);
	if (jb(who, "nobody"))
		message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_SHUT_ALL : M_APPLY_SHUT_ALL);
	else if (jb(who, "others"))
		message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_SHUT_OTHERS : M_APPLY_SHUT_OTHERS);
}

/* "write_single_register, unit 1, holding 400, wrote 0-9". Owned by the caller; NULL: no memory. */
static char *request_text(const json_t *r, enum lang l)
{
	const struct vocabulary *v = command_words(r);
	const char *comma = message_format(M_IMPACT_COMMA, l);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	command_function(to, r, v, l);
	command_targets(to, r, v, comma, l);
	if (json_object_get(r, "space") != NULL)
		fprintf(to, "%s%s %s", comma, js(r, "space"), js(r, "place"));
	if (json_object_get(r, "low") != NULL && ju(r, "low") == ju(r, "high"))
		message_print(to, l, M_IMPACT_WROTE, ju(r, "low"));
	else if (json_object_get(r, "low") != NULL)
		message_print(to, l, M_IMPACT_WROTE_RANGE, ju(r, "low"), ju(r, "high"));
	return text_closed(to, &text);
}

/* A session's requests that will be refused, below the session's line. */
static void narrowed_requests(struct cli *c, const json_t *s)
{
	const json_t *commands = json_object_get(s, "commands");
	struct table *t = table_new(3, 4);
	char *text;

	table_right(t, 0);
	table_wrap(t);
	json_each(r, commands) {
		text = request_text(r, c->lang);
		table_cellf(t, "%llux", ju(r, "count"));
		table_cell(t, text != NULL ? text : "?");
		free(text);
		table_cell(t, render_reason(js(r, "reason"), c->lang));
	}
	if (ju(s, "forgotten") > 0) {
		table_cellf(t, "%llux", ju(s, "forgotten"));
		table_cell(t, message_format(M_IMPACT_FORGOTTEN, c->lang));
		table_cell(t, "");
	}
	(void)table_end(t, c->out, c->color);
}

/* Sessions that stay, and their requests that will be refused. */
static void narrowed(struct cli *c, const json_t *answer)
{
	const json_t *list = ja(answer, "narrowed");

	if (list == NULL)
		return;
	if (json_array_size(list) > 0) {
		message_print(c->out, c->lang, M_IMPACT_NARROWED, json_array_size(list));
		for (size_t i = 0; i < json_array_size(list); i++) {
			session_line(c, json_array_get(list, i), "");
			narrowed_requests(c, json_array_get(list, i));
		}
	}
	message_print(c->out, c->lang, M_IMPACT_GO_ON, ju(answer, "go_on"));
	if (ju(answer, "unknown") > 0)
		message_print(c->out, c->lang, M_IMPACT_UNKNOWN, ju(answer, "unknown"));
}

/* The rollback's target, and which lines change. */
static void target(struct cli *c, const json_t *answer, bool dry_run)
{
	const json_t *t = json_object_get(answer, "target"), *lines = json_object_get(answer, "difference");
	char when[RENDER_TEXT];

	if (!json_is_object(t))
		return;
	render_time(js(t, "applied"), when);
	render_line(c, dry_run ? M_ROLLBACK_WOULD : M_ROLLBACK_FROM, ju(answer, "from"), ju(t, "number"), when,
		    js(t, "by"));
	if (*js(t, "comment") != '\0')
		render_line(c, M_SHOW_COMMENT, js(t, "comment"));
	if (!json_is_array(lines))
		return;
	message_print(c->out, c->lang, json_array_size(lines) > 0 ? M_ROLLBACK_LINES : M_ROLLBACK_NO_LINES);
	difference_print(c, lines, LINES_MOST);
}

bool apply_comment_good(struct cli *c, const char *text, int *ret_status)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (text != NULL && !text_is_plain(text, n)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_APPLY_COMMENT_LINE);
		return false;
	}
	if (n <= COMMENT_MOST)
		return true;
	*ret_status = cli_fail(c, CLI_INVALID, M_APPLY_COMMENT_LONG, COMMENT_MOST, n);
	return false;
}

int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status)
{
	static const enum message done[] = {
		[APPLY_KIND_APPLY] = M_APPLY_DONE,
		[APPLY_KIND_DRY_RUN] = M_APPLY_DRY_RUN,
		[APPLY_KIND_CONFIRM] = M_CONFIRM_DONE,
		[APPLY_KIND_ROLLBACK] = M_ROLLBACK_DONE,
		[APPLY_KIND_ROLLBACK_DRY_RUN] = M_APPLY_DRY_RUN,
	};
	bool dry_run = kind == APPLY_KIND_DRY_RUN || kind == APPLY_KIND_ROLLBACK_DRY_RUN;
	const json_t *g = json_object_get(answer, "generation");
	const char *notice = js(json_object_get(answer, "notice"), lang_name(c->lang));
	char generation[RENDER_TEXT], digest[RENDER_TEXT], until[RENDER_TEXT];

	if (status != CLI_YES)
		return status;
	target(c, answer, dry_run);
	if (kind != APPLY_KIND_CONFIRM) {
		sessions(c, json_object_get(answer, "cut"), ju(answer, "cut_more"), dry_run);
		narrowed(c, answer);
		shut_out(c, answer, dry_run);
	}
	/* the sentence tells the generation's state */
	if (kind == APPLY_KIND_CONFIRM || kind == APPLY_KIND_ROLLBACK)
		snprintf(generation, sizeof(generation), "%llu", ju(g, "number"));
	else
		render_generation(g, c->lang, generation);
	render_digest(js(g, "digest"), digest);
	render_line(c, done[kind], generation, digest);
	clock_waits_print(c, ja(answer, "clock"));
	given_back_print(c, ja(answer, "given_back"));
	if (*notice != '\0')
		render_line(c, M_STATUS_NOTICE, notice);
	if (kind == APPLY_KIND_APPLY && js_is(g, "state", "waiting")) {
		render_time(js(g, "confirm_by"), until);
		render_line(c, M_APPLY_CONFIRM_HOW, ju(g, "number"), until);
	}
	return status;
}

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
