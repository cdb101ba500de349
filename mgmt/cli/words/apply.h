/* SPDX-License-Identifier: Apache-2.0 */
/* What apply, confirm and rollback answer, as text for people. Prints, owns nothing. */
#ifndef SEKISHO_MGMT_CLI_WORDS_APPLY_H
#define SEKISHO_MGMT_CLI_WORDS_APPLY_H

#include "mgmt/cli/cli.h"

enum apply_kind {
	APPLY_KIND_APPLY,
	APPLY_KIND_DRY_RUN,
	APPLY_KIND_CONFIRM,
	APPLY_KIND_ROLLBACK,
	APPLY_KIND_ROLLBACK_DRY_RUN,
};

/* `answer` as docs/json.md has it; `status` as the box gave it; returns the verb's status. */
int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status);

/* What --comment says is one line of text that fits; NULL is none. False after saying what is wrong
 * with it. */
bool apply_comment_good(struct cli *c, const char *text, int *ret_status);

/* What came of devices that went back to the first namespace, for people: of release, rollback, and
 * what ends with it. */

/* `reports`: "given_back" of an answer (docs/json.md), or NULL. */
void given_back_print(struct cli *c, const json_t *reports);

#endif
