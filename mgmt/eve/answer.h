/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts the record stream to EVE, for a log server that wants this format: rsyslogd
 * (box/companions.h) gives each record line to the program of main.c, and sends the program's
 * answer instead. Pure.
 */
#ifndef SEKISHO_MGMT_EVE_ANSWER_H
#define SEKISHO_MGMT_EVE_ANSWER_H

#include <stddef.h>
#include <stdio.h>

/*
 * Writes the answer to one line as rsyslog's mmexternal expects it: {"msg":TEXT}, where TEXT is the
 * record in `line` as EVE, like the output of `sekisho events --eve`. For a line that is no record,
 * or without memory, it writes {}, which means "leave it as it is", so no line is lost.
 */
void eve_answer(const char *line, size_t n, FILE *to);

#endif
