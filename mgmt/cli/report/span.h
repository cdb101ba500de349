/* SPDX-License-Identifier: Apache-2.0 */
/* The time span of a report. Times have the form of an event's time, so they can be compared as
 * text. */
#ifndef SEKISHO_MGMT_CLI_REPORT_SPAN_H
#define SEKISHO_MGMT_CLI_REPORT_SPAN_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/words/moment.h"

struct span {
	char from[MOMENT_TEXT], until[MOMENT_TEXT]; /* `until` itself is not included */
};

/*
 * Reads --month, or --from and --until; `now` is used for an end that is not given. CLI_YES, or
 * another status after the reason was printed.
 */
int span_read(struct cli *c, const char *month, const char *from, const char *until, const char *now, struct span *ret);
/* Converts a time to seconds since 1970; 0 = invalid. */
uint64_t span_seconds(const char *moment);

#endif
