/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `status` and `effective` when no daemon runs: sekishod is started for one answer, and reads the
 * kernel and the state folder. Only for root, and only if no process listens at the control socket.
 * A daemon that does not answer is a different case.
 */
#ifndef SEKISHO_MGMT_CLI_BOX_STANDING_H
#define SEKISHO_MGMT_CLI_BOX_STANDING_H

#include <limits.h>
#include <stdbool.h>

#include "mgmt/cli/box/request.h"

/* Whether no process listens at the control socket, and the caller is root. */
bool standing_wanted(const struct cli *c);
/* As box_request; `question` is "status" or "effective". */
bool standing_request(struct cli *c, const char *question, struct box_answer *ret, int *ret_status);
/* Prints the first lines: which rules are in the kernel. */
void standing_headline(struct cli *c, const json_t *answer);

/* Finds a program of the product: in the folder of this program, or in the folder sbin beside that
 * one. False: in neither. */
bool program_path(const char *name, char ret[PATH_MAX]);
/* sekishod, for questions without a daemon. */
bool daemon_path(char ret[PATH_MAX]);

#endif
