/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho release`: returns devices to the first namespace as they were. The daemon does it.
 * Without one, sekishod is started for this alone, because the code that moves devices must not be
 * in this program, which reads policy texts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#define WAIT_S 60
#define ANSWER_MAX (16u << 20)

/* Runs sekishod with these arguments, and returns its whole output, malloc'd. NULL when it could
 * not be started. */
static char *run_daemon(char *const *argv)
{
	int out[2];
	size_t n = 0;
	char *text = NULL;
	pid_t pid;
	FILE *f;

	if (pipe(out) < 0)
		return NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execv(argv[0], argv);
		_exit(3);
	}
	close(out[1]);
	f = pid > 0 ? fdopen(out[0], "r") : NULL;
	if (f == NULL)
		close(out[0]);
	else if (getdelim(&text, &n, '\0', f) < 0 || n > ANSWER_MAX)
		n = 0;
	if (f != NULL)
		fclose(f);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	return text;
}

/* Gets the answer from a sekishod that runs only for this. */
static bool ask_alone(struct cli *c, const struct cli_args *a, struct box_answer *ret, int *ret_status)
{
	char path[PATH_MAX], *text;
	char *argv[8] = { path };
	const char *name = a->n_operands > 0 ? a->operands[0] : NULL;
	char language[3];
	json_error_t why;
	size_t n = 1;

	if (!daemon_path(path)) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_RELEASE_NO_DAEMON);
		return false;
	}
	snprintf(language, sizeof(language), "%s", lang_name(c->lang));
	argv[n++] = (char *)(uintptr_t) "--lang";
	argv[n++] = language;
	if (a->values[OPT_RELEASE_STATE] != NULL) {
		argv[n++] = (char *)(uintptr_t) "--state";
		argv[n++] = (char *)(uintptr_t)a->values[OPT_RELEASE_STATE];
	}
	argv[n++] = (char *)(uintptr_t)(name != NULL			     ? "--release"
					: a->values[OPT_RELEASE_ALL] != NULL ? "--release-all"
									     : "--release-list");
	if (name != NULL)
		argv[n++] = (char *)(uintptr_t)name;
	text = run_daemon(argv);
	ret->json = text != NULL ? json_loads(text, JSON_DISABLE_EOF_CHECK, &why) : NULL;
	free(text);
	if (!json_is_object(ret->json)) {
		box_answer_free(ret);
		*ret_status = CLI_CANNOT; /* sekishod has reported the reason on standard error */
		return false;
	}
	ret->status = CLI_YES;
	if (json_is_object(json_object_get(ret->json, "error")))
		ret->status = CLI_CANNOT;
	for (size_t i = 0; i < json_array_size(ja(ret->json, "given_back")); i++)
		if (json_array_size(ja(json_array_get(ja(ret->json, "given_back"), i), "lost")) > 0)
			ret->status = CLI_NO;
	return true;
}

static const struct answer_row kept[] = {
#define ROWS_RELEASE_KEPT
#include "mgmt/cli/verbs/answers.def"
};

int verb_release(struct cli *c, const struct cli_args *a)
{
	bool all = a->values[OPT_RELEASE_ALL] != NULL, look = !all && a->n_operands == 0;
	const struct msg_body order = { MSG_CTL_RELEASE,
					.ctl_release = { .flags = look ? RELEASE_LIST : 0,
							 .device = a->n_operands > 0 ? a->operands[0] : "" } };
	struct box_answer answer = { 0 };
	int status;

	if (all && a->n_operands > 0)
		return cli_fail(c, CLI_INVALID, M_RELEASE_ONE_OR_ALL);
	if (strlen(order.ctl_release.device) > DEVICE_MOST)
		return cli_fail(c, CLI_INVALID, M_RELEASE_NAME, order.ctl_release.device);
	if (box_absent(c) ? !ask_alone(c, a, &answer, &status)
			  : !box_request(c, &order, NULL, 0, WAIT_S, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		if (look)
			answer_print(c, kept, answer.json);
		else if (json_array_size(ja(answer.json, "given_back")) == 0)
			message_print(c->out, c->lang, M_RELEASE_NONE);
		given_back_print(c, ja(answer.json, "given_back"));
	}
	box_answer_free(&answer);
	return status;
}
