/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/backup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/render.h"

#define LINE 512u

/* Hands the register to the box. False: no answer; the reason was printed. */
static bool hand(struct cli *c, const struct people *p, enum user_order order, struct box_answer *ret, int *ret_status)
{
	const struct bytes text = p->keys->whole.parts[WHOLE_ACCOUNTS];
	json_t *said = json_pack("{s:s, s:o, s:s}", "sha256", p->keys->sha256, "made", json_text(p->made), "replace",
				 p->replace ? "yes" : "");
	char *words = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
	const struct msg_body m = { MSG_CTL_USER, .ctl_user = { .order = (uint8_t)order, .text = words } };
	int fd = words != NULL && strlen(words) <= USER_TEXT ? memfd_sealed("sekisho-accounts", text.p, text.left) : -1;
	bool heard = false;

	if (fd < 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	else
		heard = box_request(c, &m, &fd, 1, BOX_WAIT_S, ret, ret_status);
	if (fd >= 0)
		close(fd);
	free(words);
	json_decref(said);
	return heard;
}

/* ---- what would change ----------------------------------------------------------------------- */

static void print_accounts(struct cli *c, const json_t *lists, const char *key, enum message m)
{
	char roles[LINE];

	json_each(a, ja(lists, key)) {
		json_joined(ja(a, "roles"), ", ", roles, sizeof(roles));
		render_line(c, m, js(a, "name"), js(a, "full_name"), roles);
		if (jb(a, "disabled"))
			render_line(c, M_WHOLE_DISABLED);
	}
}

static void print_tokens(struct cli *c, const json_t *lists, const char *key, enum message m)
{
	json_each(v, ja(lists, key))
		render_line(c, m, json_string_value(v));
}

static void print_lists(struct cli *c, const struct people *p)
{
	char made[RENDER_TEXT];

	render_time(p->made, made);
	render_line(c, M_WHOLE_HEAD, (unsigned)ju(p->lists, "accounts"), made);
	print_accounts(c, p->lists, "come", M_WHOLE_COMES);
	print_accounts(c, p->lists, "changed", M_WHOLE_CHANGES);
	print_accounts(c, p->lists, "same", M_WHOLE_STAYS);
	print_accounts(c, p->lists, "go", M_WHOLE_GOES);
	print_tokens(c, p->lists, "tokens_come", M_WHOLE_TOKEN_COMES);
	print_tokens(c, p->lists, "tokens_go", M_WHOLE_TOKEN_GOES);
	if (!jb(p->lists, "two_persons"))
		render_line(c, M_WHOLE_ONE_PERSON);
	render_line(c, M_WHOLE_OLD);
}

/* Whether the register of this box is in use, and the order does not allow replacing it. */
static bool kept_out(const struct people *p)
{
	return jb(p->lists, "in_use") && !p->replace;
}

bool people_try(struct cli *c, struct people *p, int *ret_status)
{
	struct box_answer a;

	if (!hand(c, p, USER_RESTORE_TRY, &a, ret_status))
		return false;
	if (a.status != CLI_YES) {
		*ret_status = a.status;
		(void)box_answer_done(c, &a, ret_status);
		box_answer_free(&a);
		return false;
	}
	p->lists = a.json;
	if (!c->json)
		print_lists(c, p);
	if (!kept_out(p) || p->dry_run)
		return true;
	*ret_status = cli_fail(c, CLI_INVALID, M_WHOLE_IN_USE);
	return false;
}

/* ---- putting it in place --------------------------------------------------------------------- */

static void would_put(struct cli *c, const struct people *p)
{
	char path[128];

	for (unsigned i = 0; i < WHOLE_PARTS && !c->json; i++) {
		snprintf(path, sizeof(path), CLI_BOX_FOLDER "/%s", whole_rows[i].name);
		if (whole_rows[i].folder == WHOLE_IN_SETTINGS && p->keys->whole.parts[i].left > 0 &&
		    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			render_line(c, M_WHOLE_FILE_WOULD, whole_rows[i].name);
	}
}

bool people_settings(struct cli *c, const struct people *p, int *ret_status)
{
	json_t *put = json_array(), *stay = json_array();
	struct err e = { 0 };
	int r = p->dry_run ? 0 : place_settings(&p->keys->whole, CLI_BOX_FOLDER, put, stay, &e);

	if (p->dry_run)
		would_put(c, p);
	if (!c->json) {
		json_each(v, put)
			render_line(c, M_WHOLE_FILE_PUT, json_string_value(v));
		json_each(v, stay)
			render_line(c, M_WHOLE_FILE_STAYS, json_string_value(v));
	}
	json_decref(put);
	json_decref(stay);
	if (r < 0)
		*ret_status = cli_fail_file(c, CLI_CANNOT, CLI_BOX_FOLDER, -r);
	return r == 0;
}

static json_t *exchanged(struct cli *c, const struct people *p, int *ret_status)
{
	struct box_answer a;
	struct err e = { 0 };
	json_t *taken = NULL;

	/* The keys come first, because the box reads its keys anew as soon as it has the accounts.
	 * Keys and accounts are independent of each other, so a power cut in between does no
	 * harm. */
	if (place_secrets(&p->keys->whole, p->state, &e) < 0) {
		*ret_status = cli_fail_file(c, CLI_CANNOT, p->state, -e.code);
		return json_pack("{s:s}", "error", e.text);
	}
	if (hand(c, p, USER_RESTORE, &a, ret_status)) {
		taken = a.json;
		/* Only an answer that the supervisor gives in place of accounts has "done":
		 * accounts did not answer in time, so they may have been replaced nevertheless. */
		if (a.status != CLI_YES && json_object_get(taken, "done") != NULL)
			json_object_set_new(taken, "unsure", json_true());
		if (a.status != CLI_YES && !c->json)
			(void)box_answer_done(c, &a, ret_status);
		*ret_status = a.status == CLI_YES ? CLI_YES : CLI_CANNOT;
	} else {
		taken = json_pack("{s:s, s:b}", "error", "no answer", "unsure", 1);
		*ret_status = CLI_CANNOT;
	}
	if (*ret_status != CLI_YES && place_back(p->state, &e) < 0)
		/* not exchanged back: the former secrets stay in the folder beside */
		*ret_status = cli_fail_file(c, CLI_CANNOT, p->state, -e.code);
	else
		place_done(p->state);
	return taken;
}

json_t *people_take(struct cli *c, const struct people *p, int *ret_status)
{
	sigset_t ends, before;
	json_t *taken;

	if (p->dry_run) {
		*ret_status = kept_out(p) ? CLI_INVALID : CLI_YES;
		return json_incref(p->lists);
	}
	/* Signals are blocked, so that Ctrl-C or a connection that ends leaves no keys without
	 * their accounts. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	taken = exchanged(c, p, ret_status);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return taken;
}

void people_tell(struct cli *c, const struct people *p, const json_t *taken)
{
	if (jb(taken, "unsure"))
		render_line(c, M_WHOLE_UNSURE);
	else if (json_object_get(taken, "error") != NULL)
		render_line(c, M_WHOLE_FAILED);
	else if (p->dry_run && kept_out(p))
		render_line(c, M_WHOLE_WOULD_NOT);
	else
		render_line(c, p->dry_run ? M_WHOLE_WOULD : M_WHOLE_TAKEN, (unsigned)ju(taken, "accounts"));
}
