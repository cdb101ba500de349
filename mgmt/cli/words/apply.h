/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the answers to apply, confirm and rollback for people. Owns nothing. */
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

/* `answer` as in docs/json.md; `status` from the box. Returns the verb's status. */
int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status);

/* Checks the value of --comment: one line of text that is not too long; NULL: none was given. False
 * after printing the mistake. */
bool apply_comment_good(struct cli *c, const char *text, int *ret_status);

/* Prints which devices went back to the first namespace, for release, rollback and other ends of a
 * policy. */

/* `reports`: "given_back" of an answer (docs/json.md), or NULL. */
void given_back_print(struct cli *c, const json_t *reports);

#endif
