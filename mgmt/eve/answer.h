/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record stream in the form of EVE, for a log server that takes that: rsyslogd
 * (box/companions.h) gives each line of the record to a program (main.c) and sends that program's
 * answer instead. Pure.
 */
#ifndef SEKISHO_MGMT_EVE_ANSWER_H
#define SEKISHO_MGMT_EVE_ANSWER_H

#include <stddef.h>
#include <stdio.h>

/*
 * One line to `to`, as rsyslog's mmexternal reads it: {"msg":TEXT} with the record of these `n`
 * bytes as EVE, the text of `sekisho events --eve`; {} ("leave it as it is") for what is no record,
 * or when memory is out: nothing is kept back.
 */
void eve_answer(const char *line, size_t n, FILE *to);

#endif
