/* SPDX-License-Identifier: Apache-2.0 */
/* What the box says of its clock ("clock" of status), for people. */
#ifndef SEKISHO_MGMT_CLI_WORDS_CLOCK_H
#define SEKISHO_MGMT_CLI_WORDS_CLOCK_H

#include "mgmt/cli/words/render.h"

/* Of `status`: whether it follows a source, and since when; nothing where that is not known, or
 * box.cfg names none and it follows none. */
void clock_line(struct cli *c, const json_t *clock);
/* Of `status`: each window that is open, and until when. */
void hours_lines(struct cli *c, const json_t *windows);
/* Of an answer about a policy: which of its conduits wait for the clock; nothing when none does. */
void clock_waits_print(struct cli *c, const json_t *clock);
void clock_print(struct cli *c, const json_t *clock);

#endif
