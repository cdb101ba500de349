/* SPDX-License-Identifier: Apache-2.0 */
/* How far the box is with what somebody at a terminal waits for: one line on the error output, written over again and again, and gone with the answer. */
#ifndef SEKISHO_MGMT_CLI_BOX_PROGRESS_H
#define SEKISHO_MGMT_CLI_BOX_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "mgmt/cli/cli.h"

/* Start from zero bytes. */
struct progress_line {
	size_t cells; /* that stand there now */
};

/* `waited_ns`: for how long already. */
void progress_show(struct progress_line *l, struct cli *c, const struct msg_progress *p, uint64_t waited_ns);
/* The line is empty again, and the next text begins at its edge. False: there was none. */
bool progress_clear(struct progress_line *l, struct cli *c);

#endif
