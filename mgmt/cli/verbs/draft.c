/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho draft ORDER [POLICY]`: the draft of the web pages, at the machine and in the name of an
 * account. The box decides who may, and whether the draft is still the one that was seen; this file
 * makes the order and prints the answer.
 */
#include <string.h>
#include <unistd.h>

#include "appliance/wire/orders.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/policy/means.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#define WAIT_S 120

/* What each order needs; anything else that is given is an error. */
static const struct {
	/* texts: it needs a policy; revision: it needs the number of a revision */
	bool texts, revision;
	unsigned takes; /* options besides --comment */
} orders[CHANGE_ORDERS] = {
	[CHANGE_SAVE] = { .texts = true, .takes = 1u << OPT_DRAFT_REVISION | 1u << OPT_DRAFT_BASE },
	[CHANGE_CHECK] = { .texts = true },
	[CHANGE_TRY] = { .revision = true },
	[CHANGE_ASK] = { .revision = true },
	[CHANGE_APPROVE] = { .revision = true },
	[CHANGE_DECLINE] = { .revision = true },
	[CHANGE_DISCARD] = { .revision = true },
	[CHANGE_APPLY] = { .revision = true,
			   .takes = 1u << OPT_DRAFT_CONFIRM | 1u << OPT_DRAFT_DRY_RUN | 1u << OPT_DRAFT_TAKE_OVER |
				    1u << OPT_DRAFT_TAKE },
	[CHANGE_CONFIRM] = { .takes = 1u << OPT_DRAFT_TO },
	[CHANGE_ROLLBACK] = { .takes = 1u << OPT_DRAFT_TO | 1u << OPT_DRAFT_BASE | 1u << OPT_DRAFT_DRY_RUN |
				       1u << OPT_DRAFT_TAKE },
};

/* ---- output ---------------------------------------------------------------------------------- */

static void print_state(struct cli *c, const json_t *answer)
{
	static const struct answer_row rows[] = {
#define ROWS_DRAFT_STATE
#include "mgmt/cli/verbs/answers.def"
	};
	const json_t *tried = ja(ja(answer, "draft"), "tried");

	answer_print(c, rows, answer);
	if (jb(tried, "good"))
		means_answered(c, json_object_get(tried, "answer"), "");
}

/* The lines that differ from the draft's base: nobody shall approve what he could not see. */
static bool add_difference(struct cli *c, json_t *answer, int *ret_status)
{
	const json_t *d = json_object_get(answer, "draft");
	struct box_answer base = { 0 };
	json_t *none = json_array();
	bool ok = true;

	if (!js_is(d, "state", "none")) {
		if (ju(d, "base") > 0)
			ok = box_show(c, ju(d, "base"), &base, ret_status);
		if (ok && ju(d, "base") > 0 && base.status != CLI_YES) {
			*ret_status = cli_fail(c, CLI_CANNOT, M_DRAFT_BASE_GONE, ju(d, "base"));
			ok = false;
		}
		if (ok)
			(void)json_object_set_new(answer, "difference",
						  difference_json(base.json != NULL ? ja(base.json, "sources") : none,
								  ja(answer, "sources")));
	}
	json_decref(none);
	box_answer_free(&base);
	return ok;
}

static int show(struct cli *c)
{
	struct box_answer answer;
	int status;

	if (!box_ask(c, &(struct msg_body){ .type = MSG_DRAFT, .draft = { .texts = 1 } }, &answer, &status))
		return status;
	if (answer.status == CLI_YES && !add_difference(c, answer.json, &status)) {
		box_answer_free(&answer);
		return status;
	}
	if (!box_answer_done(c, &answer, &status)) {
		print_state(c, answer.json);
		difference_print(c, ja(answer.json, "difference"), SIZE_MAX);
	}
	box_answer_free(&answer);
	return status;
}

/* ---- orders ---------------------------------------------------------------------------------- */

static int tell(struct cli *c, const struct msg_change *m, const struct box_answer *answer)
{
	bool dry = (m->flags & APPLY_DRY_RUN) != 0;
	int status;

	taking_tell(c, answer->json);
	if (!c->json)
		render_diagnostics(c, ja(answer->json, "diagnostics"));
	if (box_answer_done(c, answer, &status))
		return status;
	switch ((enum change_order)m->order) {
	case CHANGE_CHECK:
	case CHANGE_TRY:
		means_answered(c, answer->json, "");
		return apply_render(c, APPLY_KIND_DRY_RUN, answer->json, status);
	case CHANGE_APPLY:
		status = apply_render(c, dry ? APPLY_KIND_DRY_RUN : APPLY_KIND_APPLY, answer->json, status);
		if (status == CLI_YES && !dry)
			render_line(c, M_DRAFT_CONFIRM_HOW, ju(json_object_get(answer->json, "generation"), "number"));
		return status;
	case CHANGE_CONFIRM:
		return apply_render(c, APPLY_KIND_CONFIRM, answer->json, status);
	case CHANGE_ROLLBACK:
		return apply_render(c, dry ? APPLY_KIND_ROLLBACK_DRY_RUN : APPLY_KIND_ROLLBACK, answer->json, status);
	case CHANGE_SAVE:
	case CHANGE_ASK:
	case CHANGE_APPROVE:
	case CHANGE_DECLINE:
	case CHANGE_DISCARD:
	case CHANGE_ISOLATE:
	case CHANGE_REJOIN_READS:
	case CHANGE_REJOIN:
	case CHANGE_OPEN:
	case CHANGE_SHUT:
	case CHANGE_REVIEW_DOOR:
	case CHANGE_HAND_OVER:
	case CHANGE_SERVICE:
	case CHANGE_ORDERS:
		break;
	}
	if (status == CLI_YES)
		print_state(c, answer->json);
	return status;
}

static bool takes_long(enum change_order order)
{
	return order == CHANGE_CHECK || order == CHANGE_TRY || order == CHANGE_APPLY || order == CHANGE_ROLLBACK;
}

static int send_order(struct cli *c, const struct msg_change *m, int fd)
{
	const struct msg_body question = { MSG_CHANGE, .change = *m };
	struct box_answer answer;
	bool answered;
	int status;

	answered = takes_long((enum change_order)m->order)
			   ? box_request_long(c, &question, &fd, 1, WAIT_S, &answer, &status)
			   : box_request(c, &question, &fd, 1, WAIT_S, &answer, &status);
	if (!answered)
		return status;
	status = tell(c, m, &answer);
	box_answer_free(&answer);
	return status;
}

/* The generation in force, which is the base when none is named. */
static bool base_now(struct cli *c, uint64_t *ret, int *ret_status)
{
	struct box_answer answer;

	if (!box_ask(c, &(struct msg_body){ .type = MSG_DRAFT }, &answer, ret_status))
		return false;
	*ret = ju(json_object_get(answer.json, "draft"), "in_force");
	if (answer.status != CLI_YES && !box_answer_done(c, &answer, ret_status))
		*ret_status = answer.status;
	box_answer_free(&answer);
	return answer.status == CLI_YES;
}

static int send_texts(struct cli *c, const struct cli_args *a, struct msg_change *m)
{
	struct source s;
	int status = CLI_CANNOT, fd = -1;

	if (source_open(c, a->operands[1], SOURCE_LOWER, &s, &status) &&
	    (m->order != CHANGE_SAVE || a->values[OPT_DRAFT_BASE] != NULL || base_now(c, &m->base, &status)))
		fd = source_bundle(c, &s, &status);
	source_close(&s);
	if (fd >= 0) {
		status = send_order(c, m, fd);
		close(fd);
	}
	return status;
}

static bool take_number(struct cli *c, const struct cli_args *a, size_t option, uint64_t most, uint64_t *ret,
			int *ret_status)
{
	unsigned long long n = 0;

	*ret = 0;
	if (a->values[option] == NULL)
		return true;
	if (!(option == OPT_DRAFT_CONFIRM ? cli_seconds : cli_number)(a->values[option], most, &n)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_DRAFT_NUMBER, options_draft[option].name, a->values[option]);
		return false;
	}
	*ret = n;
	return true;
}

static bool take_options(struct cli *c, const struct cli_args *a, enum change_order order, struct msg_change *m,
			 int *ret_status)
{
	unsigned takes =
		orders[order].takes | 1u << OPT_DRAFT_COMMENT | (orders[order].revision ? 1u << OPT_DRAFT_REVISION : 0);
	uint64_t confirm_s;

	for (size_t i = 0; options_draft[i].name != NULL; i++)
		if (a->values[i] != NULL && (takes >> i & 1u) == 0) {
			*ret_status =
				cli_fail(c, CLI_INVALID, M_DRAFT_NOT_WITH, options_draft[i].name, change_word(order));
			return false;
		}
	if ((orders[order].revision && a->values[OPT_DRAFT_REVISION] == NULL) ||
	    (order == CHANGE_CONFIRM && a->values[OPT_DRAFT_TO] == NULL)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_DRAFT_WANTS, change_word(order),
				       options_draft[order == CHANGE_CONFIRM ? OPT_DRAFT_TO : OPT_DRAFT_REVISION].name);
		return false;
	}
	if (orders[order].texts != (a->n_operands == 2)) {
		*ret_status = cli_fail(c, CLI_INVALID, orders[order].texts ? M_DRAFT_WANTS_POLICY : M_DRAFT_NO_POLICY,
				       change_word(order));
		return false;
	}
	if (!take_number(c, a, OPT_DRAFT_REVISION, INT64_MAX, &m->revision, ret_status) ||
	    !take_number(c, a, OPT_DRAFT_BASE, INT64_MAX, &m->base, ret_status) ||
	    !take_number(c, a, OPT_DRAFT_TO, INT64_MAX, &m->to, ret_status) ||
	    !take_number(c, a, OPT_DRAFT_CONFIRM, CONFIRM_MOST, &confirm_s, ret_status) ||
	    !apply_comment_good(c, a->values[OPT_DRAFT_COMMENT], ret_status))
		return false;
	m->order = (uint8_t)order;
	m->confirm_s = (uint32_t)confirm_s;
	m->comment = a->values[OPT_DRAFT_COMMENT];
	m->flags = (uint8_t)((a->values[OPT_DRAFT_DRY_RUN] != NULL ? APPLY_DRY_RUN : 0) |
			     (a->values[OPT_DRAFT_TAKE_OVER] != NULL ? APPLY_TAKE_OVER : 0));
	return true;
}

int verb_draft(struct cli *c, const struct cli_args *a)
{
	enum change_order order = change_by_word(a->operands[0]);
	struct msg_change m = { 0 };
	int status = CLI_INVALID, fd = -1;

	if (strcmp(a->operands[0], "show") == 0) {
		for (unsigned o = 0; options_draft[o].name != NULL; o++)
			if (a->values[o] != NULL)
				return cli_fail(c, CLI_INVALID, M_DRAFT_NOT_WITH, options_draft[o].name,
						a->operands[0]);
		return a->n_operands == 1 ? show(c) : cli_fail(c, CLI_INVALID, M_DRAFT_ORDER, a->operands[1]);
	}
	if (order == CHANGE_ORDERS || order == CHANGE_HAND_OVER || order == CHANGE_SERVICE ||
	    change_names_object(order))
		return cli_fail(c, CLI_INVALID, M_DRAFT_ORDER, a->operands[0]);
	if (!take_options(c, a, order, &m, &status))
		return status;
	if (orders[order].texts)
		return send_texts(c, a, &m);
	if (!taking_fd(c, a, OPT_DRAFT_TAKE, &fd, &status))
		return status;
	status = send_order(c, &m, fd);
	if (fd >= 0)
		close(fd);
	return status;
}
