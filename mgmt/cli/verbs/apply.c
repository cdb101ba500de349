/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho apply POLICY`: compiles the policy here first, so that errors are shown with their lines
 * and do not reach the box. Then sends exactly the texts that were read. The box compiles them
 * again and enforces only its own result.
 */
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/policy/means.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define WAIT_S 120

static bool is_same(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "code", "file", "line", "column" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
			return false;
	return true;
}

/* The box's diagnostics, in its language, that were not shown here already. */
static void box_diagnostics(struct cli *c, struct source *s, const json_t *theirs)
{
	json_t *all = source_diagnostics(s, c->lang), *news = json_array(), *ours = json_object_get(all, "diagnostics");

	json_each(d, theirs) {
		bool said = false;

		for (size_t k = 0; k < json_array_size(ours) && !said; k++)
			said = is_same(d, json_array_get(ours, k));
		if (!said)
			(void)json_array_append(news, d);
	}
	render_diagnostics(c, news);
	json_decref(news);
	json_decref(all);
}

static int send_bundle(struct cli *c, struct source *s, int fd, const struct cli_args *a, uint32_t confirm_s)
{
	bool dry_run = a->values[OPT_APPLY_DRY_RUN] != NULL;
	bool take_over = a->values[OPT_APPLY_TAKE_OVER] != NULL;
	const struct msg_body order = { MSG_CTL_CHANGE,
					.ctl_change = { .order = CHANGE_APPLY,
							.flags = (uint8_t)((dry_run ? APPLY_DRY_RUN : 0) |
									   (take_over ? APPLY_TAKE_OVER : 0)),
							.confirm_s = confirm_s,
							.comment = a->values[OPT_APPLY_COMMENT] } };
	struct box_answer answer;
	int fds[2] = { fd, -1 }, status;
	bool answered;

	if (!taking_fd(c, a, OPT_APPLY_TAKE, &fds[1], &status))
		return status;
	answered = box_request_long(c, &order, fds, 2, WAIT_S, &answer, &status);
	if (fds[1] >= 0)
		close(fds[1]);
	if (!answered)
		return status;
	taking_tell(c, answer.json);
	if (!c->json)
		box_diagnostics(c, s, ja(answer.json, "diagnostics"));
	if (dry_run && !c->json && answer.status == CLI_YES)
		means_answered(c, answer.json, s->c.diags.folder);
	if (!box_answer_done(c, &answer, &status))
		status = apply_render(c, dry_run ? APPLY_KIND_DRY_RUN : APPLY_KIND_APPLY, answer.json, status);
	box_answer_free(&answer);
	return status;
}

int verb_apply(struct cli *c, const struct cli_args *a)
{
	unsigned long long confirm_s = 0;
	struct source s;
	int status = CLI_CANNOT, fd;

	if (a->values[OPT_APPLY_CONFIRM] != NULL &&
	    (!cli_seconds(a->values[OPT_APPLY_CONFIRM], CONFIRM_MOST, &confirm_s) || confirm_s == 0))
		return cli_fail(c, CLI_INVALID, M_APPLY_SECONDS, a->values[OPT_APPLY_CONFIRM], CONFIRM_MOST);
	if (!apply_comment_good(c, a->values[OPT_APPLY_COMMENT], &status))
		return status;
	if (source_open(c, a->operands[0], SOURCE_LOWER, &s, &status)) {
		fd = source_bundle(c, &s, &status);
		if (fd >= 0) {
			status = send_bundle(c, &s, fd, a, (uint32_t)confirm_s);
			close(fd);
		}
	}
	source_close(&s);
	return status;
}
