/* SPDX-License-Identifier: Apache-2.0 */
/* The span of time that a report is of, in the form of an event's time, so that text compares as
 * time does. */
#ifndef SEKISHO_MGMT_CLI_REPORT_SPAN_H
#define SEKISHO_MGMT_CLI_REPORT_SPAN_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/words/moment.h"

struct span {
	char from[MOMENT_TEXT], until[MOMENT_TEXT]; /* up to, not with */
};

/*
 * What --month, or --from and --until, say; `now` stands for an end that is not given. CLI_YES, or
 * why not, which was said.
 */
int span_read(struct cli *c, const char *month, const char *from, const char *until, const char *now, struct span *ret);
/* Seconds since 1970; 0 = it is no time. */
uint64_t span_seconds(const char *moment);

#endif
