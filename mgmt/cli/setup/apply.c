/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/step.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/state/read.h"

#define TRIAL_S 180u
#define WAIT_S 5

/* The index of an option in apply's table. */
static size_t option(const char *name)
{
	size_t i = 0;

	while (strcmp(options_apply[i].name, name) != 0)
		i++;
	return i;
}

static void take_card(struct cli_args *a, const struct card *card)
{
	a->every[a->n_every].option = option("--take-interface");
	a->every[a->n_every++].value = card->name;
}

static bool answers_to(struct setup *s, const char *question, const char *english, const char *japanese)
{
	char line[SETUP_LINE];

	if (setup_ask(s, question, NULL, line) != SAID_TEXT)
		return false;
	step_plain(line);
	return strcmp(line, english) == 0 || strcmp(line, japanese) == 0;
}

static bool answers(struct setup *s, enum message question, const char *english, const char *japanese)
{
	return answers_to(s, message_format(question, s->c->lang), english, japanese);
}

static bool ask_status(struct setup *s, struct box_answer *a)
{
	int status;

	return box_request(s->c, &(struct msg_body){ .type = MSG_STATUS }, NULL, 0, WAIT_S, a, &status);
}

/* Tells where the pages are, and how a person recognises this box: by the certificate of its own
 * authority. */
static void tell_where(struct setup *s)
{
	const json_t *files;
	struct box_answer a;
	size_t i;

	for (i = 0; i < s->admin.n_addresses; i++) {
		const char *text = s->admin.addresses[i];
		int n = (int)strcspn(text, "/");

		step_tell(s, strchr(text, ':') != NULL ? M_SETUP_PAGES_SIX : M_SETUP_PAGES, n, text);
	}
	if (!ask_status(s, &a))
		return;
	files = json_object_get(a.json, "certificates");
	json_each(f, files) {
		const char *use = json_string_value(json_object_get(f, "use"));
		const char *is =
			json_string_value(json_object_get(json_array_get(json_object_get(f, "list"), 0), "sha256"));

		if (use != NULL && strcmp(use, "web") == 0 && is != NULL)
			step_tell(s, M_SETUP_FINGERPRINT, is);
	}
	box_answer_free(&a);
}

/* The person did not keep the tried policy: puts the earlier files back, because otherwise the next
 * apply would bring that policy back. */
static void set_aside(struct setup *s)
{
	int dir = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || setup_unkeep(dir, "box.cfg") < 0 || setup_unkeep(dir, "site.cfg") < 0)
		step_tell(s, M_SETUP_STILL_THERE, s->folder);
	else
		step_tell(s, M_SETUP_ASIDE, s->folder);
	if (dir >= 0)
		close(dir);
}

/* A box without a login is only half set up. */
static void tell_of_accounts(struct setup *s)
{
	const json_t *accounts;
	struct box_answer a;

	if (!ask_status(s, &a))
		return;
	accounts = json_object_get(json_object_get(a.json, "accounts"), "accounts");
	if (json_is_integer(accounts) && json_integer_value(accounts) == 0)
		step_tell(s, M_SETUP_NO_ACCOUNT);
	box_answer_free(&a);
}

/* Whether the box has a policy on trial; `until`: its end, for a person. */
static bool is_on_trial(struct setup *s, char until[RENDER_TEXT])
{
	struct box_answer a;
	bool waits;

	until[0] = '\0';
	if (!ask_status(s, &a))
		return false;
	waits = js_is(ja(a.json, "generation"), "state", "waiting");
	render_time(js(ja(a.json, "generation"), "confirm_by"), until);
	box_answer_free(&a);
	return waits;
}

/* Asks whether the policy on trial is to be kept. Without an answer in time, or when the session
 * ends, it is not kept; then the files must not bring it back. */
static int trial(struct setup *s)
{
	char question[600], until[RENDER_TEXT];
	int status = CLI_NO;

	s->ends_ns = clock_mono().ns + TRIAL_S * 1000000000ull;
	tell_where(s);
	(void)is_on_trial(s, until);
	message_text(question, sizeof(question), s->c->lang, M_SETUP_KEEP, until);
	if (answers_to(s, question, "keep", "残す"))
		status = verb_confirm(s->c, &(struct cli_args){ 0 });
	if (status == CLI_YES) {
		tell_of_accounts(s);
		return status;
	}
	step_tell(s, M_SETUP_GOES_BACK);
	/* Only during the trial: after its end, a rollback would go back one policy further. */
	if (is_on_trial(s, until))
		verb_rollback(s->c, &(struct cli_args){ 0 });
	set_aside(s);
	return status == CLI_YES ? CLI_NO : status;
}

/* What setup does with the two texts once they are written: applies them on trial, and confirms
 * them only when the person answers over a connection that still works. The exit status. */
static int setup_apply(struct setup *s)
{
	char path[512], seconds[12], *dry = NULL;
	struct cli_args a = { .operands = { path }, .n_operands = 1 };
	FILE *out = s->c->out;
	size_t size;
	int status;

	if (box_absent(s->c)) {
		step_tell(s, M_SETUP_NO_BOX, s->folder);
		return CLI_CANNOT;
	}
	if (snprintf(path, sizeof(path), "%s/site.cfg", s->folder) >= (int)sizeof(path))
		return cli_fail(s->c, CLI_INVALID, M_BOX_PATH_LONG, s->folder);
	a.values[option("--dry-run")] = "";
	/* A dry run that ends well is nobody's business: it says that nothing was changed, just
	 * before everything is. */
	s->c->out = open_memstream(&dry, &size);
	status = s->c->out == NULL ? CLI_CANNOT : verb_apply(s->c, &a);
	if (s->c->out != NULL)
		fclose(s->c->out);
	s->c->out = out;
	if (status != CLI_YES && dry != NULL)
		fputs(dry, out);
	free(dry);
	if (status != CLI_YES) {
		/* The box has told why: a session uses a card, or the policy cannot be applied. */
		if (!answers(s, M_SETUP_TAKE, "take", "使う"))
			return status;
		take_card(&a, s->admin.card);
		for (size_t i = 0; i < s->n_data; i++)
			take_card(&a, s->data[i].card);
	}
	a.values[option("--dry-run")] = NULL;
	snprintf(seconds, sizeof(seconds), "%u", TRIAL_S);
	a.values[option("--confirm")] = seconds;
	status = verb_apply(s->c, &a);
	return status == CLI_YES ? trial(s) : status;
}

/* ---- both texts ------------------------------------------------------------------------------ */

/* Shows both texts before anything is written: the compiler's result, a person's confirmation, and
 * the next steps. */

/* The compiler's result for both texts, from a temporary folder. */
static bool checked(struct setup *s, const char *box, const char *policy)
{
	char folder[] = "/tmp/sekisho-setup-XXXXXX", path[64];
	struct source source = { 0 };
	int status;
	bool ok = mkdtemp(folder) != NULL && setup_write(s, folder, box, policy) == 0;

	snprintf(path, sizeof(path), "%s/site.cfg", folder);
	if (ok) {
		ok = source_open(s->c, path, SOURCE_LOWER, &source, &status);
		source_close(&source);
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/box.cfg", folder);
	unlink(path);
	rmdir(folder);
	return ok;
}

/* Shows everything before anything is written. */
enum step_result step_show(struct setup *s, size_t k)
{
	char *box = setup_box_text(s), *policy = setup_policy_text(s), line[SETUP_LINE];
	enum step_result r = STEP_QUIT;

	if (box == NULL || policy == NULL) {
		step_tell(s, M_CLI_NO_MEMORY);
		goto out;
	}
	fprintf(s->c->out, "\n---- %s/box.cfg\n%s\n---- %s/site.cfg\n%s\n", s->folder, box, s->folder, policy);
	if (!checked(s, box, policy)) {
		step_tell(s, M_SETUP_WRONG);
		r = STEP_BACK;
		goto out;
	}
	r = step_ask_plain(s, M_SETUP_WRITE, NULL, line);
	if (r == STEP_GO && strcmp(line, "1") != 0 && strcmp(line, "2") != 0) {
		step_tell(s, M_SETUP_CHOOSE, 2);
		r = STEP_STAY;
	}
	if (r == STEP_GO) {
		s->status = setup_write(s, s->folder, box, policy);
		if (s->status == 0)
			step_tell(s, M_SETUP_WRITTEN, s->folder);
		/* When the box gives a card back, it restores the state that it found. So what the
		 * setup changed in the cards is undone first. */
		if (s->status == 0)
			links_lower(&s->cards);
		if (s->status == 0 && line[0] == '1')
			s->status = setup_apply(s);
	}
out:
	free(box);
	free(policy);
	return r;
}
