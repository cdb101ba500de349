/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the box's clock ("clock" of status) for people. */
#ifndef SEKISHO_MGMT_CLI_WORDS_CLOCK_H
#define SEKISHO_MGMT_CLI_WORDS_CLOCK_H

#include "mgmt/cli/words/render.h"

/* For `status`: whether the clock follows a time source, and since when. Prints nothing when that
 * is unknown, or when box.cfg names no source and the clock follows none. */
void clock_line(struct cli *c, const json_t *clock);
/* For `status`: each open window of time, and until when it is open. */
void hours_lines(struct cli *c, const json_t *windows);
/* For an answer about a policy: which of its conduits wait for a trusted clock. Prints nothing when
 * none does. */
void clock_waits_print(struct cli *c, const json_t *clock);
void clock_print(struct cli *c, const json_t *clock);

#endif
