/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by `ask`, `who-can`, `reach` and `explain`: opens the policy at a moment, finds the ends
 * that a name stands for, and prints lines. */
#ifndef SEKISHO_MGMT_CLI_ASK_ASK_H
#define SEKISHO_MGMT_CLI_ASK_ASK_H

#include "mgmt/cli/policy/source.h"
#include "policy/space/asked.h"

/* True: the policy is open, and *ret_at is the moment. False: the reason was printed, and
 * *ret_status is the status of the verb. source_close in both cases. */
bool asking_open(struct cli *c, const struct cli_args *a, struct source *ret, uint64_t *ret_at, int *ret_status);
/* The ends with this name, in the source's arena. NULL when there are none; a message about this
 * was printed. */
const struct asked_end *asking_ends(struct cli *c, const struct source *s, const char *text, size_t *ret_n,
				    int *ret_status);
/* Prints a sentence that belongs to the line above. */
void asking_say_below(struct cli *c, enum message m, ...);
/* Prints an answer of asking_answer in sentences. */
void asking_print(struct cli *c, const struct asking_words *w, const json_t *answer);

#endif
