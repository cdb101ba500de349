/* SPDX-License-Identifier: Apache-2.0 */
/* Shows both texts before anything is written: the compiler's result, a person's confirmation, and
 * the next steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/setup/apply.h"
#include "mgmt/cli/setup/setup.h"

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

	(void)k;
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
